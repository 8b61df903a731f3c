"""The Dirac-GAN of Mescheder et al. (2018): the smallest game that shows which methods converge.

The data are a point at 0, the generator is a point theta, the discriminator's logit is psi x; at the equilibrium both
parameters are 0.
"""

import cmath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from zerosum import randomness
from zerosum.demonstrations import Demonstration, Findings, Table
from zerosum.demonstrations.drawing import FAINT, add_legend, create_figure, encode_gif, encode_png, label_axes
from zerosum.game.losses import Game, Minimax, NonSaturating, Wasserstein
from zerosum.game.predictions import DiscriminatorPass
from zerosum.game.regularizers import GradientNorm, GradientPenalty, Regularizer, WeightClipping, total_penalty

STEP, UPDATES = 0.2, 500
ARRIVED = 1e-3  # nearer to the equilibrium than this
LAPS, STEADY = 100, 0.1  # updates over which the distance is averaged; the largest change of it on a circle
QUANTILES = 200
FAR, NEAR = 4.2, 2.4  # how much of the plane is drawn, with simultaneous updates and without
TAIL, TURNS = 30, 90  # updates whose trail a frame shows; updates that a movie shows one by one, nearly
COLOURS = ("tab:red", "tab:orange", "tab:brown", "tab:pink", "tab:purple", "tab:green", "tab:blue")


@dataclass(frozen=True)
class Method:
    """One way to play the game.

    Attributes:
        name: as the table has it.
        noise: sigma of the instance noise on both kinds of samples; 0 for none.
        damping: minus the eigenvalues' real part while they are complex: gamma / 2 for R1, -f''(0) sigma^2 for noise.
            None where there is no formula.
    """

    name: str
    game: Game
    regularizers: tuple[Regularizer, ...] = ()
    noise: float = 0.0
    damping: float | None = None

    @property
    def eigenvalue(self) -> complex | None:
        """Of the gradient field's Jacobian at the equilibrium, the one that decides.

        -damping + sqrt(damping^2 - f'(0)^2), with f(t) = -log(1 + exp(-t)), f'(0) = 1/2 and f''(0) = -1/4 (Mescheder et
        al. 2018).
        """
        return None if self.damping is None else -self.damping + cmath.sqrt(self.damping**2 - 0.25)


METHODS = (
    Method("minimax", Minimax(), damping=0),
    Method("non-saturating", NonSaturating(), damping=0),
    Method("wasserstein, clipped at 1", Wasserstein(), (WeightClipping(limit=1.0),)),
    Method("wasserstein, gradient penalty", Wasserstein(), (GradientPenalty(weight=0.7, target=1.0),)),
    Method("minimax, instance noise 0.7", Minimax(), noise=0.7, damping=0.7**2 / 4),
    Method("non-saturating, R1 0.3", NonSaturating(), (GradientNorm(samples="real", gamma=0.3),), damping=0.15),
    Method("non-saturating, R1 1", NonSaturating(), (GradientNorm(samples="real", gamma=1.0),), damping=0.5),
)


def simulate(method: Method, *, alternating: bool, seed: int = 0) -> Tensor:
    """Play 500 updates of both players with step 0.2 from (1, 1), and return (theta, psi) after each; float64 [501, 2].

    The updates are simultaneous, or `alternating` with the discriminator first. Instance noise enters as an
    expectation: over evenly spaced quantiles of the normal distribution instead of over draws from it.
    """
    discriminator = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    nn.init.ones_(discriminator.weight)
    psi, theta = discriminator.weight, torch.ones(1, 1, dtype=torch.float64, requires_grad=True)
    noise = method.noise * _compute_quantiles() if method.noise else torch.zeros(1, 1, dtype=torch.float64)

    def predict(samples: Tensor) -> Tensor:
        logits: Tensor = discriminator(samples)
        return logits.flatten()

    def gradient_of_d(update: int) -> Tensor:
        real, fake = (each.detach().requires_grad_() for each in (noise, theta + noise))
        zero = torch.zeros(())
        out = DiscriminatorPass(predict, real, fake, predict(real), predict(fake), zero, zero)
        loss = method.game.discriminator_loss(out.real_logits, out.fake_logits)
        with randomness.scope(seed, update, "penalty"):
            return torch.autograd.grad(loss + total_penalty(method.regularizers, out, update), psi)[0]

    def gradient_of_g() -> Tensor:
        return torch.autograd.grad(method.game.generator_loss(predict(noise), predict(theta + noise)), theta)[0]

    def step(parameter: Tensor, gradient: Tensor) -> None:
        with torch.no_grad():
            parameter -= STEP * gradient
            for regularizer in method.regularizers:
                regularizer.project(discriminator)

    places = [(theta.item(), psi.item())]
    for update in range(UPDATES):
        before = gradient_of_g()
        step(psi, gradient_of_d(update))
        step(theta, gradient_of_g() if alternating else before)
        places.append((theta.item(), psi.item()))
    return torch.tensor(places, dtype=torch.float64)


def _compute_quantiles() -> Tensor:
    """Compute evenly spaced quantiles of N(0, 1), scaled to the deviation 1; float64 [200, 1]."""
    ranks = (torch.arange(QUANTILES, dtype=torch.float64) + 0.5) / QUANTILES
    values: Tensor = torch.special.ndtri(ranks)
    return (values / values.std(correction=0))[:, None]


@dataclass(frozen=True)
class Dirac(Demonstration, name="dirac"):
    """All methods from the same start.

    Attributes:
        methods: the methods to play.
    """

    claim: ClassVar[str] = "gradient descent on a GAN need not converge: it needs the right regulariser"
    paper: ClassVar[str] = "Mescheder et al. 2018, sections 2 and 3"
    methods: tuple[Method, ...] = METHODS

    def show(self, seed: int) -> Findings:
        """Play each method both ways."""
        paths = [[simulate(each, alternating=turns, seed=seed) for turns in (False, True)] for each in self.methods]
        rows = tuple(tabulate_method(method, *pair) for method, pair in zip(self.methods, paths, strict=True))
        arrived = [str(row[0]) for row in rows if row[-1] == "converges"]
        columns = {
            "method": "",
            "simultaneous": ".1e",
            "alternating": ".1e",
            "eigenvalue": "",
            "factor": "",
            "so it": "",
        }
        return Findings(
            "The data are a point at 0, the generator a point theta, the discriminator's logit a line, psi x. Both "
            f"start at 1 and should end at 0. Each method plays {UPDATES} updates with step {STEP}, the players "
            "simultaneously or in turns.",
            (Table("The distance of (theta, psi) from the equilibrium (0, 0) at the end", columns, rows),),
            (
                f"{len(arrived)} of {len(rows)} methods come within {ARRIVED} of the equilibrium: "
                f"{'; '.join(arrived)}. "
                "Around the others the discriminator keeps its slope where the generator is already right, and pushes "
                "it past. Where the last column has two words, the first is of simultaneous updates, the second of "
                "updates in turns.",
                "The eigenvalue is that of the gradient field at the equilibrium, where a formula is known; a "
                "simultaneous update of step h multiplies the distance, near it and in the long run, by the factor "
                "|1 + h eigenvalue|. Without "
                "regularisation the real part is 0: what pulls inwards or out then is of higher order, or the size of "
                "the steps. Instance noise is taken as an expectation here, not as draws.",
            ),
            encode_png(_draw_picture(self.methods, paths)),
            _draw_movie(self.methods, [turns for _, turns in paths]),
        )


def tabulate_method(method: Method, simultaneous: Tensor, alternating: Tensor) -> tuple[str | float, ...]:
    """Return the method's row of the table, from both trajectories [N, 2]."""
    distances = [each.norm(dim=1) for each in (simultaneous, alternating)]
    courses = dict.fromkeys(_describe(each) for each in distances)
    value = method.eigenvalue
    written = "" if value is None else f"{value.real:.2f} ± {value.imag:.2f}i" if value.imag else f"{value.real:.2f}"
    factor = "" if value is None else f"{abs(1 + STEP * value):.3f}"
    return method.name, *(each[-1].item() for each in distances), written, factor, "; ".join(courses)


def _describe(distances: Tensor) -> str:
    """Describe a trajectory in a word, by its last distance, and by the last mean distance beside that at half-time."""
    if distances[-1] < ARRIVED:
        return "converges"
    half = len(distances) // 2
    change = distances[-LAPS:].mean() / distances[max(0, half - LAPS) : half].mean() - 1
    return "circles" if abs(change) < STEADY else "creeps in" if change < 0 else "spirals out"


def _draw_picture(methods: Sequence[Method], paths: Sequence[Sequence[Tensor]]) -> Figure:
    """Draw each method's path through the plane, and all distances over the updates."""
    figure = create_figure(11, 6)
    grid: Any = figure.subplots(2, 4).ravel()
    for axes, method, (simultaneous, turns), colour in zip(grid, methods, paths, COLOURS, strict=False):
        axes.plot(*simultaneous.T, color=FAINT, linewidth=0.8)
        axes.plot(*turns.T, color=colour, linewidth=1.2)
        axes.plot(1, 1, ".", color="black")
        axes.plot(0, 0, "+", color="black", markersize=10)
        axes.set(xlim=(-FAR, FAR), ylim=(-FAR, FAR), aspect="equal")
        label_axes(axes, method.name.replace(", ", ",\n"), "theta", "psi")
        grid[-1].semilogy(turns.norm(dim=1), color=colour, linewidth=1.2)
    grid[-1].set_ylim(1e-8, 5)
    label_axes(grid[-1], "distance from (0, 0),\nin turns", "update")
    figure.suptitle("From (1, 1) to the equilibrium +: simultaneous updates in grey, in turns in colour", fontsize=11)
    return figure


def _draw_movie(methods: Sequence[Method], paths: Sequence[Tensor]) -> bytes:
    """Draw all methods at once, with updates in turns."""
    figure = create_figure(6.5, 4)
    axes: Any = figure.subplots()
    trails = [
        axes.plot([], [], "o-", color=colour, markevery=[-1], markersize=5, linewidth=1, label=method.name)[0]
        for method, colour in zip(methods, COLOURS, strict=False)
    ]
    axes.plot(0, 0, "+", color="black", markersize=12)
    axes.set(xlim=(-NEAR, NEAR), ylim=(-NEAR, NEAR), aspect="equal")
    label_axes(axes, f"update {UPDATES}", "theta", "psi")
    add_legend(axes, loc="upper left", bbox_to_anchor=(1, 1))

    def show(update: int) -> None:
        axes.set_title(f"update {update}", loc="left", fontsize=10)
        for trail, path in zip(trails, paths, strict=True):
            trail.set_data(*path[max(0, update - TAIL) : update + 1].T)

    return encode_gif(figure, [*range(0, TURNS, 3), *range(TURNS, UPDATES + 1, 41)], show)
