"""Theorem 1: the game's value is least where the generator's distribution is the data's, and nowhere else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from zerosum import randomness
from zerosum.data import Source
from zerosum.data.distributions import Mixture, make_gaussian
from zerosum.data.readers import open_source
from zerosum.demonstrations import Demonstration, Findings, Table
from zerosum.demonstrations.densities import DensityPair
from zerosum.demonstrations.drawing import (
    DATA,
    DISCRIMINATOR,
    FAINT,
    GENERATOR,
    add_legend,
    create_figure,
    encode_gif,
    encode_png,
    label_axes,
)
from zerosum.demonstrations.small_networks import build_discriminator, build_players
from zerosum.game.algorithm import play
from zerosum.game.losses import Minimax
from zerosum.game.optimizers import Adam
from zerosum.game.recipe import Recipe
from zerosum.networks.mlp import MLP

MEANS, DEVIATIONS = (1.0, 2.0, 3.0, 4.0, 5.0), (0.5, 1.0, 2.0)
START = 0.0, 0.5  # the generator's first mean and deviation
PLACES = torch.linspace(-1, 7, 161)  # where D is evaluated for the pictures
ROWS, FRAMES = 10, 40
WIDTH = 3  # deviations to each side of the data's mean, which hold 99.7% of them


class Snapshot(NamedTuple):
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
class Equilibrium(Demonstration, name="equilibrium"):
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

    def show(self, seed: int) -> Findings:
        """Tabulate the family, play the game, and compute the equilibrium itself."""
        source = open_source("gaussian")
        snapshots, discriminator = self.train(source, seed)
        last, shown = snapshots[-1], [snapshots[round(n * (len(snapshots) - 1) / ROWS)] for n in range(ROWS + 1)]
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
            tuple(tuple(snapshot[:-1]) for snapshot in shown),
        )
        return Findings(
            "The data are N(3, 1). The generators are G(z) = a z + b, so that p_g is N(b, |a|) exactly, and C(G) and "
            "V can be computed. D is a small network that sees samples only.",
            (tabulate_family(), game, tabulate_equilibrium(discriminator)),
            (
                "In the first table C(G) is -log 4 = -1.3863 at one place, mean 3 and deviation 1, and higher "
                "elsewhere.",
                f"The game ends there by itself: mean {last.mean:.3f}, deviation {last.deviation:.3f}, V(D, G) = "
                f"{last.value:.4f}, and D answers {last.lowest:.3f} to {last.highest:.3f} within two deviations of "
                "the data's mean: it cannot tell any more. What is left is the noise of samples.",
                "The third table takes that noise away: p_g is set to p_data, and the trained D climbs V itself, "
                "computed from the densities.",
            ),
            encode_png(_draw_picture(snapshots)),
            _draw_movie(snapshots),
        )

    def train(self, source: Source, seed: int) -> tuple[list[Snapshot], nn.Module]:
        """Play the game, and return snapshots of its course and the D at its end."""
        generator = nn.Linear(1, 1)
        with torch.no_grad():
            generator.bias.fill_(START[0])
            generator.weight.fill_(START[1])
        with randomness.scope(seed, 0, "discriminator"):
            discriminator = build_discriminator(1, 32)
        recipe = Recipe(
            "equilibrium",
            networks=MLP(latent=1),
            game=Minimax(),
            generator_optimizer=Adam(lr=1e-2, beta1=0.0, beta2=0.99, decay_from=0.4),
            discriminator_optimizer=Adam(lr=5e-3, beta1=0.0, beta2=0.99, decay_from=0.4),
            batch_size=self.batch_size,
            discriminator_steps=self.discriminator_steps,
        )
        players = build_players(generator, discriminator, recipe)
        snapshots = [_take_snapshot(0, generator, discriminator)]
        for iteration in play(players, recipe, source.train, steps=self.steps, seed=seed):
            done = iteration.step + 1
            if done * FRAMES // self.steps > iteration.step * FRAMES // self.steps:
                snapshots.append(_take_snapshot(done, generator, discriminator))
        return snapshots, discriminator


def normal(mean: float, deviation: float) -> Mixture:
    """Create N(mean, deviation) on the line."""
    return Mixture(torch.tensor([[mean]]), deviation)


@torch.no_grad()
def _take_snapshot(iteration: int, generator: nn.Linear, discriminator: nn.Module) -> Snapshot:
    mean, deviation = float(generator.bias), float(generator.weight.abs())
    densities = DensityPair.on_lattice(make_gaussian(), normal(mean, deviation))
    answers = discriminator(PLACES[:, None]).sigmoid()
    near = answers[(PLACES - 3).abs() <= 2]
    return Snapshot(
        iteration,
        mean,
        deviation,
        densities.divergence,
        densities.value_of(discriminator),
        float(near.min()),
        float(near.max()),
        answers,
    )


def tabulate_family() -> Table:
    """Tabulate C(G) of Gaussian generators."""
    rows: tuple[tuple[str | float, ...], ...] = tuple(
        (f"{mean:.0f}", *(_criterion(mean, deviation) for deviation in DEVIATIONS)) for mean in MEANS
    )
    return Table(
        "C(G) in nats, of generators N(mean, deviation)",
        {"mean": "", **{f"deviation {deviation}": ".4f" for deviation in DEVIATIONS}},
        rows,
    )


def _criterion(mean: float, deviation: float) -> float:
    """Compute C(G) of the generator whose p_g is N(mean, deviation)."""
    return DensityPair.on_lattice(make_gaussian(), normal(mean, deviation)).criterion


def tabulate_equilibrium(discriminator: nn.Module) -> Table:
    """Tabulate V and D where p_g = p_data, before and after D has climbed V on the densities instead of on samples.

    `discriminator` is changed: it is turned into float64 and trained.
    """
    densities, discriminator = DensityPair.on_lattice(make_gaussian(), make_gaussian()), discriminator.double()
    near = (densities.points[:, 0] - 3).abs() <= WIDTH

    def measure(name: str) -> tuple[str | float, ...]:
        with torch.no_grad():
            logits = discriminator(densities.points)
        value, error = densities.value(logits), float((logits.sigmoid() - 0.5).abs()[near].max())
        return name, value, value + math.log(4), error

    rows = [measure("as the game left it")]
    optimizer = torch.optim.LBFGS(
        discriminator.parameters(),
        max_iter=500,
        tolerance_grad=1e-12,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def compute_loss() -> Tensor:
        optimizer.zero_grad()
        loss = -densities.objective(discriminator(densities.points))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(compute_loss)  # type: ignore[no-untyped-call]
    rows.append(measure("after climbing V"))
    columns = {"D": "", "V(D, G)": ".6f", "V + log 4": ".1e", "max |D - 1/2|": ".1e"}
    return Table(f"Exactly at p_g = p_data; D over {WIDTH} deviations to each side", columns, tuple(rows))


def _draw_picture(snapshots: Sequence[Snapshot]) -> Figure:
    figure = create_figure(11, 4)
    plane, right = figure.subplots(1, 2)
    _draw_landscape(plane, figure)
    plane.plot([s.mean for s in snapshots], [s.deviation for s in snapshots], ".-", color=GENERATOR, label="the game")
    add_legend(plane, loc="upper right")
    iterations = [s.iteration for s in snapshots]
    right.axhline(-math.log(4), color=FAINT, linewidth=0.8)
    right.plot(iterations, [s.value for s in snapshots], color=DISCRIMINATOR, label="V(D, G)")
    right.plot(iterations, [2 * s.divergence - math.log(4) for s in snapshots], color=GENERATOR, label="C(G)")
    right.fill_between(
        iterations,
        [s.lowest for s in snapshots],
        [s.highest for s in snapshots],
        color=DISCRIMINATOR,
        alpha=0.25,
        linewidth=0,
        label="D's answers",
    )
    right.axhline(0.5, color=FAINT, linewidth=0.8)
    right.set_yticks([-math.log(4), -1, -0.5, 0, 0.5, 1], ["-log 4", "-1.0", "-0.5", "0.0", "1/2", "1.0"])
    label_axes(right, "The value falls to -log 4, D narrows to 1/2", "iteration")
    add_legend(right, loc="center right")
    return figure


def _draw_landscape(axes: Any, figure: Figure) -> None:
    """Draw C(G) over mean and deviation, with its minimum."""
    means, deviations = torch.linspace(-0.5, 5.5, 25), torch.linspace(0.3, 2.5, 23)
    heights = [[_criterion(float(mean), float(deviation)) for mean in means] for deviation in deviations]
    filled = axes.contourf(means, deviations, heights, levels=14, cmap="Greys_r", alpha=0.6)
    figure.colorbar(filled, ax=axes, label="nats").ax.tick_params(labelsize=8)
    axes.plot(3, 1, "+", color="tab:red", markersize=12, markeredgewidth=2, label="p_g = p_data")
    label_axes(axes, "C(G) of G(z) = a z + b", "mean", "deviation")


def _draw_movie(snapshots: Sequence[Snapshot]) -> bytes:
    """Draw the densities and D's answer through the game."""
    figure = create_figure(6, 3.5)
    axes: Any = figure.subplots()
    axes.axhline(0.5, color=FAINT, linewidth=0.6)
    axes.plot(PLACES, make_gaussian().log_density(PLACES[:, None]).exp(), ":", color=DATA, label="p_data")
    (p_g,) = axes.plot([], [], color=GENERATOR, label="p_g")
    (answer,) = axes.plot([], [], "--", color=DISCRIMINATOR, label="D")
    axes.set(xlim=(float(PLACES[0]), float(PLACES[-1])), ylim=(-0.02, 1.02))
    label_axes(axes, "iteration 0", "x")
    add_legend(axes, loc="upper right")

    def show(snapshot: Snapshot) -> None:
        axes.set_title(f"iteration {snapshot.iteration}: V(D, G) = {snapshot.value:.3f}", loc="left", fontsize=10)
        p_g.set_data(PLACES, normal(snapshot.mean, snapshot.deviation).log_density(PLACES[:, None]).exp())
        answer.set_data(PLACES, snapshot.answers)

    return encode_gif(figure, snapshots, show)
