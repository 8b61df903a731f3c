"""MNIST in five minutes: the default recipe, three seeds, beside the textbook loops at equal time.

Usage: python benchmarks/mnist.py MNIST_FOLDER [zerosum|textbook]. Takes about 40 minutes, or half with the one or the
other, whose figures then replace the earlier ones.
"""

import json
import sys
import tempfile
from pathlib import Path

import textbook
import torch
from protocol import RESULTS, write
from protocol import zerosum as command
from torch import Tensor

import zerosum
from zerosum.data import open_source
from zerosum.data.pixels import to_uint8
from zerosum.metrics import Evaluation
from zerosum.metrics.features import ClassifierFeatures
from zerosum.metrics.frechet import frechet_distance

MINUTES, SAMPLES, SEEDS = 5, 10_000, (0, 1, 2)


def judge(evaluation: Evaluation, samples: Tensor) -> dict[str, object]:
    """Every score with its interval, and the shares of the ten classes."""
    assert isinstance(evaluation.features, ClassifierFeatures)
    shares = evaluation.features.classify(samples).bincount(minlength=10) / len(samples)
    scores = {s.metric: f"{s.value:.3f} ({s.low:.3f} to {s.high:.3f})" for s in evaluation.scores(samples, seed=0)}
    return {**scores, "classes": [round(float(share), 3) for share in shares]}


def main(data: str, only: str = "") -> None:
    """Train, judge, note."""
    source = open_source(data)
    evaluation = Evaluation.of(source)
    earlier = RESULTS / "mnist.json"
    figures: dict[str, object] = json.loads(earlier.read_text())["figures"] if only and earlier.exists() else {}
    figures |= {
        "features": evaluation.features.name,
        "all real training images": round(
            frechet_distance(evaluation.features(source.train.samples), evaluation.real), 2
        ),
        "10,000 real training images": judge(evaluation, source.train.samples[:SAMPLES]),
    }
    for seed in SEEDS if only != "textbook" else ():
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            command("train", data, "--minutes", MINUTES, "--seed", seed, "--out", run)
            last = [line for line in map(json.loads, (run / "metrics.jsonl").open()) if line["kind"] == "iteration"][-1]
            made = {"iterations": last["step"], "training seconds": last["seconds"]}
            figures[f"zerosum default, seed {seed}"] = made | judge(
                evaluation, zerosum.load(run).sample(SAMPLES, seed=1)
            )
    images = source.train.batch(torch.arange(len(source.train))).samples
    for name in ("mlp", "dcgan", "lsgan", "wgan-gp") if only != "zerosum" else ():
        sample = textbook.train(name, images, MINUTES * 60, seed=0)
        figures[f"textbook {name}, seed 0"] = judge(evaluation, to_uint8(sample(SAMPLES)))
    write("mnist", f"{MINUTES} minutes of training each, {SAMPLES} samples against the 10,000 test images", figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
