"""Count how often the doctor finds planted faults, and how often it finds something in healthy runs.

Usage: python benchmarks/doctor/count.py OUT [SET]

OUT holds the runs that play.py made; SET is `count` (the default) or `calibration`. The runs are diagnosed again, so
that what is counted is the code as it is. A fault counts as found if one of the findings that cases.py expects of it is
there; a false alarm is any finding, more than a note, in a healthy run. Intervals are Wilson's. Results go to
results/doctor.json, or of the calibration to nowhere.
"""

import io
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from cases import FAULTS, Case
from matplotlib.figure import Figure
from PIL import Image
from play import SETS, examine

sys.path.insert(0, str(Path(__file__).parents[1]))
from protocol import write
from scipy.stats import binomtest

from zerosum.run_folder import RunFolder

PICTURE = Path(__file__).parents[2] / "docs" / "doctor.png"

PROTOCOL = (
    "each run on one thread, other work beside it; bounds were chosen by the runs of `calibration` (ring, digits, the "
    "first MNIST images; seeds 0 to 5), these are those of `count` (the grid, the last MNIST images, photos, and other "
    "seeds from 100 on); a fault is found if one of the expected findings is there; a false alarm is any warning or "
    "failure in a healthy run; 95% intervals by Wilson; runs on photos were planned as healthy ones, and are too short "
    "to be (coverage .05 to .30, of real images .97), so they are counted by themselves"
)


def interval(hits: int, count: int) -> dict[str, Any]:
    """Return a share with its interval."""
    found = binomtest(hits, count).proportion_ci(method="wilson")
    return {
        "hits": hits,
        "of": count,
        "share": round(hits / count, 3),
        "interval": [round(found.low, 3), round(found.high, 3)],
    }


def diagnose_all(cases: list[Case], out: Path) -> dict[str, list[str]]:
    """Diagnose every run that is there; return the names of the findings that are more than notes."""
    found = {}
    for case in cases:
        if not (out / case.key / "run.json").exists():
            print(f"missing: {case.key}")
            continue
        diagnosis = examine(case, out)
        (out / case.key / "diagnosis.json").write_bytes(diagnosis.to_bytes())
        found[case.key] = [finding.name for finding in diagnosis.serious]
    return found


def count(cases: list[Case], found: dict[str, list[str]]) -> dict[str, Any]:
    """Count hits by fault, and alarms by what raised them."""
    faults: dict[str, dict[str, Any]] = {}
    for fault in FAULTS:
        runs = [case for case in cases if case.fault is fault and case.key in found]
        seen: dict[str, int] = defaultdict(int)
        for case in runs:
            for name in found[case.key]:
                seen[name] += 1
        hits = [case for case in runs if set(fault.expected) & set(found[case.key])]
        if runs:
            faults[fault.name] = {
                "expected": list(fault.expected),
                "found": len(hits),
                "of": len(runs),
                "missed on": sorted(case.base.data for case in runs if case not in hits),
                "findings": dict(sorted(seen.items(), key=lambda item: -item[1])),
            }
    sound = [case for case in cases if case.fault is None and case.key in found]
    healthy = [case for case in sound if case.base.healthy]
    short: dict[str, int] = defaultdict(int)
    for case in sound:
        for name in () if case.base.healthy else found[case.key]:
            short[name] += 1
    alarms: dict[str, int] = defaultdict(int)
    for case in healthy:
        for name in found[case.key]:
            alarms[f"{name} on {case.base.data}"] += 1
    raised = [case for case in healthy if found[case.key]]
    hits, runs = (sum(each[key] for each in faults.values()) for key in ("found", "of"))
    return {
        "faults": faults,
        "recall": interval(hits, runs),
        "kinds": len(faults),
        "kinds found on every set": sum(each["found"] == each["of"] for each in faults.values()),
        "false alarms": interval(len(raised), len(healthy)),
        "alarms": dict(alarms),
        "short runs on photos": {"of": len(sound) - len(healthy), "findings": dict(short)},
        "healthy runs": dict(Counter(f"{case.base.data} by {case.base.recipe}" for case in healthy)),
    }


def draw(cases: list[Case], out: Path, picture: Path) -> None:
    """Draw the first samples of a row for each fault and for healthy runs, on one set of images, with their names."""
    rows = {("healthy" if case.fault is None else case.fault.name): out / case.key for case in cases}
    figure = Figure(figsize=(8, 0.62 * len(rows)), layout="constrained")
    grid: Any = figure.subplots(len(rows), 1)
    for axes, (name, run) in zip(grid, rows.items(), strict=True):
        image = Image.open(RunFolder(run).pictures()[-1][1]).convert("L")
        axes.imshow(image.crop((0, 0, image.width, image.width // 8)), cmap="gray", vmin=0, vmax=255)
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=100)
    Image.open(buffer).convert("L").quantize(32).save(picture, optimize=True)  # digits are gray


def main(out: str, name: str = "count") -> None:
    """Count, print, and write the table."""
    cases = SETS[name]
    figures = count(cases, diagnose_all(cases, Path(out)))
    print(json.dumps(figures, indent=2))
    if name == "count":
        write("doctor", PROTOCOL, figures)
        draw([case for case in cases if case.base.data == "mnist-others"], Path(out), PICTURE)


if __name__ == "__main__":
    main(*sys.argv[1:])
