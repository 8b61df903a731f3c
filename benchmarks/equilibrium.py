"""The duality gap through runs on the ring, beside the Jensen-Shannon divergence of what the generator makes.

Usage: python benchmarks/equilibrium.py [SEED...]. Earlier figures with other seeds are kept.

Three recipes: `points`, the default for points, `toy`, and `toy-vanilla`, the game of 2014 alone. After each of a dozen
numbers of iterations copies of both players look for something better, as `zerosum equilibrium` does. The divergence is
between the data's density and 100,000 samples, both blurred by a Gaussian of width 0.1, by a sum over a lattice.
"""

import math
import sys

import numpy as np
import torch
from protocol import read_figures, write
from scipy.ndimage import gaussian_filter
from scipy.special import rel_entr
from scipy.stats import spearmanr
from torch import Tensor

from zerosum import randomness
from zerosum.data import Source
from zerosum.data.distributions import Mixture
from zerosum.data.readers import open_source
from zerosum.equilibrium.duality_gap import measure_duality_gap
from zerosum.equilibrium.zero_sum_game import Protocol, ZeroSumGame
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe
from zerosum.recipes import find

STEPS, SAMPLES = 4_000, 100_000
BLUR, CELL, REACH = 0.1, 0.025, 6.0
COLLAPSE = (3, 30, 300, 3_000)
EDGES = np.arange(-REACH, REACH + CELL / 2, CELL)
MEASURED_AT = (1, 30, 60, 100, 200, 300, 450, 700, 1_000, 1_500, 2_200, 3_000, 4_000)


def divergence(samples: Tensor, density: Mixture) -> float:
    """Compute the Jensen-Shannon divergence of the blurred distributions, in nats.

    Points beyond the lattice are moved to its rim.
    """
    counts, _, _ = np.histogram2d(*samples.clamp(-REACH + CELL / 2, REACH - CELL / 2).T.numpy(), bins=EDGES)
    fake = gaussian_filter(counts / len(samples), BLUR / CELL, mode="constant")
    blurred = Mixture(density.means, math.hypot(density.sigma, BLUR))
    middles = torch.from_numpy((EDGES[:-1] + EDGES[1:]) / 2)
    real = blurred.log_density(torch.cartesian_prod(middles, middles)).exp().reshape(fake.shape).numpy() * CELL**2
    real[real < np.finfo(float).tiny] = 0  # half of such a number is 0, which has no logarithm
    mixture = (real + fake) / 2
    return float(0.5 * (rel_entr(real, mixture).sum() + rel_entr(fake, mixture).sum()))


def sample_points(players: Players) -> Tensor:
    """Draw points from the generator as it stands."""
    with torch.no_grad(), randomness.scope(0, 0, "divergence"):
        return players.generate(None, SAMPLES)


def measure(players: Players, recipe: Recipe, source: Source, seed: int) -> dict[str, object]:
    """Measure gap and divergence of the players as they stand."""
    assert source.density is not None
    found = measure_duality_gap(ZeroSumGame.build(players, recipe, source.test, Protocol(), seed))
    return {
        "gap": round(found.gap.value, 4),
        "interval": [round(found.gap.low, 4), round(found.gap.high, 4)],
        "D gains": round(found.discriminator_gain.value, 4),
        "G gains": round(found.generator_gain.value, 4),
        "JSD": round(divergence(sample_points(players), source.density), 4),
    }


def measure_run(name: str, source: Source, seed: int) -> dict[str, object]:
    """Train one run, measure gap and divergence on the way, and how well they rank together; then let it collapse.

    For the collapse the discriminator stops learning, and the generator goes on alone.
    """
    recipe, moments = find(name), {}
    players = Players.build(recipe, source, Engine(torch.device("cpu")), seed)
    for iteration in play(players, recipe, source.train, steps=STEPS, seed=seed):
        if iteration.step + 1 in MEASURED_AT:
            moments[iteration.step + 1] = measure(players, recipe, source, seed)
            print(name, seed, iteration.step + 1, moments[iteration.step + 1], flush=True)
    gaps, divergences = ([each[key] for each in moments.values()] for key in ("gap", "JSD"))
    rank = float(spearmanr(gaps, divergences).statistic)
    alone = {}
    for update in range(COLLAPSE[-1]):
        with randomness.scope(seed, update, "collapse"):
            real, _ = source.train.minibatch(recipe.batch_size, update, seed)
            fake = players.generate(None, recipe.batch_size)
            answer = players.discriminate_fakes(real, fake, None, 1.0, relativistic=recipe.game.relativistic)
            players.generator.step(recipe.game.generator_loss(answer.real_logits, answer.fake_logits), 0, STEPS)
        if update + 1 in COLLAPSE:
            alone[update + 1] = measure(players, recipe, source, seed)
            print(name, seed, "collapse", update + 1, alone[update + 1], flush=True)
    return {
        "rank correlation of gap and JSD": round(rank, 3),
        "moments": moments,
        "after updates of the generator alone": alone,
    }


def main(*seeds: str) -> None:
    """Measure every recipe with every seed."""
    torch.set_num_threads(1)
    source = open_source("ring")
    assert source.density is not None
    figures = read_figures("equilibrium")
    figures["JSD of real points"] = round(divergence(source.train.samples, source.density), 4)
    for seed in map(int, seeds or ("0",)):
        for name in ("points", "toy", "toy-vanilla"):
            figures[f"{name}, seed {seed}"] = measure_run(name, source, seed)
            write("equilibrium", f"{STEPS} iterations on the ring; Protocol(): {Protocol()}", figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
