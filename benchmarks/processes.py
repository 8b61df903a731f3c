"""Two processes of one thread beside one process of two threads, and what the seam between processes costs one.

Usage: python benchmarks/processes.py, with nothing beside it

(a) Images a second of three recipes, ROUNDS times in turn: by torchrun in two processes, each of which plays one of two
parts of a minibatch, and in one process that plays it whole. (b) The calls by which `algorithm.py` would talk to other
processes, all of an iteration in one process, over the time of an iteration.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from protocol import write

from zerosum import recipes
from zerosum.data import Source, Split
from zerosum.game.algorithm import play
from zerosum.game.distributed import ALONE, Reduction, join
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe, change

ROUNDS, WARM, SECONDS, IMAGES, REPEATED = 5, 3, 6.0, 512, 10_000
CASES = {  # a recipe, changes, channels and side of the images
    "compact of width 8, 28x28": ("compact", ("networks.width=8",), 1, 28),
    "photos of width 16, 64x64": ("photos", ("networks.width=16",), 3, 64),
    "dcgan, 32x32": ("dcgan", (), 3, 32),
}
TORCHRUN = str(Path(sys.executable).with_name("torchrun"))


def prepare(name: str, parts: int) -> tuple[Recipe, Source]:
    """Return the recipe of a case, its minibatches in so many parts, and noise to train on."""
    base, changes, channels, side = CASES[name]
    recipe = recipes.find(base)
    for each in (*changes, f"accumulate={parts}"):
        recipe = change(recipe, each)
    rng = torch.Generator().manual_seed(0)
    split = Split(torch.randint(0, 256, (IMAGES, channels, side, side), generator=rng, dtype=torch.uint8))
    return recipe, Source("noise", split, split)


def work(name: str, processes: int, iterations: int) -> None:
    """Play in this process, one of so many; the first one prints how many seconds the iterations took."""
    torch.set_num_threads(1 if processes == 2 else 2)
    team = join()
    recipe, source = prepare(name, processes)
    players = Players.build(recipe, source, Engine(torch.device("cpu")), 0, team)
    loop = play(players, recipe, source.train, steps=10**9, seed=0)
    list(islice(loop, WARM))
    began = time.monotonic()
    for _ in islice(loop, iterations):
        team.tell(False) if team.rank == 0 else team.hear()  # as the trainer does
    if team.rank == 0:
        print(json.dumps(time.monotonic() - began))
    team.leave()


def measure(name: str, processes: int, iterations: int) -> float:
    """Return how many images a second so many processes see."""
    launcher = [sys.executable] if processes == 1 else [TORCHRUN, "--nproc-per-node", str(processes)]
    call = [*launcher, __file__, "work", name, str(processes), str(iterations)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1" if processes == 2 else "2"}
    done = subprocess.run(call, check=True, env=environment, stdout=subprocess.PIPE, text=True)
    return iterations * prepare(name, 1)[0].batch_size / float(json.loads(done.stdout))


def compare(name: str) -> dict[str, Any]:
    """Compare both, round by round."""
    pilot = 5
    iterations = max(pilot, round(SECONDS * measure(name, 1, pilot) / prepare(name, 1)[0].batch_size))
    rates = [(measure(name, 2, iterations), measure(name, 1, iterations)) for _ in range(ROUNDS)]
    ratios = sorted(two / one for two, one in rates)
    return {
        "images a second": {
            "two processes": round(statistics.median(two for two, _ in rates), 1),
            "one process, two threads": round(statistics.median(one for _, one in rates), 1),
        },
        "ratio: smallest, median, largest": [
            round(each, 3) for each in (ratios[0], statistics.median(ratios), ratios[-1])
        ],
    }


def measure_seam(name: str) -> dict[str, float]:
    """Time, on one thread, an iteration and those of its calls that have a meaning for several processes only."""
    torch.set_num_threads(1)
    recipe, source = prepare(name, 1)
    players = Players.build(recipe, source, Engine(torch.device("cpu")), 0)
    loop = play(players, recipe, source.train, steps=10**9, seed=0)
    first = next(loop)
    rows = [[first.discriminator_loss, first.penalty, first.real_logits, first.fake_logits]]
    took = []
    for _ in range(20):
        began = time.perf_counter()
        next(loop)
        took.append(time.perf_counter() - began)
    began = time.perf_counter()
    for _ in range(REPEATED):
        for _ in range(2):  # both players
            reduction: Reduction = ALONE.reduction(())
            list(players.parts)
            reduction.keep()
            reduction.add_up()
            players.join(rows)
        ALONE.tell(False)
    seam = (time.perf_counter() - began) / REPEATED
    iteration = statistics.median(took)
    return {
        "microseconds": round(1e6 * seam, 1),
        "iteration, ms": round(1e3 * iteration, 2),
        "share": round(seam / iteration, 5),
    }


def main() -> None:
    """Measure all cases."""
    write(
        "processes",
        f"two threads in all; {ROUNDS} rounds of some {SECONDS:g} s each, in turn; float32; images lie in memory",
        {name: {**compare(name), "seam": measure_seam(name)} for name in CASES},
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        work(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
