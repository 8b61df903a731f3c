"""MNIST: recipes at equal time (five minutes) or at equal iterations, three seeds each, and the textbook loops.

Usage: python benchmarks/mnist.py MNIST_FOLDER [steps=N] [RECIPE... | textbook], e.g. `... mnist auto dcgan`. As many
recipes as there are cores; they are trained at the same time. Takes about 20 minutes, as do the textbook loops;
earlier figures of others are kept. At equal time the figures for `zerosum recipes` are written too, without a recipe
from earlier ones.
"""

import sys
import tempfile
from pathlib import Path

import textbook
import torch
from protocol import last_iteration, note_measured, read_figures, run_side_by_side, write
from torch import Tensor

import zerosum
from zerosum.data import Source, to_uint8
from zerosum.data.readers import open_source
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features.classifier import Classifier
from zerosum.metrics.frechet import FrechetDistance, frechet_distance
from zerosum.metrics.neighbours import Neighbours
from zerosum.recipes.auto import choose

MINUTES, SAMPLES, SEEDS = 5, 10_000, (0, 1, 2)
PROTOCOL = (
    f"recipes with `--minutes {MINUTES}` on one thread each, beside other work: their iterations and seconds are "
    f"noted; textbook loops {MINUTES} minutes alone on all threads; {SAMPLES} samples against the 10,000 test "
    "images"
)
AT_EQUAL_STEPS = (
    f"recipes with `--steps {{}}`, two at a time on one thread each, so that their seconds are of a shared machine; "
    f"{SAMPLES} samples against the 10,000 test images"
)


def judge(evaluation: Evaluation, samples: Tensor) -> dict[str, object]:
    """Measure every score with its interval, and the shares of the ten classes."""
    assert isinstance(evaluation.features, Classifier)
    shares = evaluation.features.classify(samples).bincount(minlength=10) / len(samples)
    scores = evaluation.scores(samples, 0, [FrechetDistance(), Neighbours()], training=True)
    return {
        **{score.metric: f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f})" for score in scores},
        "classes": [round(float(share), 3) for share in shares],
    }


def train(data: str, names: list[str], length: list[object], seed: int, evaluation: Evaluation) -> dict[str, object]:
    """Train all recipes with the installed command, at the same time, and judge their samples."""
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: Path(folder) / name for name in names}
        common = (*length, "--seed", seed)
        run_side_by_side(*(("train", data, "--recipe", name, *common, "--out", run) for name, run in runs.items()))
        for name, run in runs.items():
            last = last_iteration(run)
            training = {"iterations": last.step, "training seconds": last.seconds}
            found[f"{name}, seed {seed}"] = training | judge(evaluation, zerosum.load(run).sample(SAMPLES, seed=1))
    return found


def train_textbook_loops(source: Source, evaluation: Evaluation) -> dict[str, object]:
    """Train with the plain loops, one seed each, and judge their samples."""
    images = source.train.batch(torch.arange(len(source.train))).samples
    found: dict[str, object] = {}
    for name in ("mlp", "dcgan", "lsgan", "wgan-gp"):
        sample = textbook.train(name, images, MINUTES * 60, seed=0)
        found[f"textbook {name}, seed 0"] = judge(evaluation, to_uint8(sample(SAMPLES)))
    return found


def main(data: str, *names: str) -> None:
    """Train the recipes that are named, judge, and note each result as it comes."""
    source = open_source(data)
    evaluation = Evaluation.of(source)
    steps = next((int(name.removeprefix("steps=")) for name in names if name.startswith("steps=")), 0)
    length: list[object] = ["--steps", steps] if steps else ["--minutes", MINUTES]
    file, protocol = ("mnist_steps", AT_EQUAL_STEPS.format(steps)) if steps else ("mnist", PROTOCOL)
    figures = read_figures(file) | {
        "features": evaluation.features.name,
        "all real training images": round(frechet_distance(evaluation.train.features, evaluation.test.features), 2),
        "10,000 real training images": judge(evaluation, source.train.samples[:SAMPLES]),
    }
    recipes = [name for name in names if name != "textbook" and not name.startswith("steps=")]
    for seed in SEEDS if recipes else ():
        figures |= train(data, recipes, length, seed, evaluation)
        write(file, protocol, figures)
    if "textbook" in names:
        figures |= train_textbook_loops(source, evaluation)
    write(file, protocol, figures)
    if not steps:
        note_measured(summarize(figures, source))


def summarize(figures: dict[str, object], source: Source) -> dict[str, str]:
    """Return what `zerosum recipes` prints: the smallest and the largest distance of each recipe's seeds."""
    runs: dict[str, list[dict[str, object]]] = {}
    for key, figure in figures.items():
        name, _, seed = key.partition(", seed ")
        if isinstance(figure, dict) and seed and not name.startswith("textbook"):
            runs.setdefault(choose(source).name if name == "auto" else name, []).append(figure)
    return {name: _summarize_seeds(seeds) for name, seeds in runs.items()}


def _summarize_seeds(seeds: list[dict[str, object]]) -> str:
    distances = sorted(float(str(seed["frechet-distance"]).split()[0]) for seed in seeds)
    iterations = sorted(int(str(seed["iterations"])) for seed in seeds)
    return f"{distances[0]:.1f} to {distances[-1]:.1f} ({iterations[0]:,} to {iterations[-1]:,})"


if __name__ == "__main__":
    main(*sys.argv[1:])
