"""How fast a recipe is here: a probe that turns minutes into iterations."""

import time
from itertools import islice

import torch

from zerosum.data import Source
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe

PROBE_SHARE, PROBE_SECONDS, PROBE_WARMUP = 0.03, (3.0, 20.0), 3


def limit_threads(recipe: Recipe) -> None:
    """Set the number of CPU threads that the recipe asks for, if it asks for one."""
    if recipe.threads is not None:
        torch.set_num_threads(recipe.threads)


def steps_in(minutes: float, recipe: Recipe, source: Source, engine: Engine) -> int:
    """Estimate how many iterations take `minutes` here, with players that are thrown away: 3% of it, 3 to 20 s."""
    shortest, longest = PROBE_SECONDS
    enough = min(max(shortest, PROBE_SHARE * minutes * 60), longest)
    limit_threads(recipe)
    players = Players.build(recipe, source, engine, seed=0)
    iterations = play(players, recipe, source.train, steps=10**9, seed=0)

    def seconds(count: int) -> float:
        """Time `count` iterations; wait for the device at their end only, as training does."""
        began = time.monotonic()
        for iteration in islice(iterations, count):
            latest = iteration.generator_loss
        latest.item()
        return time.monotonic() - began

    seconds(PROBE_WARMUP)
    count, taken = 1, seconds(1)
    while taken < enough:
        taken += seconds(count)
        count *= 2
    return max(1, int(minutes * 60 * count / taken))
