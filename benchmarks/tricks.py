"""What each documented trick is worth on MNIST: a small pair with and without it, three seeds, equal steps.

Usage: python benchmarks/tricks.py MNIST_FOLDER. Each run takes one thread and one process of two; about an hour on two
cores. Variants that are in results/tricks.json already are not run again.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed

import torch
from protocol import AS_IT_WAS, read_figures, write

from zerosum import recipes
from zerosum.data.readers import open_source
from zerosum.game.algorithm import play
from zerosum.game.ema import EMA
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import change
from zerosum.generator import TrainedGenerator
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.frechet import FrechetDistance
from zerosum.metrics.neighbours import Neighbours

SEEDS, STEPS, SAMPLES = (0, 1, 2), 1_000, 5_000
RECIPE, BASE = "compact", ("networks.width=16", "ema_decay=0.99", *AS_IT_WAS)
SGD = '{"name": "sgd", "lr": 0.02, "decay": 1, "momentum": 0, "final_momentum": 0}'
VARIANTS: dict[str, tuple[str, ...]] = {
    "without": (),
    "saturating": ("game=minimax",),
    "uniform": ("networks.prior=uniform",),
    "mixed-batches": ("networks.mixed_batches=true",),
    "label-smoothing": ('tricks=["label-smoothing"]',),
    "soft-labels": ('tricks=["soft-labels"]',),
    "noisy-labels": ('tricks=["noisy-labels"]',),
    "replay": ('tricks=["replay"]',),
    "sgd": (f"discriminator_optimizer={SGD}",),
    "auxiliary": ("networks.condition=auxiliary",),
    "projection": ("networks.condition=projection",),
    "concatenation": ("networks.condition=concatenation",),
    "instance-noise": ('tricks=["instance-noise"]',),
    "two-steps": ("discriminator_steps=2",),
    "discrimination": ("networks.minibatch=discrimination",),
    "standard-deviation": ("networks.minibatch=standard-deviation",),
    "dropout": ("networks.dropout=0.5",),
    "packing": ("networks.packing=2",),
    "one-rate": ("discriminator_optimizer.lr=5e-4",),
    "diff-augment": ('tricks=["diff-augment"]',),
    "adaptive-augment": ('tricks=["adaptive-augment"]',),
}
PROTOCOL = (
    f"recipe {RECIPE} with {', '.join(BASE)}, {STEPS} iterations, on the MNIST training images; {SAMPLES} samples of "
    "the averaged generator against the 10,000 test images"
)


def measure(data: str, assignments: tuple[str, ...], seed: int) -> dict[str, float]:
    """Train one variant and score its samples."""
    torch.set_num_threads(1)
    source = open_source(data)
    recipe = recipes.find(RECIPE)
    for assignment in (*BASE, *assignments):
        recipe = change(recipe, assignment)
    engine = Engine.choose("cpu", recipe.precision)
    players = Players.build(recipe, source, engine, seed)
    ema = EMA(players.generator.network, recipe.ema_decay)
    for iteration in play(players, recipe, source.train, steps=STEPS, seed=seed):
        ema.update(iteration.step + 1)
    networks, classes = players.networks, {}
    if networks.conditional:
        assert source.train.labels is not None
        classes = dict(zip(source.class_names, source.train.labels.bincount().tolist(), strict=True))
    generator = ema.calibrated(networks, list(classes.values()), engine.device)
    samples = TrainedGenerator(generator, networks, source.shape, classes, engine, {}).sample(SAMPLES, seed=1)
    return {
        score.metric: round(score.value, 4)
        for score in Evaluation.of(source).scores(samples, 0, [FrechetDistance(), Neighbours()], training=True)
    }


def main(data: str) -> None:
    """Run the variants that are missing, two at a time, and note each result as it comes."""
    figures: dict[str, dict[str, float]] = read_figures("tricks")
    os.environ["OMP_NUM_THREADS"] = "1"
    Evaluation.of(open_source(data))  # trains the features once, before two processes ask for them
    with ProcessPoolExecutor(2) as pool:
        waiting = {
            pool.submit(measure, data, assignments, seed): f"{name}, seed {seed}"
            for seed in SEEDS
            for name, assignments in VARIANTS.items()
            if f"{name}, seed {seed}" not in figures
        }
        for done in as_completed(waiting):
            figures[waiting[done]] = done.result()
            write("tricks", PROTOCOL, figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
