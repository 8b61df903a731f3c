"""The duality gap through runs on the ring, beside the Jensen-Shannon divergence of what the generator makes.

Usage: python benchmarks/equilibrium.py [SEED...]. What was measured earlier with other seeds is kept.

Three recipes: `points`, the default for points, `toy`, and `toy-vanilla`, the game of 2014 alone. At each of a dozen
moments copies of both players look for something better, as `zerosum equilibrium` does. The divergence is between the
data's density and 100,000 samples, both blurred by a Gaussian of width 0.1, by a sum over a lattice.
"""

import json
import math
import sys

import numpy as np
import torch
from protocol import RESULTS, write
from scipy.ndimage import gaussian_filter
from scipy.special import rel_entr
from scipy.stats import spearmanr
from torch import Tensor

from zerosum import randomness
from zerosum.algorithm import generator_loss
from zerosum.data import Source, open_source
from zerosum.data.mixture import Mixture
from zerosum.diagnostics.contest import Contest, Protocol
from zerosum.diagnostics.equilibrium import equilibrium
from zerosum.engine import Engine
from zerosum.players import Players
from zerosum.playing import build, played
from zerosum.recipes import Recipe, find

STEPS, SAMPLES = 4_000, 100_000
BLUR, CELL, REACH = 0.1, 0.025, 6.0
COLLAPSE = (3, 30, 300, 3_000)
EDGES = np.arange(-REACH, REACH + CELL / 2, CELL)
MOMENTS = (1, 30, 60, 100, 200, 300, 450, 700, 1_000, 1_500, 2_200, 3_000, 4_000)


def divergence(samples: Tensor, density: Mixture) -> float:
    """The Jensen-Shannon divergence of the blurred distributions, in nats; points beyond the lattice are at its rim."""
    counts, _, _ = np.histogram2d(*samples.clamp(-REACH + CELL / 2, REACH - CELL / 2).T.numpy(), bins=EDGES)
    fake = gaussian_filter(counts / len(samples), BLUR / CELL, mode="constant")
    blurred = Mixture(density.means, math.hypot(density.sigma, BLUR))
    middles = torch.from_numpy((EDGES[:-1] + EDGES[1:]) / 2)
    real = blurred.log_density(torch.cartesian_prod(middles, middles)).exp().reshape(fake.shape).numpy() * CELL**2
    real[real < np.finfo(float).tiny] = 0  # half of such a number is 0, which has no logarithm
    mixture = (real + fake) / 2
    return float(0.5 * (rel_entr(real, mixture).sum() + rel_entr(fake, mixture).sum()))


def generated(players: Players) -> Tensor:
    """Points of the generator as it stands."""
    with torch.no_grad(), randomness.scope(0, 0, "divergence"):
        points: Tensor = players.generator.network(players.networks.draw_codes(SAMPLES, None, None, 0))
    return points


def moment(players: Players, recipe: Recipe, source: Source, engine: Engine, seed: int) -> dict[str, object]:
    """Gap and divergence of the players as they stand."""
    assert source.density is not None
    found = equilibrium(Contest.over(players, recipe.game, engine, source.test, recipe.batch_size, Protocol(), seed))
    return {
        "gap": round(found.gap.value, 4),
        "interval": [round(found.gap.low, 4), round(found.gap.high, 4)],
        "D gains": round(found.discriminator_gain.value, 4),
        "G gains": round(found.generator_gain.value, 4),
        "JSD": round(divergence(generated(players), source.density), 4),
    }


def through(name: str, source: Source, seed: int) -> dict[str, object]:
    """One run: gap and divergence at every moment, and how well they rank together; then a collapse.

    For the collapse the discriminator stops learning, and the generator goes on alone.
    """
    recipe, engine, moments = find(name), Engine(torch.device("cpu")), {}
    players = build(recipe, source, engine, seed)
    for iteration in played(players, recipe, source, engine, STEPS, seed):
        if iteration.step + 1 in MOMENTS:
            moments[iteration.step + 1] = moment(players, recipe, source, engine, seed)
            print(name, seed, iteration.step + 1, moments[iteration.step + 1], flush=True)
    gaps, divergences = ([each[key] for each in moments.values()] for key in ("gap", "JSD"))
    rank = float(spearmanr(gaps, divergences).statistic)
    alone = {}
    for update in range(COLLAPSE[-1]):
        with randomness.scope(seed, update, "collapse"):
            real, _ = source.train.minibatch(recipe.batch_size, update, seed)
            codes = players.networks.draw_codes(recipe.batch_size, None, None, 0)
            loss = generator_loss(players, recipe.game, engine, 1.0, real, codes, None)
            players.generator.descend(loss, 0, STEPS)
        if update + 1 in COLLAPSE:
            alone[update + 1] = moment(players, recipe, source, engine, seed)
            print(name, seed, "collapse", update + 1, alone[update + 1], flush=True)
    return {
        "rank correlation of gap and JSD": round(rank, 3),
        "moments": moments,
        "after updates of the generator alone": alone,
    }


def main(*seeds: str) -> None:
    """Every recipe, every seed."""
    torch.set_num_threads(1)
    source = open_source("ring")
    assert source.density is not None
    earlier = RESULTS / "equilibrium.json"
    figures: dict[str, object] = json.loads(earlier.read_text())["figures"] if earlier.exists() else {}
    figures["JSD of real points"] = round(divergence(source.train.samples, source.density), 4)
    for seed in map(int, seeds or ("0",)):
        for name in ("points", "toy", "toy-vanilla"):
            figures[f"{name}, seed {seed}"] = through(name, source, seed)
            write("equilibrium", f"{STEPS} iterations on the ring; Protocol(): {Protocol()}", figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
