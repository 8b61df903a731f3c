"""Measure what evaluation costs, and compare its values with those of theory and of other programs.

Usage: python benchmarks/evaluation.py MNIST_FOLDER INCEPTION_WEIGHTS PHOTOS, the last an array of 64x64 colour images.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from protocol import write

from zerosum.data.readers import open_source
from zerosum.game.engine import Engine
from zerosum.generator import TrainedGenerator
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
from zerosum.metrics.features.inception import BATCH, Inception
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.neighbours import overlap
from zerosum.recipes.auto import choose
from zerosum.run.scoring import INTERIM_SCORES

ROUNDS, IMAGES = 5, 96
SCORED = """
import resource, sys, time
from zerosum.data.readers import open_source
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
source = open_source(sys.argv[1])
samples = source.train.samples[-10_000:]
began = time.perf_counter()
scores = Evaluation.of(source, Request(sys.argv[2])).scores(samples, 0)
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(seconds, peak, *(f"{score.metric}={score.value:.4f}({score.real})" for score in scores))
"""


def time_mnist(data: str) -> dict[str, object]:
    """Time everything that `evaluate` measures on 10,000 images, each time in a new process."""
    found: dict[str, object] = {}
    for features in ("classifier", "random-convolutions"):
        runs = []
        for _ in range(3):
            done = subprocess.run(
                [sys.executable, "-c", SCORED, data, features], check=True, capture_output=True, text=True
            )
            seconds, peak, *scores = done.stdout.split()
            runs.append((float(seconds), float(peak)))
        times, peaks = zip(*runs, strict=True)
        found[features] = {"seconds": summarize(times), "peak GB": round(max(peaks), 2), "scores": scores}
    return found


def time_inception(weights: str, photos: str) -> dict[str, object]:
    """Time the features against bare forward passes of the same network, interleaved."""
    source = open_source(photos)
    extractor = Inception.open(source, Request("inception", Path(weights)))
    samples = source.train.samples[:IMAGES]
    resized = [torch.rand(BATCH, 3, 299, 299) for _ in range(IMAGES // BATCH)]
    ratios, rates = [], []
    with torch.no_grad():
        extractor(samples[:BATCH])
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for batch in resized:
                extractor._network(batch)
            bare = time.perf_counter() - began
            began = time.perf_counter()
            extractor(samples)
            taken = time.perf_counter() - began
            ratios.append(taken / bare)
            rates.append(IMAGES / taken)
    return {"time over bare forward passes": summarize(ratios), "images per second": summarize(rates)}


def time_during_training(data: str) -> dict[str, object]:
    """Time the three scorings during a five-minute run on MNIST with the default recipe, as a share of the run."""
    source, shares = open_source(data), []
    recipe = choose(source)
    evaluation = Evaluation.of(source)
    network, _ = recipe.networks.build_pair(source.shape, source.classes, 0)
    classes = dict.fromkeys(source.class_names, 1) if recipe.networks.conditional else {}
    generator = TrainedGenerator(network.eval(), recipe.networks, source.shape, classes, Engine.choose(), {})
    for _ in range(ROUNDS):
        began = time.perf_counter()
        evaluation.scores(generator.sample(evaluation.interim), 0, training=True)
        shares.append((INTERIM_SCORES - 1) * (time.perf_counter() - began) / 300)
    return {"share of the training time": summarize(shares)}


def check_known_answers() -> dict[str, object]:
    """Score N(0, I) against N(1, 4 I) in 64 dimensions, whose distance is 64 + 64, and N(0, I_1000) against itself."""
    ratios, overlaps = [], []
    for seed in range(3):
        rng = torch.Generator().manual_seed(seed)
        one, other = (torch.randn(50_000, 64, generator=rng) for _ in range(2))
        ratios.append(frechet_distance(2 * one + 1, other) / 128)
        real, fake = (torch.randn(10_000, 1_000, generator=rng).numpy() for _ in range(2))
        overlaps.append({name: float(values.mean()) for name, values in overlap(fake, real, 5).items()})
    return {
        "Fréchet distance of Gaussians at N = 50,000, over the closed form": [round(ratio, 5) for ratio in ratios],
        "equal N(0, I_1000), 10,000 each, k = 5": {
            name: [round(found[name], 3) for found in overlaps] for name in overlaps[0]
        },
    }


def summarize(values: tuple[float, ...] | list[float]) -> str:
    """Return median, smallest and largest value in words."""
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def main(data: str, weights: str, photos: str) -> None:
    """Measure everything."""
    figures = {
        "MNIST": time_mnist(data),
        "during training": time_during_training(data),
        "Inception": time_inception(weights, photos),
        "known answers, three seeds": check_known_answers(),
    }
    protocol = (
        f"10,000 MNIST training images scored with all default metrics, {torch.get_num_threads()} threads, three "
        f"processes; {IMAGES} images through Inception, {ROUNDS} interleaved rounds; median (smallest to largest)"
    )
    write("evaluation", protocol, figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
