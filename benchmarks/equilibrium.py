"""The duality gap through runs on the ring, beside the Jensen-Shannon divergence of what the generator makes.

Usage: python benchmarks/equilibrium.py [SEED...]

Two games: the recipe `toy`, which converges, and `toy-vanilla`, which loses modes. At each of a dozen moments copies of
both players look for something better, as `zerosum equilibrium` does. The divergence is between data and 5,000 samples,
both blurred by a Gaussian of width 0.1, by a sum over a lattice.
"""

import math
import sys

import torch
from protocol import write
from scipy.stats import spearmanr

from zerosum import randomness
from zerosum.data import Source, open_source
from zerosum.data.mixture import Mixture
from zerosum.diagnostics.contest import Contest, Protocol
from zerosum.diagnostics.equilibrium import equilibrium
from zerosum.engine import Engine
from zerosum.players import Players
from zerosum.recipes import find
from zerosum.run import build, played
from zerosum.theory import Matchup

STEPS, SAMPLES, BLUR = 4_000, 5_000, 0.1
MOMENTS = (1, 30, 60, 100, 200, 300, 450, 700, 1_000, 1_500, 2_200, 3_000, 4_000)


def divergence(players: Players, source: Source) -> float:
    """The Jensen-Shannon divergence of the blurred distributions, in nats."""
    assert source.density is not None
    with torch.no_grad(), randomness.scope(0, 0, "divergence"):
        made = players.generator.network(players.networks.draw_codes(SAMPLES, None, None, 0))
    real = Mixture(source.density.means, math.hypot(source.density.sigma, BLUR))
    return Matchup.of(real, Mixture(made, BLUR)).divergence


def through(name: str, source: Source, seed: int) -> dict[str, object]:
    """One run: gap and divergence at every moment, and how well they rank together."""
    recipe, engine, moments = find(name), Engine(torch.device("cpu")), {}
    players = build(recipe, source, engine, seed)
    for iteration in played(players, recipe, source, engine, STEPS, seed):
        if iteration.step + 1 not in MOMENTS:
            continue
        contest = Contest.over(players, recipe.game, engine, source.test, recipe.batch_size, Protocol(), seed)
        found = equilibrium(contest)
        moments[iteration.step + 1] = {
            "gap": round(found.gap.value, 4),
            "interval": [round(found.gap.low, 4), round(found.gap.high, 4)],
            "D gains": round(found.discriminator_gain.value, 4),
            "G gains": round(found.generator_gain.value, 4),
            "JSD": round(divergence(players, source), 4),
        }
        print(name, seed, iteration.step + 1, moments[iteration.step + 1], flush=True)
    gaps, divergences = ([moment[key] for moment in moments.values()] for key in ("gap", "JSD"))
    rank = float(spearmanr(gaps, divergences).statistic)
    return {"rank correlation of gap and JSD": round(rank, 3), "moments": moments}


def main(*seeds: str) -> None:
    """Both games, every seed."""
    torch.set_num_threads(1)
    source = open_source("ring")
    assert source.density is not None
    real = Mixture(source.density.means, math.hypot(source.density.sigma, BLUR))
    floor = Matchup.of(real, Mixture(source.train.samples[:SAMPLES], BLUR)).divergence
    figures: dict[str, object] = {"JSD of 5,000 real points": round(floor, 4)}
    for seed in map(int, seeds or ("0",)):
        for name in ("toy", "toy-vanilla"):
            figures[f"{name}, seed {seed}"] = through(name, source, seed)
            write("equilibrium", f"{STEPS} iterations on the ring; Protocol(): {Protocol()}", figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
