"""A recipe put to work on data: its two players, Algorithm 1 between them, and how fast that is here."""

import time
from collections.abc import Iterator
from itertools import islice

import torch
from torch import nn

from zerosum import randomness
from zerosum.algorithm import Iteration, play
from zerosum.data import Source
from zerosum.engine import Engine
from zerosum.optimizers import Optimizer
from zerosum.players import Player, Players
from zerosum.recipes import Recipe
from zerosum.regularizers import Regularizer

PROBE_SHARE, PROBE_SECONDS, PROBE_WARMUP = 0.03, (3.0, 20.0), 3


def build(recipe: Recipe, source: Source, engine: Engine, seed: int) -> Players:
    """Both players of `recipe` for the samples of `source`, freshly initialised.

    Raises:
        InputError: two parts of the recipe do not go together, or one cannot serve the samples.
    """
    recipe.check(source)

    def player(network: nn.Module, settings: Optimizer, *regularizers: Regularizer) -> Player:
        placed = engine.place(network)
        return Player(placed, settings.over(placed.parameters()), settings, regularizers)

    generator, discriminator = recipe.networks.pair(source.shape, source.classes, seed)
    recipe.networks.acquaint(generator, discriminator, source.train.samples)
    with randomness.scope(seed, 0, "regularizers"):
        for regularizer in recipe.regularizers:
            regularizer.prepare(discriminator)
    return Players(
        player(generator, recipe.generator),
        player(discriminator, recipe.discriminator, *recipe.regularizers),
        recipe.networks,
        source.classes,
        recipe.tricks,
    )


def played(
    players: Players, recipe: Recipe, source: Source, engine: Engine, steps: int, seed: int, start: int = 0
) -> Iterator[Iteration]:
    """Algorithm 1 as `recipe` wants it played, from iteration `start` to `steps`."""
    return play(
        players,
        recipe.game,
        source.train,
        engine,
        batch_size=recipe.batch_size,
        discriminator_steps=recipe.discriminator_steps,
        steps=steps,
        seed=seed,
        start=start,
        simultaneous=recipe.simultaneous,
    )


def limit_threads(recipe: Recipe) -> None:
    """To what the recipe asks for, if it does."""
    if recipe.threads is not None:
        torch.set_num_threads(recipe.threads)


def steps_in(minutes: float, recipe: Recipe, source: Source, engine: Engine) -> int:
    """How many iterations take `minutes` here, from a probe with players that are thrown away: 3% of it, 3 to 20 s."""
    shortest, longest = PROBE_SECONDS
    enough = min(max(shortest, PROBE_SHARE * minutes * 60), longest)
    limit_threads(recipe)
    players = build(recipe, source, engine, seed=0)
    iterations = played(players, recipe, source, engine, steps=10**9, seed=0)

    def seconds(count: int) -> float:
        """Of so many iterations; the device is waited for at their end only, as it is in training."""
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
