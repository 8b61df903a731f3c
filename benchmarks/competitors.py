"""How fast the loop is while other processes keep the cores busy, by threads and by how threads wait.

Usage: python benchmarks/competitors.py

Each case is a process of its own, beside 0, 1, 2 or 4 processes that only count: iterations a second of the digits
(8x8) and of colour images of 64x64 at width 8, in bfloat16, with all threads, with all threads that sleep while they
wait (OMP_WAIT_POLICY=passive), and with one.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import reduce
from itertools import islice

import torch
from protocol import AS_IT_WAS, write

from zerosum import recipes
from zerosum.data import Source, Split
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import change

SECONDS, WARM_UP = 4.0, 3
COMPETITORS = (0, 1, 2, 4)
CASES = {"digits 8x8": ("digits", (1, 8, 8)), "compact 64x64, width 8": ("compact", (3, 64, 64))}


def measure(case: str, threads: int) -> float:
    """Return the iterations a second of this process."""
    name, shape = CASES[case]
    split = Split(torch.randint(0, 256, (2_000, *shape), dtype=torch.uint8))
    changes = (*AS_IT_WAS, *(["networks.width=8"] if "width" in case else []))
    recipe = reduce(change, changes, recipes.find(name))
    engine = Engine(torch.device("cpu"), bfloat16=True, threads=threads)
    engine.use_threads()
    players = Players.build(recipe, Source("noise", split, split), engine, seed=0)
    iterations = play(players, recipe, split, steps=10**9, seed=0)
    for _ in islice(iterations, WARM_UP):
        pass
    began, count = time.monotonic(), 0
    while time.monotonic() - began < SECONDS:
        next(iterations)
        count += 1
    return count / (time.monotonic() - began)


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep so many processes counting."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()


def main() -> None:
    """Run all cases, each in a process of its own."""
    everything = torch.get_num_threads()
    ways = {f"{everything} threads": (everything, {}), "1 thread": (1, {})}
    ways[f"{everything} threads, passive"] = (everything, {"OMP_WAIT_POLICY": "passive"})
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for case in CASES:
        for count in COMPETITORS:
            row = figures.setdefault(case, {}).setdefault(f"beside {count}", {})
            for way, (threads, variables) in ways.items():
                with busy(count):
                    done = subprocess.run(
                        [sys.executable, __file__, case, str(threads)],
                        env={**os.environ, **variables},
                        check=True,
                        capture_output=True,
                        text=True,
                    )
                row[way] = round(float(done.stdout), 2)
    write("competitors", f"iterations a second, over {SECONDS:g} s of each case, one after the other", figures)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(measure(sys.argv[1], int(sys.argv[2])))
    else:
        main()
