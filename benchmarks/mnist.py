"""MNIST in five minutes: recipes at equal time, three seeds each, and the textbook loops.

Usage: python benchmarks/mnist.py MNIST_FOLDER RECIPE... [textbook], e.g. `... mnist auto dcgan`. As many recipes as
there are cores; they are trained at the same time. Takes about 20 minutes, as do the textbook loops; what was measured
earlier for others is kept. The figures for `zerosum recipes` are written too.
"""

import json
import sys
import tempfile
from pathlib import Path

import textbook
import torch
from protocol import RESULTS, note_measured, side_by_side, write
from torch import Tensor

import zerosum
from zerosum.data import Source, open_source
from zerosum.data.pixels import to_uint8
from zerosum.metrics import Evaluation
from zerosum.metrics.features.classifier import Classifier
from zerosum.metrics.frechet import FrechetDistance, frechet_distance
from zerosum.metrics.neighbours import Neighbours
from zerosum.recipes import named

MINUTES, SAMPLES, SEEDS = 5, 10_000, (0, 1, 2)
PROTOCOL = (
    f"{MINUTES} minutes of training each (recipes side by side on one thread each, textbook loops alone on all), "
    f"{SAMPLES} samples against the 10,000 test images"
)


def judge(evaluation: Evaluation, samples: Tensor) -> dict[str, object]:
    """Every score with its interval, and the shares of the ten classes."""
    assert isinstance(evaluation.features, Classifier)
    shares = evaluation.features.classify(samples).bincount(minlength=10) / len(samples)
    scores = evaluation.scores(samples, 0, [FrechetDistance(), Neighbours()], training=True)
    return {
        **{score.metric: f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f})" for score in scores},
        "classes": [round(float(share), 3) for share in shares],
    }


def trained(data: str, names: list[str], seed: int, evaluation: Evaluation) -> dict[str, object]:
    """Train all recipes with the installed command, at the same time, and judge what they made."""
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: Path(folder) / name for name in names}
        common = ("--minutes", MINUTES, "--seed", seed)
        side_by_side(*(("train", data, "--recipe", name, *common, "--out", run) for name, run in runs.items()))
        for name, run in runs.items():
            last = [line for line in map(json.loads, (run / "metrics.jsonl").open()) if line["kind"] == "iteration"][-1]
            made = {"iterations": last["step"], "training seconds": last["seconds"]}
            found[f"{name}, seed {seed}"] = made | judge(evaluation, zerosum.load(run).sample(SAMPLES, seed=1))
    return found


def textbook_loops(source: Source, evaluation: Evaluation) -> dict[str, object]:
    """The plain loops, one seed each."""
    images = source.train.batch(torch.arange(len(source.train))).samples
    found: dict[str, object] = {}
    for name in ("mlp", "dcgan", "lsgan", "wgan-gp"):
        sample = textbook.train(name, images, MINUTES * 60, seed=0)
        found[f"textbook {name}, seed 0"] = judge(evaluation, to_uint8(sample(SAMPLES)))
    return found


def main(data: str, *names: str) -> None:
    """Train what is named, judge, and note each result as it comes."""
    source = open_source(data)
    evaluation = Evaluation.of(source)
    earlier = RESULTS / "mnist.json"
    figures: dict[str, object] = json.loads(earlier.read_text())["figures"] if earlier.exists() else {}
    figures |= {
        "features": evaluation.features.name,
        "all real training images": round(frechet_distance(evaluation.train.features, evaluation.test.features), 2),
        "10,000 real training images": judge(evaluation, source.train.samples[:SAMPLES]),
    }
    recipes = [name for name in names if name != "textbook"]
    for seed in SEEDS if recipes else ():
        figures |= trained(data, recipes, seed, evaluation)
        write("mnist", PROTOCOL, figures)
    if "textbook" in names:
        figures |= textbook_loops(source, evaluation)
    write("mnist", PROTOCOL, figures)
    note_measured(in_words(figures, recipes, source))


def in_words(figures: dict[str, object], recipes: list[str], source: Source) -> dict[str, str]:
    """What `zerosum recipes` prints of the `recipes`: the smallest and the largest distance of their seeds."""
    distances: dict[str, list[float]] = {}
    for key, figure in figures.items():
        name, _, seed = key.partition(", seed ")
        if isinstance(figure, dict) and seed and name in recipes:
            distances.setdefault(name, []).append(float(str(figure["frechet-distance"]).split()[0]))
    return {
        named(
            name, source
        ).name: f"Fréchet distance {min(values):.1f} to {max(values):.1f} (MNIST, {MINUTES} minutes on one core, "
        f"{len(values)} seeds)"
        for name, values in distances.items()
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
