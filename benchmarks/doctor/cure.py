"""Run the remedies that the doctor names, and see whether they help.

Usage: python benchmarks/doctor/cure.py OUT [FAULT ...]

OUT holds the runs that play.py made of `count`. For each fault that was planted in the digits (or those named),
the command of its first expected finding is run as it stands; the table has the Fréchet distance before and after, each
with its interval, and whether the finding is gone. Results are added to results/cures.json.
"""

import shlex
import sys
from pathlib import Path
from typing import Any

from cases import COUNT, Case
from play import examine

sys.path.insert(0, str(Path(__file__).parents[1]))
from protocol import read_figures, run_zerosum, write

from zerosum import records
from zerosum.metrics import Score
from zerosum.records import ScoreRecord
from zerosum.run_folder import RunFolder

PROTOCOL = (
    "the digits' runs of `count`, seed 100, in float32 on one thread; the command of the first expected finding, "
    "as the doctor prints it; Fréchet distance to the test images in the features of the run's data"
)


def last_distance(run: Path) -> Score | None:
    """Return the last Fréchet distance of a run; None if it has none."""
    scores = [
        each.score for each in records.read(RunFolder(run), ScoreRecord) if each.score.metric == "frechet-distance"
    ]
    return scores[-1] if scores else None


def cure(case: Case, out: Path) -> dict[str, Any] | None:
    """Run the remedy of one case; None if its fault was not found, or has no command."""
    assert case.fault is not None
    diagnosis = examine(case, out)
    found = [finding for finding in diagnosis.findings if finding.name in case.fault.expected]
    if not found:
        return {"finding": "not found"}
    command = found[0].command
    if not command:
        return {"finding": found[0].name, "remedy": found[0].advice}
    cured = out / f"cured-{case.key}"
    if not (cured / "run.json").exists():
        run_zerosum(*shlex.split(command)[1:], "--out", cured)
    again = examine(case, out, cured)
    before, after = last_distance(out / case.key), last_distance(cured)
    return {
        "finding": found[0].name,
        "remedy": " ".join(shlex.split(command)[6:]),
        "before": None if before is None else [round(each, 2) for each in (before.value, before.low, before.high)],
        "after": None if after is None else [round(each, 2) for each in (after.value, after.low, after.high)],
        "gone": found[0].name not in [finding.name for finding in again.findings],
    }


def main(out: str, *names: str) -> None:
    """Cure every fault of the digits, and write the table."""
    figures = read_figures("cures")
    for case in COUNT:
        if case.fault is not None and case.base.data == "digits" and (not names or case.fault.name in names):
            figures[case.fault.name] = cure(case, Path(out))
            print(case.fault.name, figures[case.fault.name], flush=True)
    write("cures", PROTOCOL, figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
