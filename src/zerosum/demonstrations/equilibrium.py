"""Theorem 1: the game's value is least where the generator's distribution is the data's, and nowhere else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from zerosum import randomness
from zerosum.algorithm import play
from zerosum.data import Source, open_source
from zerosum.data.mixture import Mixture
from zerosum.data.toy import gaussian
from zerosum.demonstrations import Demonstration, Shown, Table
from zerosum.demonstrations.drawing import DATA, DISCRIMINATOR, FAINT, GENERATOR, canvas, gif, legend, png, tidy
from zerosum.demonstrations.small import discriminator, player
from zerosum.engine import Engine
from zerosum.games import Minimax
from zerosum.networks.mlp import MLP
from zerosum.optimizers import Adam
from zerosum.players import Players
from zerosum.theory import Matchup

MEANS, DEVIATIONS = (1.0, 2.0, 3.0, 4.0, 5.0), (0.5, 1.0, 2.0)
START = 0.0, 0.5  # the generator's first mean and deviation
PLACES = torch.linspace(-1, 7, 161)  # where D is looked at for the pictures
ROWS, FRAMES = 10, 40
WIDTH = 3  # deviations to each side of the data's mean, which hold 99.7% of them


class Moment(NamedTuple):
    """Both players after an iteration.

    Attributes:
        mean: of p_g, which is Gaussian.
        deviation: of p_g.
        divergence: JSD(p_data, p_g) in nats.
        value: V(D, G).
        lowest: D's lowest answer where the data are, within two standard deviations of their mean.
        highest: its highest one there.
        answers: D at PLACES.
    """

    iteration: int
    mean: float
    deviation: float
    divergence: float
    value: float
    lowest: float
    highest: float
    answers: Tensor


@dataclass(frozen=True)
class Equilibrium(Demonstration):
    """C(G) over a family of generators; then the game, played by a generator of that family.

    Attributes:
        steps: iterations of the game.
        discriminator_steps: k of Algorithm 1: more than one keeps D near its optimum, as Proposition 2 supposes.
        batch_size: samples of each kind.
    """

    claim: ClassVar[str] = "C(G) is least, -log 4, only where p_g = p_data; there D = 1/2, and the game ends there"
    paper: ClassVar[str] = "Goodfellow et al. 2014, Theorem 1 and Proposition 2"
    steps: int = 600
    discriminator_steps: int = 5
    batch_size: int = 256

    def show(self, seed: int) -> Shown:
        """The family, the game, and the equilibrium itself."""
        source = open_source("gaussian")
        moments, judge = self.played(source, seed)
        last, shown = moments[-1], [moments[round(n * (len(moments) - 1) / ROWS)] for n in range(ROWS + 1)]
        game = Table(
            "The minimax game of eq. 1, played from N(0, 0.5)",
            {
                "iteration": "d",
                "mean": ".3f",
                "deviation": ".3f",
                "JSD": ".5f",
                "V(D, G)": ".4f",
                "D from": ".3f",
                "to": ".3f",
            },
            tuple(tuple(moment[:-1]) for moment in shown),
        )
        return Shown(
            "The data are N(3, 1). The generators are G(z) = a z + b, so that p_g is N(b, |a|) exactly, and C(G) and "
            "V can be computed. D is a small network that sees samples only.",
            (family(), game, settled(judge)),
            (
                "In the first table C(G) is -log 4 = -1.3863 at one place, mean 3 and deviation 1, and higher "
                "elsewhere.",
                f"The game ends there by itself: mean {last.mean:.3f}, deviation {last.deviation:.3f}, V(D, G) = "
                f"{last.value:.4f}, and D answers {last.lowest:.3f} to {last.highest:.3f} within two deviations of "
                "the data's mean: it cannot tell any more. What is left is the noise of samples.",
                "The third table takes that noise away: p_g is set to p_data, and the trained D climbs V itself, "
                "computed from the densities.",
            ),
            png(_picture(moments)),
            _movie(moments),
        )

    def played(self, source: Source, seed: int) -> tuple[list[Moment], nn.Module]:
        """The game's course, and D at its end."""
        generator = nn.Linear(1, 1)
        with torch.no_grad():
            generator.bias.fill_(START[0])
            generator.weight.fill_(START[1])
        with randomness.scope(seed, 0, "discriminator"):
            judge = discriminator(1, 32)
        adam = Adam(lr=1e-2, beta1=0.0, beta2=0.99, decay_from=0.4)
        players = Players(player(generator, adam), player(judge, Adam(5e-3, 0.0, 0.99, 0.4)), MLP(latent=1))
        moments = [_moment(0, generator, judge)]
        for iteration in play(
            players,
            Minimax(),
            source.train,
            Engine(torch.device("cpu")),
            batch_size=self.batch_size,
            discriminator_steps=self.discriminator_steps,
            steps=self.steps,
            seed=seed,
        ):
            done = iteration.step + 1
            if done * FRAMES // self.steps > iteration.step * FRAMES // self.steps:
                moments.append(_moment(done, generator, judge))
        return moments, judge


def normal(mean: float, deviation: float) -> Mixture:
    """N(mean, deviation) on the line."""
    return Mixture(torch.tensor([[mean]]), deviation)


@torch.no_grad()
def _moment(iteration: int, generator: nn.Linear, judge: nn.Module) -> Moment:
    mean, deviation = float(generator.bias), float(generator.weight.abs())
    match = Matchup.of(gaussian(), normal(mean, deviation))
    answers = judge(PLACES[:, None]).sigmoid()
    near = answers[(PLACES - 3).abs() <= 2]
    value = match.value_of(judge)
    return Moment(iteration, mean, deviation, match.divergence, value, float(near.min()), float(near.max()), answers)


def family() -> Table:
    """C(G) of Gaussian generators."""
    rows: tuple[tuple[str | float, ...], ...] = tuple(
        (f"{mean:.0f}", *(Matchup.of(gaussian(), normal(mean, deviation)).criterion for deviation in DEVIATIONS))
        for mean in MEANS
    )
    return Table(
        "C(G) in nats, of generators N(mean, deviation)",
        {"mean": "", **{f"deviation {deviation}": ".4f" for deviation in DEVIATIONS}},
        rows,
    )


def settled(judge: nn.Module) -> Table:
    """V and D where p_g = p_data: before and after D has climbed V on the densities instead of on samples."""
    match, judge = Matchup.of(gaussian(), gaussian()), judge.double()
    near = (match.points[:, 0] - 3).abs() <= WIDTH

    def row(name: str) -> tuple[str | float, ...]:
        with torch.no_grad():
            logits = judge(match.points)
        value, error = match.value(logits), float((logits.sigmoid() - 0.5).abs()[near].max())
        return name, value, value + math.log(4), error

    rows = [row("as the game left it")]
    optimizer = torch.optim.LBFGS(
        judge.parameters(), max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-15, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = -match.objective(judge(match.points))
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    rows.append(row("after climbing V"))
    columns = {"D": "", "V(D, G)": ".6f", "V + log 4": ".1e", "max |D - 1/2|": ".1e"}
    return Table(f"Exactly at p_g = p_data; D over {WIDTH} deviations to each side", columns, tuple(rows))


def _picture(moments: Sequence[Moment]) -> Figure:
    figure = canvas(11, 4)
    plane, right = figure.subplots(1, 2)
    _landscape(plane, figure)
    plane.plot([m.mean for m in moments], [m.deviation for m in moments], ".-", color=GENERATOR, label="the game")
    legend(plane, loc="upper right")
    iterations = [m.iteration for m in moments]
    right.axhline(-math.log(4), color=FAINT, linewidth=0.8)
    right.plot(iterations, [m.value for m in moments], color=DISCRIMINATOR, label="V(D, G)")
    right.plot(iterations, [2 * m.divergence - math.log(4) for m in moments], color=GENERATOR, label="C(G)")
    right.fill_between(
        iterations,
        [m.lowest for m in moments],
        [m.highest for m in moments],
        color=DISCRIMINATOR,
        alpha=0.25,
        linewidth=0,
        label="D's answers",
    )
    right.axhline(0.5, color=FAINT, linewidth=0.8)
    right.set_yticks([-math.log(4), -1, -0.5, 0, 0.5, 1], ["-log 4", "-1.0", "-0.5", "0.0", "1/2", "1.0"])
    tidy(right, "The value falls to -log 4, D narrows to 1/2", "iteration")
    legend(right, loc="center right")
    return figure


def _landscape(axes: Any, figure: Figure) -> None:
    """C(G) over mean and deviation, with its minimum."""
    means, deviations = torch.linspace(-0.5, 5.5, 25), torch.linspace(0.3, 2.5, 23)
    heights = [
        [Matchup.of(gaussian(), normal(float(mean), float(deviation))).criterion for mean in means]
        for deviation in deviations
    ]
    filled = axes.contourf(means, deviations, heights, levels=14, cmap="Greys_r", alpha=0.6)
    figure.colorbar(filled, ax=axes, label="nats").ax.tick_params(labelsize=8)
    axes.plot(3, 1, "+", color="tab:red", markersize=12, markeredgewidth=2, label="p_g = p_data")
    tidy(axes, "C(G) of G(z) = a z + b", "mean", "deviation")


def _movie(moments: Sequence[Moment]) -> bytes:
    """The densities and D's answer through the game."""
    figure = canvas(6, 3.5)
    axes: Any = figure.subplots()
    axes.axhline(0.5, color=FAINT, linewidth=0.6)
    axes.plot(PLACES, gaussian().log_density(PLACES[:, None]).exp(), ":", color=DATA, label="p_data")
    (p_g,) = axes.plot([], [], color=GENERATOR, label="p_g")
    (answer,) = axes.plot([], [], "--", color=DISCRIMINATOR, label="D")
    axes.set(xlim=(float(PLACES[0]), float(PLACES[-1])), ylim=(-0.02, 1.02))
    tidy(axes, "iteration 0", "x")
    legend(axes, loc="upper right")

    def show(moment: Moment) -> None:
        axes.set_title(f"iteration {moment.iteration}: V(D, G) = {moment.value:.3f}", loc="left", fontsize=10)
        p_g.set_data(PLACES, normal(moment.mean, moment.deviation).log_density(PLACES[:, None]).exp())
        answer.set_data(PLACES, moment.answers)

    return gif(figure, moments, show)
