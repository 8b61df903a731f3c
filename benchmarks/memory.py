"""How much memory training takes at its peak, beside a tutorial's loop with the same networks and batch.

Usage: python benchmarks/memory.py

Each loop has a process of its own, in float32 on one thread; the peak is that of the resident memory, less what it was
when everything was imported and the samples were there, before any network was built. Results: results/memory.json.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from protocol import write
from torch import Tensor

from zerosum import recipes
from zerosum.data import Source, Split
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe, change
from zerosum.run.limits import estimate_memory
from zerosum.run.speed import play_textbook

ITERATIONS, IMAGES, THREADS = 3, 1_000, 1
CASES = {
    "dcgan, 64x64, batch 64": ("dcgan", (), 64, 64),
    "dcgan, the same in four parts": ("dcgan", ("accumulate=4",), 64, 64),
    "compact of width 16, 64x64, batch 64": ("compact", ("networks.width=16", "regularizers=[]"), 64, 64),
    "compact of width 16, 128x128, batch 32": ("compact", ("networks.width=16", "regularizers=[]"), 128, 32),
    "photos of width 16, 64x64, batch 16": ("photos", ("networks.width=16",), 64, 16),
    "photos of width 16, 128x128, batch 16": ("photos", ("networks.width=16",), 128, 16),
    "r3gan, 32x32, batch 64": ("r3gan", (), 32, 64),
}


def build(name: str, changes: tuple[str, ...], side: int, batch: int) -> tuple[Recipe, Source]:
    """Return a recipe, and noise to train it on."""
    recipe = recipes.find(name)
    for each in (f"batch_size={batch}", *changes):
        recipe = change(recipe, each)
    split = Split(torch.randint(0, 256, (IMAGES, 3, side, side), dtype=torch.uint8))
    return recipe, Source("noise", split, split)


def play_ours(recipe: Recipe, source: Source) -> Iterator[Any]:
    """Play as a run does."""
    players = Players.build(recipe, source, Engine(torch.device("cpu")), 0)
    return play(players, recipe, source.train, steps=10**9, seed=0)


def play_theirs(recipe: Recipe, source: Source) -> Iterator[Any]:
    """Play the tutorial's loop with the same networks, without heads on features, penalties or tricks."""
    pair = change(recipe, "networks.features=none").networks.build_pair(source.shape, 0, 0)

    def batches() -> Iterator[Tensor]:
        while True:
            chosen = source.train.samples[torch.randint(IMAGES, (recipe.batch_size,))]
            yield chosen.float() / 127.5 - 1

    return play_textbook(*pair, recipe.networks.latent, batches())


def measure(case: str, ours: bool) -> float:
    """Return the megabytes that a loop adds to this process at its peak."""
    torch.set_num_threads(THREADS)
    recipe, source = build(*CASES[case])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in islice((play_ours if ours else play_theirs)(recipe, source), ITERATIONS):
        pass
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def estimate(case: str) -> float:
    """Return the megabytes that are estimated before a run of zerosum."""
    torch.set_num_threads(THREADS)
    return estimate_memory(*build(*CASES[case])) / 2**20


def main(*asked: str) -> None:
    """Measure each loop in a new process, and write the table; with a case and a loop, measure that in this one."""
    if asked:
        case, what = asked
        print(estimate(case) if what == "estimate" else measure(case, ours=what == "ours"))
        return
    table = {}
    for case in CASES:
        taken = {}
        for name in ("ours", "tutorial", "estimate"):  # this process stays small: others begin with its peak
            call = [sys.executable, __file__, case, name]
            taken[name] = float(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
        table[case] = {f"MB, {name}": round(taken[name]) for name in taken}
        table[case]["ratio"] = round(taken["ours"] / taken["tutorial"], 2)
        print(case, json.dumps(table[case]), flush=True)
    write("memory", f"{ITERATIONS} iterations in a process of its own, float32, one thread", table)


if __name__ == "__main__":
    main(*sys.argv[1:])
