"""What equal seconds buy on gray images: changes of the recipe `compact`, each for so many seconds of one core.

Usage: python benchmarks/seconds.py DATA SECONDS SEED [NAME ...], e.g. `... mnist 100 0 before`, or `... digits 70 0`.
Plays every row of `CHANGES`, or those that are named: sixty iterations to see how long one takes, then as many as fill
the seconds of process time, on one thread in float32. The averaged generator's samples are judged in the features of a
classifier, or for the digits in pixels, as `benchmarks/digits.py` does. Results are added to results/seconds.json.
"""

import sys
import time
from functools import reduce

import digits
import torch
from protocol import read_figures, write
from torch import Tensor

from zerosum import recipes
from zerosum.data import Source
from zerosum.data.readers import open_source
from zerosum.game.algorithm import play
from zerosum.game.ema import EMA
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe, change
from zerosum.generator import TrainedGenerator
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.neighbours import overlap

TRIED, SAMPLES, COMPARED, NEIGHBOURS = 60, 10_000, 5_000, 5
CPU = torch.device("cpu")
BEFORE = "regularizers=[]", "batch_size=32"
CHANGES: dict[str, tuple[str, ...]] = {
    "before": BEFORE,
    "batches of 32": BEFORE[1:],
    "": (),
    "batches of 64": ("batch_size=64",),
    "enlarged by repeating pixels": ("networks.upsampling=nearest",),
    "repeated and smoothed": ("networks.upsampling=smooth",),
    "relativistic, R1 and R2": ("game=relativistic", 'regularizers=[{"name":"gradient-norm","every":4}]'),
    "told the classes, before": (*BEFORE, "networks.condition=projection"),
    "told the classes": ("networks.condition=projection",),
}
PROTOCOL = (
    "float32, one thread on a core of its own, other work beside it; seconds of process time for playing alone; MNIST: "
    f"Frechet distance of {SAMPLES:,} samples to the test images, precision and coverage of the first {COMPARED:,} of "
    f"both, k = {NEIGHBOURS}, in the features of a classifier; digits: precision and coverage of as many samples as "
    "are held out, in pixels, and the smallest share of a class"
)


def train(recipe: Recipe, source: Source, steps: int, seed: int) -> tuple[TrainedGenerator, float]:
    """Play so many iterations; return the average generator, and the seconds of process time that they took."""
    engine = Engine(CPU, threads=1)
    players = Players.build(recipe, source, engine, seed)
    average = EMA(players.generator.network, recipe.ema_decay)
    began = time.process_time()
    for iteration in play(players, recipe, source.train, steps=steps, seed=seed):
        average.update(iteration.step + 1)
    took, classes = time.process_time() - began, dict[str, int]()
    if recipe.networks.conditional and source.train.labels is not None:
        counts = source.train.labels.bincount(minlength=source.classes).tolist()
        classes = dict(zip(source.class_names, counts, strict=True))
    network = average.calibrated(recipe.networks, list(classes.values()), CPU)
    return TrainedGenerator(network, recipe.networks, source.shape, classes, engine, {}), took


def judge(samples: Tensor, evaluation: Evaluation) -> dict[str, object]:
    """Measure the Frechet distance, and precision and coverage, to the test images."""
    fake, real = evaluation.features(samples), evaluation.test.features
    shares = overlap(fake.numpy()[:COMPARED], real.numpy()[:COMPARED], NEIGHBOURS)
    return {
        "frechet distance": round(frechet_distance(fake, real), 2),
        **{name: round(float(shares[name].mean()), 3) for name in ("precision", "coverage")},
    }


def main(data: str, seconds: str, seed: str, *names: str) -> None:
    """Play, judge, and add to the table."""
    torch.set_num_threads(1)
    source, base = open_source(data), recipes.find("compact")
    evaluation = None if data == "digits" else Evaluation.of(source)
    width = "networks.width=32" if data == "digits" else "networks.width=8"
    figures = read_figures("seconds")
    for name in names or CHANGES:
        recipe = reduce(change, (width, *CHANGES[name]), base)
        _, tried = train(recipe, source, TRIED, int(seed))
        steps = int(float(seconds) / tried * TRIED)
        generator, took = train(recipe, source, steps, int(seed))
        samples = generator.sample(SAMPLES, seed=1)
        found = digits.judge(samples[: digits.SAMPLES]) if evaluation is None else judge(samples, evaluation)
        row = {"changes": [width, *CHANGES[name]], "iterations": steps, "seconds": round(took)} | found
        figures[f"{source.name}: {name or 'as it is'}, {seconds} s, seed {seed}"] = row
        write("seconds", PROTOCOL, figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
