"""Measure on the built-in digits what learners ask; docs/questions.md says what the figures mean.

Usage: python benchmarks/questions.py

The base is the recipe `compact` at width 16, without R1 and in batches of 32, on the 8x8 digits, 1,500 iterations, no
average, three seeds; each variant changes one thing. Scores are the Fréchet distance in the features that `zerosum
evaluate` takes for digits and the coverage, of 2,000 samples of the generator in play (no average), against the held-
out digits. Losses are means over the run; of the loops written out, those of the last minibatch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from protocol import write
from scipy.stats import spearmanr

from zerosum import randomness
from zerosum.data import Source
from zerosum.data.readers import open_source
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.losses import Minimax
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe
from zerosum.generator import TrainedGenerator
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.frechet import FrechetDistance
from zerosum.metrics.neighbours import Neighbours
from zerosum.networks.compact import Compact
from zerosum.recipes import find

STEPS, SEEDS, SAMPLES, LINES = 1_500, (0, 1, 2), 2_000, 30
AS_IT_WAS = replace(find("compact"), regularizers=(), batch_size=32)  # when these were measured
BASE = replace(AS_IT_WAS, networks=Compact(width=16), precision="float32", ema_decay=0.0, threads=1)
WEAK = "a weak discriminator (learning rate / 50)"
VARIANTS = {
    "base": BASE,
    "the generator minimises log(1 - D)": replace(BASE, game=Minimax()),
    "1-dimensional noise": replace(BASE, networks=Compact(latent=1, width=16)),
    "2-dimensional noise": replace(BASE, networks=Compact(latent=2, width=16)),
    "8-dimensional noise": replace(BASE, networks=Compact(latent=8, width=16)),
    "1,024-dimensional noise": replace(BASE, networks=Compact(latent=1024, width=16)),
    "k = 5": replace(BASE, discriminator_steps=5),
    "k = 5, a fifth of the iterations": replace(BASE, discriminator_steps=5, steps=STEPS // 5),
    WEAK: replace(BASE, discriminator_optimizer=replace(BASE.discriminator_optimizer, lr=2e-5)),
}


@dataclass(frozen=True)
class Snapshot:
    """Losses and scores of the players after some iterations."""

    step: int
    discriminator_loss: float
    generator_loss: float
    frechet: float
    coverage: float


def score(players: Players, source: Source, evaluation: Evaluation) -> tuple[float, float]:
    """Measure Fréchet distance and coverage of the generator as it stands."""
    network, networks = players.generator.network, players.networks
    generator = TrainedGenerator(network, networks, source.shape, {}, players.engine, {})
    found = evaluation.scores(generator.sample(SAMPLES, seed=1), 0, [FrechetDistance(), Neighbours()], training=True)
    values = {each.metric: each.value for each in found}
    return values["frechet-distance"], values["coverage"]


def train(recipe: Recipe, source: Source, evaluation: Evaluation, seed: int, every: int) -> Iterator[Snapshot]:
    """Train, and yield a snapshot every so many iterations; its losses are means over those."""
    players = Players.build(recipe, source, Engine.choose("cpu", recipe.precision), seed)
    steps = min(recipe.steps, STEPS)
    losses: list[tuple[torch.Tensor, torch.Tensor]] = []
    for iteration in play(players, recipe, source.train, steps=steps, seed=seed):
        losses.append((iteration.discriminator_loss, iteration.generator_loss))
        if (iteration.step + 1) % every == 0:
            d_loss, g_loss = (float(torch.stack(each).mean()) for each in zip(*losses, strict=True))
            losses.clear()
            yield Snapshot(iteration.step + 1, d_loss, g_loss, *score(players, source, evaluation))


def train_written_out(source: Source, evaluation: Evaluation, seed: int, *, frozen: bool) -> Snapshot:
    """Train the base in a loop written out; unless `frozen`, G's loss also moves D's parameters.

    The losses of the snapshot are those of the last minibatch.
    """
    players = Players.build(BASE, source, Engine.choose("cpu", "float32"), seed)
    (g, optimizer_g), (d, optimizer_d) = (
        (each.network, each.optimizer) for each in (players.generator, players.discriminator)
    )
    for step in range(STEPS):
        real = source.train.minibatch(BASE.batch_size, step, seed).samples
        with randomness.scope(seed, step, "questions"):
            latents = [players.networks.sample_latents(BASE.batch_size, None, None, 0) for _ in range(2)]
        optimizer_d.zero_grad()
        d_loss = F.softplus(-d(real)).mean() + F.softplus(d(g(latents[0]).detach())).mean()
        d_loss.backward()
        optimizer_d.step()
        for optimizer in (optimizer_g, optimizer_d):
            optimizer.zero_grad()
        g_loss = F.softplus(-d(g(latents[1]))).mean()
        g_loss.backward()
        optimizer_g.step()
        if not frozen:
            optimizer_d.step()
    return Snapshot(STEPS, d_loss.item(), g_loss.item(), *score(players, source, evaluation))


def summarize(runs: list[Snapshot], losses: str) -> str:
    """Put the seeds' values side by side; `losses` is `mean` or `last`."""

    def join(value: Callable[[Snapshot], float], digits: int) -> str:
        return ", ".join(f"{value(run):.{digits}f}" for run in runs)

    return (
        f"Fréchet distance {join(lambda run: run.frechet, 1)}; coverage {join(lambda run: run.coverage, 2)}; "
        f"{losses} D loss {join(lambda run: run.discriminator_loss, 2)}, "
        f"{losses} G loss {join(lambda run: run.generator_loss, 2)}"
    )


def rank_losses(recipe: Recipe, source: Source, evaluation: Evaluation) -> dict[str, object]:
    """Correlate the ranks of losses and scores over the snapshots of a run, for each seed: do they say when to stop?"""
    found: dict[str, object] = {}
    for seed in SEEDS:
        snapshots = list(train(recipe, source, evaluation, seed, STEPS // LINES))
        distances = [each.frechet for each in snapshots]
        best = min(snapshots, key=lambda each: each.frechet)
        found[f"seed {seed}"] = {
            "rank correlation of the Fréchet distance with the G loss": round(
                float(spearmanr(distances, [each.generator_loss for each in snapshots]).statistic), 2
            ),
            "with the D loss": round(
                float(spearmanr(distances, [each.discriminator_loss for each in snapshots]).statistic), 2
            ),
            "best": f"{best.frechet:.1f} after {best.step}",
            "last": f"{distances[-1]:.1f}",
            "every 150 iterations: G loss, Fréchet distance": [
                f"{each.generator_loss:.2f}, {each.frechet:.1f}" for each in snapshots[2::3]
            ],
        }
    return found


def main() -> None:
    """Measure every variant with every seed."""
    torch.set_num_threads(1)
    source = open_source("digits")
    evaluation = Evaluation.of(source)
    figures: dict[str, object] = {"features": evaluation.features.name}
    for name, recipe in VARIANTS.items():
        steps = min(recipe.steps, STEPS)
        runs = [list(train(recipe, source, evaluation, seed, steps))[-1] for seed in SEEDS]
        figures[name] = summarize(runs, "mean")
        write("questions", __doc__ or "", figures)
    for frozen in (True, False):
        runs = [train_written_out(source, evaluation, seed, frozen=frozen) for seed in SEEDS]
        figures["D frozen in G's update" if frozen else "D moved by G's update too"] = summarize(runs, "last")
    figures["through the base's runs"] = rank_losses(BASE, source, evaluation)
    figures["through the runs with a weak discriminator"] = rank_losses(VARIANTS[WEAK], source, evaluation)
    write("questions", __doc__ or "", figures)


if __name__ == "__main__":
    main()
