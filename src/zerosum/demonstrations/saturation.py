"""Section 3: early on, log(1 - D(G(z))) saturates, and the generator does better to maximise log D(G(z))."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor

from zerosum import randomness
from zerosum.catalog import name_of
from zerosum.data import Source, to_float
from zerosum.data.readers import open_source
from zerosum.demonstrations import Demonstration, Findings, Table
from zerosum.demonstrations.drawing import FAINT, add_legend, create_figure, encode_png, label_axes
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.losses import Minimax, NonSaturating
from zerosum.game.optimizers import SGD
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe
from zerosum.metrics.frechet import frechet_distance
from zerosum.networks.mlp import MLP

GAMES = (Minimax(), NonSaturating())
COLOURS = ("tab:red", "tab:green")
LOGITS = tuple(range(-8, 9, 2))
PROBES = 500
SNAPSHOTS = 20  # of a training


class Snapshot(NamedTuple):
    """A generator after an iteration, measured on 500 of its samples.

    Attributes:
        iteration: the number of iterations done.
        d_of_g: mean of D(G(z)).
        gradient: the norm of the gradient of the generator's loss.
        distance: the Fréchet distance to the test digits, in pixels.
    """

    iteration: int
    d_of_g: float
    gradient: float
    distance: float


@dataclass(frozen=True)
class Saturation(Demonstration, name="saturation"):
    """Both generator's losses as functions of the logit; then two trainings that differ in nothing else.

    Attributes:
        steps: the number of iterations of each training.
        head_start: updates of D alone before, so that it is good early in learning.
        width: of the networks' layers.
    """

    claim: ClassVar[str] = "log(1 - D) gives the generator no gradient while D rejects its samples, -log D does"
    paper: ClassVar[str] = "Goodfellow et al. 2014, section 3"
    steps: int = 300
    head_start: int = 100
    width: int = 64

    def show(self, seed: int) -> Findings:
        """Tabulate the curves, and train with and without a head start."""
        source = open_source("digits")
        real = [to_float(split.samples).flatten(1) for split in (source.train, source.test)]
        ahead, level = (
            {name_of(game): list(self.train(game, source, start, seed)) for game in GAMES}
            for start in (self.head_start, 0)
        )
        starved, fed = ahead.values()
        half = len(fed) // 2
        return Findings(
            "D rejects a fake where its logit is far below 0. The first table shows what each of the generator's "
            "losses makes of that. Then two generators are trained on the built-in digits with the same first "
            "weights, batches and noise, by the paper's momentum descent; D is good from the start, because it "
            f"learned alone for {self.head_start} updates.",
            (tabulate_curves(), _tabulate_course(ahead), _tabulate_ends({self.head_start: ahead, 0: level})),
            (
                f"At first D gives fakes {starved[0].d_of_g:.4f}, and the gradient of log(1 - D) is "
                f"{fed[0].gradient / starved[0].gradient:.0f} times smaller than that of -log D. By iteration "
                f"{fed[half].iteration} the first generator's score has gone from {starved[0].distance:.1f} to "
                f"{starved[half].distance:.1f}, the other's to {fed[half].distance:.1f}.",
                "Without the head start D is not that good early on: it gives fakes "
                f"{level['minimax'][0].d_of_g:.2f}, both gradients begin alike, and log(1 - D) need not do "
                f"worse: it ends at {level['minimax'][-1].distance:.1f}, -log D at "
                f"{level['non-saturating'][-1].distance:.1f}. The argument is about a D that wins.",
                "The score is the Fréchet distance between Gaussians fitted to the pixels of 500 samples and of the "
                f"test digits; the training digits score {frechet_distance(*real):.1f}.",
            ),
            encode_png(_draw_picture(ahead)),
        )

    def train(self, game: Minimax, source: Source, head_start: int, seed: int) -> Iterator[Snapshot]:
        """Train, and yield a snapshot at the start and at equal distances."""
        every = max(1, self.steps // SNAPSHOTS)
        recipe = Recipe(
            "saturation",
            networks=MLP(latent=16, width=self.width),
            game=game,
            generator_optimizer=SGD(),
            discriminator_optimizer=SGD(),
            ema_decay=0.0,
            precision="float32",
        )
        players = Players.build(recipe, source, Engine(torch.device("cpu")), seed)
        for update in range(head_start):
            _update_discriminator(players, recipe, source, seed, update)
        yield _take_snapshot(0, players, game, source, seed)
        for iteration in play(players, recipe, source.train, steps=self.steps, seed=seed):
            done = iteration.step + 1
            if done % every == 0:
                yield _take_snapshot(done, players, game, source, seed)


def _update_discriminator(players: Players, recipe: Recipe, source: Source, seed: int, update: int) -> None:
    """Update D once against a generator that is held still."""
    with players.random(seed, update, "head start"):
        real, labels = players.real_batch(source.train, recipe.batch_size, update, seed)
        with torch.no_grad():
            fake = players.generate(labels, recipe.batch_size)
        out = players.discriminate(real, fake, labels, done=0.0)
        players.discriminator.step(recipe.discriminator_loss(out), 0, 1)


def _take_snapshot(iteration: int, players: Players, game: Minimax, source: Source, seed: int) -> Snapshot:
    generator = players.generator.network
    with randomness.scope(seed, 0, "probe"):
        fakes: Tensor = generator(players.networks.sample_latents(PROBES, None, None, 0))
    logits: Tensor = players.discriminator.network(fakes)
    gradients = torch.autograd.grad(game.generator_loss(logits, logits), list(generator.parameters()))
    norm = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))
    distance = frechet_distance(fakes.detach().flatten(1), to_float(source.test.samples).flatten(1))
    return Snapshot(iteration, float(logits.detach().sigmoid().mean()), norm, distance)


def tabulate_curves() -> Table:
    """Tabulate both losses and their gradients at some logits, computed by the games themselves."""
    rows = []
    for value in LOGITS:
        cells: list[float] = [value, 1 / (1 + math.exp(-value))]
        for game in GAMES:
            logit = torch.tensor([float(value)], dtype=torch.float64, requires_grad=True)
            loss = game.generator_loss(logit, logit)
            cells += [float(loss.detach()), float(torch.autograd.grad(loss, logit)[0])]
        rows.append(tuple(cells))
    columns = {
        "logit": "d",
        "D": ".4f",
        "log(1 - D)": ".4f",
        "log(1 - D)'s gradient": ".4f",
        "-log D": ".4f",
        "-log D's gradient": ".4f",
    }
    return Table("What the generator minimises, and its gradient by the logit of D", columns, tuple(rows))


def _tabulate_course(trainings: Mapping[str, Sequence[Snapshot]]) -> Table:
    saturating, other = trainings.values()
    chosen = [n for n in range(len(other)) if n % 2 == 0]
    columns = {"iteration": "d"}
    for name in ("log(1 - D)", "-log D"):
        columns |= {f"{name}\nD(G(z))": ".4f", f"{name}\ngradient": ".3f", f"{name}\nscore": ".1f"}
    rows = tuple((other[n].iteration, *saturating[n][1:], *other[n][1:]) for n in chosen)
    return Table("Two trainings with a head start for D; a smaller score is better", columns, rows)


def _tabulate_ends(trainings: Mapping[int, Mapping[str, Sequence[Snapshot]]]) -> Table:
    rows = tuple(
        (
            start,
            *(snapshots[-1].distance for snapshots in games.values()),
            *(snapshots[0].gradient for snapshots in games.values()),
        )
        for start, games in trainings.items()
    )
    columns = {
        "head start": "d",
        "log(1 - D)\nlast score": ".1f",
        "-log D\nlast score": ".1f",
        "log(1 - D)\nfirst gradient": ".3f",
        "-log D\nfirst gradient": ".3f",
    }
    return Table("With and without D's head start", columns, rows)


def _draw_picture(trainings: Mapping[str, Sequence[Snapshot]]) -> Figure:
    figure = create_figure(11, 6)
    (losses, gradients), (norms, scores) = figure.subplots(2, 2)
    logits = torch.linspace(-8, 8, 200)
    for colour, name, loss, gradient in (
        (COLOURS[0], "log(1 - D)", -torch.nn.functional.softplus(logits), -logits.sigmoid()),
        (COLOURS[1], "-log D", torch.nn.functional.softplus(-logits), -(-logits).sigmoid()),
    ):
        losses.plot(logits, loss, color=colour, label=name)
        gradients.plot(logits, gradient, color=colour, label=name)
    for axes, title, height in ((losses, "What the generator minimises", 0.3), (gradients, "Its gradient", 0.5)):
        axes.axvspan(-8, -4, color=FAINT, alpha=0.2, linewidth=0)
        axes.text(0.06, height, "D rejects", fontsize=8, transform=axes.transAxes)
        label_axes(axes, title, "logit of D(G(z))")
        add_legend(axes, loc="right", bbox_to_anchor=(1, 1 - height))
    for colour, snapshots in zip(COLOURS, trainings.values(), strict=True):
        iterations = [snapshot.iteration for snapshot in snapshots]
        norms.semilogy(iterations, [snapshot.gradient for snapshot in snapshots], color=colour)
        scores.plot(iterations, [snapshot.distance for snapshot in snapshots], color=colour)
    label_axes(norms, "On the digits: norm of the generator's gradient", "iteration")
    label_axes(scores, "On the digits: Fréchet distance in pixels, lower is better", "iteration")
    scores.set_ylim(bottom=0)
    return figure
