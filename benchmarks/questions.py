"""What learners ask, measured on the built-in digits: docs/questions.md says what the figures mean.

Usage: python benchmarks/questions.py

The base is the recipe `compact` at width 16 on the 8x8 digits, 1,500 iterations, no average, three seeds; each variant
changes one thing. Scores are the Fréchet distance in the features that `zerosum evaluate` takes for digits and
the coverage, of 2,000 samples of the generator as it is played (no average), against the held-out digits. Losses are
means over the run; of the loops written out, those of the last minibatch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from protocol import write
from scipy.stats import spearmanr

from zerosum import randomness
from zerosum.data import Source, open_source
from zerosum.engine import Engine
from zerosum.games import Minimax
from zerosum.gan import GAN
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.frechet import FrechetDistance
from zerosum.metrics.neighbours import Neighbours
from zerosum.networks.compact import Compact
from zerosum.players import Players
from zerosum.playing import build, played
from zerosum.recipes import Recipe, find

STEPS, SEEDS, SAMPLES, LINES = 1_500, (0, 1, 2), 2_000, 30
BASE = replace(find("compact"), networks=Compact(width=16), precision="float32", average=0.0, threads=1)
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
    WEAK: replace(BASE, discriminator=replace(BASE.discriminator, lr=2e-5)),
}


@dataclass(frozen=True)
class Moment:
    """The players after some iterations."""

    step: int
    discriminator_loss: float
    generator_loss: float
    frechet: float
    coverage: float


def scores(players: Players, source: Source, evaluation: Evaluation, engine: Engine) -> tuple[float, float]:
    """Fréchet distance and coverage of the generator as it stands."""
    gan = GAN(players.generator.network, players.networks, source.shape, {}, engine, {})
    found = evaluation.scores(gan.sample(SAMPLES, seed=1), 0, [FrechetDistance(), Neighbours()], training=True)
    values = {score.metric: score.value for score in found}
    return values["frechet-distance"], values["coverage"]


def moments(recipe: Recipe, source: Source, evaluation: Evaluation, seed: int, every: int) -> Iterator[Moment]:
    """A training, looked at every so many iterations; losses are means over those."""
    engine = Engine.choose("cpu", recipe.precision)
    players, steps = build(recipe, source, engine, seed), min(recipe.steps, STEPS)
    losses: list[tuple[torch.Tensor, torch.Tensor]] = []
    for iteration in played(players, recipe, source, engine, steps, seed):
        losses.append((iteration.discriminator_loss, iteration.generator_loss))
        if (iteration.step + 1) % every == 0:
            of_d, of_g = (float(torch.stack(each).mean()) for each in zip(*losses, strict=True))
            losses.clear()
            yield Moment(iteration.step + 1, of_d, of_g, *scores(players, source, evaluation, engine))


def unfrozen(source: Source, evaluation: Evaluation, seed: int, *, frozen: bool) -> Moment:
    """The base's loop written out; unless `frozen`, the generator's loss also moves the discriminator's parameters.

    The losses of the result are those of the last minibatch.
    """
    engine = Engine.choose("cpu", "float32")
    players = build(BASE, source, engine, seed)
    (g, of_g), (d, of_d) = ((each.network, each.optimizer) for each in (players.generator, players.discriminator))
    for step in range(STEPS):
        real = source.train.minibatch(BASE.batch_size, step, seed).samples
        with randomness.scope(seed, step, "questions"):
            codes = [players.networks.draw_codes(BASE.batch_size, None, None, 0) for _ in range(2)]
        of_d.zero_grad()
        d_loss = F.softplus(-d(real)).mean() + F.softplus(d(g(codes[0]).detach())).mean()
        d_loss.backward()
        of_d.step()
        for optimizer in (of_g, of_d):
            optimizer.zero_grad()
        g_loss = F.softplus(-d(g(codes[1]))).mean()
        g_loss.backward()
        of_g.step()
        if not frozen:
            of_d.step()
    return Moment(STEPS, d_loss.item(), g_loss.item(), *scores(players, source, evaluation, engine))


def in_words(runs: list[Moment], losses: str) -> str:
    """The seeds' values side by side; `losses` says of when the losses are."""

    def listed(value: Callable[[Moment], float], digits: int) -> str:
        return ", ".join(f"{value(run):.{digits}f}" for run in runs)

    return (
        f"Fréchet distance {listed(lambda run: run.frechet, 1)}; coverage {listed(lambda run: run.coverage, 2)}; "
        f"{losses} D loss {listed(lambda run: run.discriminator_loss, 2)}, "
        f"{losses} G loss {listed(lambda run: run.generator_loss, 2)}"
    )


def through(recipe: Recipe, source: Source, evaluation: Evaluation) -> dict[str, object]:
    """Whether the losses or the scores say when to stop: ranks over the moments of a run, for each seed."""
    found: dict[str, object] = {}
    for seed in SEEDS:
        seen = list(moments(recipe, source, evaluation, seed, STEPS // LINES))
        distances = [moment.frechet for moment in seen]
        best = min(seen, key=lambda moment: moment.frechet)
        found[f"seed {seed}"] = {
            "rank correlation of the Fréchet distance with the G loss": round(
                float(spearmanr(distances, [moment.generator_loss for moment in seen]).statistic), 2
            ),
            "with the D loss": round(
                float(spearmanr(distances, [moment.discriminator_loss for moment in seen]).statistic), 2
            ),
            "best": f"{best.frechet:.1f} after {best.step}",
            "last": f"{distances[-1]:.1f}",
            "every 150 iterations: G loss, Fréchet distance": [
                f"{moment.generator_loss:.2f}, {moment.frechet:.1f}" for moment in seen[2::3]
            ],
        }
    return found


def main() -> None:
    """Every variant, every seed."""
    torch.set_num_threads(1)
    source = open_source("digits")
    evaluation = Evaluation.of(source)
    figures: dict[str, object] = {"features": evaluation.features.name}
    for name, recipe in VARIANTS.items():
        steps = min(recipe.steps, STEPS)
        runs = [list(moments(recipe, source, evaluation, seed, steps))[-1] for seed in SEEDS]
        figures[name] = in_words(runs, "mean")
        write("questions", __doc__ or "", figures)
    for frozen in (True, False):
        runs = [unfrozen(source, evaluation, seed, frozen=frozen) for seed in SEEDS]
        figures["D frozen in G's update" if frozen else "D moved by G's update too"] = in_words(runs, "last")
    figures["through the base's runs"] = through(BASE, source, evaluation)
    figures["through the runs with a weak discriminator"] = through(VARIANTS[WEAK], source, evaluation)
    write("questions", __doc__ or "", figures)


if __name__ == "__main__":
    main()
