"""How far processes carry, on paper: efficiency on 8, 64 and 512 GPUs from what an iteration computes and sends.

Usage: python benchmarks/scale.py

Computed: the operations of an iteration, counted, and the bytes that each process sends and receives in it: twice the
gradients of both players, less its own share. Assumed: what a GPU sustains, and the links, of which the slowest counts;
sending and computing do not overlap, as in `zerosum.game.distributed`. Each process plays one part of the recipe's own
batch. Results are written to results/scale.json; nothing is timed.
"""

from typing import Any

import torch
from protocol import write

from zerosum import recipes
from zerosum.data import Source, Split
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import change
from zerosum.run.speed import count_flops

SUSTAINED = 60e12  # operations a second: some 6% of what an H100 multiplies in bfloat16 at best
LATENCY, CALLS = 30e-6, 7  # seconds for a call between processes, in an iteration
MACHINE = 8  # GPUs
LINKS = {"inside a machine": 200e9, "between machines, 400 Gbit/s": 50e9, "between machines, 25 Gbit/s": 3e9}
CASES = {
    "r3gan, 64x64, batch 64": ("r3gan", (), 64),
    "r3gan, 256x256, batch 16": ("r3gan", ("batch_size=16",), 256),
    "photos of width 32, 64x64, batch 16": ("photos", ("networks.width=32",), 64),
    "photos of width 32, 256x256, batch 16": ("photos", ("networks.width=32",), 256),
}


def count(name: str, changes: tuple[str, ...], side: int) -> tuple[float, float]:
    """Return an iteration's operations, and the bytes of both players' gradients."""
    recipe = recipes.find(name)
    for each in changes:
        recipe = change(recipe, each)
    counted = change(recipe, "batch_size=2")
    split = Split(torch.randint(0, 256, (8, 3, side, side), dtype=torch.uint8))
    players = Players.build(counted, Source("noise", split, split), Engine(torch.device("cpu")), 0)
    flops = count_flops(players, counted, Source("noise", split, split)) * recipe.batch_size / 2
    return flops, 4.0 * sum(recipe.sizes((3, side, side), 0))


def main() -> None:
    """Compute the table."""
    table: dict[str, Any] = {}
    for case, about in CASES.items():
        flops, gradients = count(*about)
        computing = flops / SUSTAINED
        rows: dict[str, Any] = {
            "GFLOP an iteration and process": round(flops / 1e9),
            "MB of gradients": round(gradients / 1e6, 1),
            "ms of computing": round(1000 * computing, 2),
        }
        for link, speed in LINKS.items():
            for processes in (8, 64, 512):
                if (processes <= MACHINE) is (link == "inside a machine"):
                    sending = 2 * gradients * (processes - 1) / processes / speed + CALLS * LATENCY
                    rows[f"efficiency of {processes} GPUs, {link}"] = round(computing / (computing + sending), 3)
        table[case] = rows
    write("scale", f"{SUSTAINED / 1e12:g} TFLOP/s sustained, {LATENCY * 1e6:g} us a call; nothing is timed", table)


if __name__ == "__main__":
    main()
