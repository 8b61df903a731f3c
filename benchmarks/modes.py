"""Mode coverage on the ring and the grid, three seeds.

Usage: python benchmarks/modes.py [RECIPE[:FIELD=VALUE]...], e.g. `points points:networks.binary=0`; without, with the
recipe that `auto` picks for points. What was measured earlier for others is kept. The protocol is that of VEEGAN and
PacGAN: 2,500 samples, a mode counts with at least one sample within 3 sigma. The settings of `points` were chosen by
other seeds than these.
"""

import json
import sys
import tempfile
from pathlib import Path

from protocol import RESULTS, note_measured, write, zerosum

from zerosum.data import open_source
from zerosum.metrics.evaluation import Evaluation

NAMES, SEEDS, SAMPLES = ("ring", "grid"), (30, 31, 32), 2_500
METRICS = ("modes-covered", "high-quality", "reverse-kl", "spread-ratio")


def scored(run: Path) -> dict[str, float]:
    """What a finished run notes about itself."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    last = [line for line in lines if line["kind"] == "iteration"][-1]
    scores = {
        line["metric"]: round(line["value"], 4)
        for line in lines
        if line["kind"] == "score" and line["step"] == last["step"] and line["metric"] in METRICS
    }
    return {"iterations": last["step"], "training seconds": last["seconds"], **scores}


def main(*recipes: str) -> None:
    """Train on one after the other, score, note."""
    earlier = RESULTS / "modes.json"
    figures: dict[str, dict[str, float]] = json.loads(earlier.read_text())["figures"] if earlier.exists() else {}
    for name in NAMES:
        source = open_source(name)
        real = Evaluation.of(source).scores(source.train.samples[:SAMPLES], seed=0, training=True)
        figures[f"real points, {name}"] = {
            score.metric: round(score.value, 4) for score in real if score.metric in METRICS
        }
    for recipe in recipes or ("points",):
        for seed in SEEDS:
            with tempfile.TemporaryDirectory() as folder:
                for name in NAMES:
                    run = Path(folder) / name
                    common = ("--recipe", *recipe.replace(":", " --set ").split(), "--seed", seed)
                    zerosum("train", name, *common, "--out", run)
                    figures[f"{recipe}, {name}, seed {seed}"] = scored(run)
        if ":" not in recipe:
            note_measured({recipe: "; ".join(in_words(figures, recipe, name) for name in NAMES)})
    protocol = (
        f"`zerosum train NAME --recipe RECIPE --set CHANGE --seed S`, one after the other on one thread, scored on "
        f"{SAMPLES} samples of the generator (averaged where the recipe averages)"
    )
    write("modes", protocol, figures)


def in_words(figures: dict[str, dict[str, float]], recipe: str, name: str) -> str:
    """The worst of the seeds."""
    runs = [figures[f"{recipe}, {name}, seed {seed}"] for seed in SEEDS]
    modes, near = (min(run[metric] for run in runs) for metric in ("modes-covered", "high-quality"))
    return f"{name} {modes:.0f}, {near:.1%}"


if __name__ == "__main__":
    main(*sys.argv[1:])
