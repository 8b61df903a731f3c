"""Section 3: early on, log(1 - D(G(z))) saturates, and the generator does better to maximise log D(G(z))."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor

from zerosum import randomness
from zerosum.algorithm import confront
from zerosum.catalog import name_of
from zerosum.data import Source, open_source
from zerosum.data.pixels import to_float
from zerosum.demonstrations import Demonstration, Shown, Table
from zerosum.demonstrations.drawing import FAINT, canvas, legend, png, tidy
from zerosum.engine import Engine
from zerosum.games import Minimax, NonSaturating
from zerosum.metrics.frechet import frechet_distance
from zerosum.networks.mlp import MLP
from zerosum.optimizers import SGD
from zerosum.players import Players
from zerosum.playing import build, played
from zerosum.recipes import Recipe

GAMES = (Minimax(), NonSaturating())
COLOURS = ("tab:red", "tab:green")
LOGITS = tuple(range(-8, 9, 2))
PROBES = 500
MOMENTS = 20  # looks at a training


class Moment(NamedTuple):
    """A generator after an iteration, by 500 of its samples.

    Attributes:
        judged_real: mean of D(G(z)).
        gradient: the norm of the gradient of the generator's loss.
        distance: the Fréchet distance to the test digits, in pixels.
    """

    iteration: int
    judged_real: float
    gradient: float
    distance: float


@dataclass(frozen=True)
class Saturation(Demonstration):
    """Both generator's losses as functions of the logit; then two trainings that differ in nothing else.

    Attributes:
        steps: iterations of each training.
        head_start: updates that D has alone before, so that it is good early in learning.
        width: of the networks' layers.
    """

    claim: ClassVar[str] = "log(1 - D) gives the generator no gradient while D rejects its samples, -log D does"
    paper: ClassVar[str] = "Goodfellow et al. 2014, section 3"
    steps: int = 300
    head_start: int = 100
    width: int = 64

    def show(self, seed: int) -> Shown:
        """The curves, and the trainings with and without a head start."""
        source = open_source("digits")
        held = [to_float(split.samples).flatten(1) for split in (source.train, source.test)]
        ahead, level = (
            {name_of(game): list(self.trained(game, source, start, seed)) for game in GAMES}
            for start in (self.head_start, 0)
        )
        starved, fed = ahead.values()
        half = len(fed) // 2
        return Shown(
            "D rejects a fake where its logit is far below 0. The first table shows what each of the generator's "
            "losses makes of that. Then two generators are trained on the built-in digits with the same first "
            "weights, batches and noise, by the paper's momentum descent; D is good from the start, because it "
            f"learned alone for {self.head_start} updates.",
            (curves(), _course(ahead), _ends({self.head_start: ahead, 0: level})),
            (
                f"At first D gives fakes {starved[0].judged_real:.4f}, and the gradient of log(1 - D) is "
                f"{fed[0].gradient / starved[0].gradient:.0f} times smaller than that of -log D. By iteration "
                f"{fed[half].iteration} the first generator's score has gone from {starved[0].distance:.1f} to "
                f"{starved[half].distance:.1f}, the other's to {fed[half].distance:.1f}.",
                "Without the head start D is not that good early on: it gives fakes "
                f"{level['minimax'][0].judged_real:.2f}, both gradients begin alike, and log(1 - D) need not do "
                f"worse: it ends at {level['minimax'][-1].distance:.1f}, -log D at "
                f"{level['non-saturating'][-1].distance:.1f}. The argument is about a D that wins.",
                "The score is the Fréchet distance between Gaussians fitted to the pixels of 500 samples and of the "
                f"test digits; the training digits score {frechet_distance(*held):.1f}.",
            ),
            png(_picture(ahead)),
        )

    def _look(self) -> int:
        return max(1, self.steps // MOMENTS)

    def trained(self, game: Minimax, source: Source, head_start: int, seed: int) -> Iterator[Moment]:
        """A training, looked at now and then."""
        recipe = Recipe(
            "saturation",
            networks=MLP(latent=16, width=self.width),
            game=game,
            generator=SGD(),
            discriminator=SGD(),
            average=0.0,
            precision="float32",
        )
        engine = Engine(torch.device("cpu"))
        players = build(recipe, source, engine, seed)
        for update in range(head_start):
            _teach(players, game, source, engine, recipe.batch_size, seed, update)
        yield _moment(0, players, game, source, seed)
        for iteration in played(players, recipe, source, engine, self.steps, seed):
            done = iteration.step + 1
            if done % self._look() == 0:
                yield _moment(done, players, game, source, seed)


def _teach(
    players: Players, game: Minimax, source: Source, engine: Engine, batch_size: int, seed: int, update: int
) -> None:
    """One update of D against a generator that waits."""
    with randomness.scope(seed, update, "head start"):
        real, _ = source.train.minibatch(batch_size, update, seed)
        codes = players.networks.draw_codes(batch_size, None, None, 0)
        seen, _ = confront(players, engine, 0.0, real, codes, None)
        players.discriminator.descend(game.discriminator_loss(seen.real_logits, seen.fake_logits), 0, 1)


def _moment(iteration: int, players: Players, game: Minimax, source: Source, seed: int) -> Moment:
    generator = players.generator.network
    with randomness.scope(seed, 0, "probe"):
        fakes: Tensor = generator(players.networks.draw_codes(PROBES, None, None, 0))
    logits: Tensor = players.discriminator.network(fakes)
    slopes = torch.autograd.grad(game.generator_loss(logits, logits), list(generator.parameters()))
    norm = math.sqrt(sum(float(slope.square().sum()) for slope in slopes))
    distance = frechet_distance(fakes.detach().flatten(1), to_float(source.test.samples).flatten(1))
    return Moment(iteration, float(logits.detach().sigmoid().mean()), norm, distance)


def curves() -> Table:
    """Both losses and their slopes at some logits, by the games themselves."""
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
        "log(1 - D)'s slope": ".4f",
        "-log D": ".4f",
        "-log D's slope": ".4f",
    }
    return Table("What the generator minimises, and its slope by the logit of D", columns, tuple(rows))


def _course(trainings: Mapping[str, Sequence[Moment]]) -> Table:
    saturating, other = trainings.values()
    chosen = [n for n in range(len(other)) if n % 2 == 0]
    columns = {"iteration": "d"}
    for name in ("log(1 - D)", "-log D"):
        columns |= {f"{name}\nD(G(z))": ".4f", f"{name}\ngradient": ".3f", f"{name}\nscore": ".1f"}
    rows = tuple((other[n].iteration, *saturating[n][1:], *other[n][1:]) for n in chosen)
    return Table("Two trainings with a head start for D; a smaller score is better", columns, rows)


def _ends(trainings: Mapping[int, Mapping[str, Sequence[Moment]]]) -> Table:
    rows = tuple(
        (
            start,
            *(moments[-1].distance for moments in games.values()),
            *(moments[0].gradient for moments in games.values()),
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


def _picture(trainings: Mapping[str, Sequence[Moment]]) -> Figure:
    figure = canvas(11, 6)
    (losses, slopes), (gradients, scores) = figure.subplots(2, 2)
    logits = torch.linspace(-8, 8, 200)
    for colour, name, loss, slope in (
        (COLOURS[0], "log(1 - D)", -torch.nn.functional.softplus(logits), -logits.sigmoid()),
        (COLOURS[1], "-log D", torch.nn.functional.softplus(-logits), -(-logits).sigmoid()),
    ):
        losses.plot(logits, loss, color=colour, label=name)
        slopes.plot(logits, slope, color=colour, label=name)
    for axes, title, height in ((losses, "What the generator minimises", 0.3), (slopes, "Its slope", 0.5)):
        axes.axvspan(-8, -4, color=FAINT, alpha=0.2, linewidth=0)
        axes.text(0.06, height, "D rejects", fontsize=8, transform=axes.transAxes)
        tidy(axes, title, "logit of D(G(z))")
        legend(axes, loc="right", bbox_to_anchor=(1, 1 - height))
    for colour, moments in zip(COLOURS, trainings.values(), strict=True):
        iterations = [moment.iteration for moment in moments]
        gradients.semilogy(iterations, [moment.gradient for moment in moments], color=colour)
        scores.plot(iterations, [moment.distance for moment in moments], color=colour)
    tidy(gradients, "On the digits: norm of the generator's gradient", "iteration")
    tidy(scores, "On the digits: Fréchet distance in pixels, lower is better", "iteration")
    scores.set_ylim(bottom=0)
    return figure
