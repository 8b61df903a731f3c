"""Mode coverage on the ring and the grid, three seeds.

Usage: python benchmarks/modes.py [RECIPE[:FIELD=VALUE]...], e.g. `points points:networks.binary=0`; without, with the
recipe that `auto` picks for points. Earlier figures of others are kept. The protocol is that of VEEGAN and PacGAN:
2,500 samples, a mode counts with at least one sample within 3 sigma. The settings of `points` were chosen with other
seeds than these.
"""

import sys
import tempfile
from pathlib import Path

from protocol import last_iteration, note_measured, read_figures, run_zerosum, write

from zerosum import records
from zerosum.data.readers import open_source
from zerosum.metrics.evaluation import Evaluation
from zerosum.records import ScoreRecord
from zerosum.run_folder import RunFolder

NAMES, SEEDS, SAMPLES = ("ring", "grid"), (30, 31, 32), 2_500
METRICS = ("modes-covered", "high-quality", "reverse-kl", "spread-ratio")


def read_scores(run: Path) -> dict[str, float]:
    """Read the last scores that a finished run noted, and how long it took."""
    last = last_iteration(run)
    scores = {
        each.score.metric: round(each.score.value, 4)
        for each in records.read(RunFolder(run), ScoreRecord)
        if each.step == last.step and each.score.metric in METRICS
    }
    return {"iterations": last.step, "training seconds": last.seconds, **scores}


def main(*recipes: str) -> None:
    """Train on one after the other, score, note."""
    figures: dict[str, dict[str, float]] = read_figures("modes")
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
                    run_zerosum("train", name, *common, "--out", run)
                    figures[f"{recipe}, {name}, seed {seed}"] = read_scores(run)
        if ":" not in recipe:
            note_measured({recipe: "; ".join(summarize(figures, recipe, name) for name in NAMES)})
    protocol = (
        f"`zerosum train NAME --recipe RECIPE --set CHANGE --seed S`, one after the other on one thread, scored on "
        f"{SAMPLES} samples of the generator (averaged where the recipe averages)"
    )
    write("modes", protocol, figures)


def summarize(figures: dict[str, dict[str, float]], recipe: str, name: str) -> str:
    """Say what the worst of the seeds reached."""
    runs = [figures[f"{recipe}, {name}, seed {seed}"] for seed in SEEDS]
    modes, near = (min(run[metric] for run in runs) for metric in ("modes-covered", "high-quality"))
    return f"{name} {modes:.0f}, {near:.1%}"


if __name__ == "__main__":
    main(*sys.argv[1:])
