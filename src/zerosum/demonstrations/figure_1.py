"""The paper's figure 1, drawn from a real training whose p_g is known exactly."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from torch import Tensor, nn

from zerosum import randomness
from zerosum.algorithm import confront, generator_loss, play
from zerosum.data import open_source
from zerosum.data.toy import gaussian
from zerosum.demonstrations import Demonstration, Shown, Table
from zerosum.demonstrations.drawing import DATA, DISCRIMINATOR, FAINT, GENERATOR, canvas, gif, png, tidy
from zerosum.demonstrations.small import discriminator, player
from zerosum.engine import Engine
from zerosum.games import Minimax
from zerosum.networks.mlp import MLP
from zerosum.optimizers import Adam
from zerosum.players import Players
from zerosum.theory import Matchup

END = math.sqrt(3)  # z is uniform between -END and END, as `Networks.draw_codes` draws it
QUANTILES = torch.linspace(-3.5, 3.5, 141, dtype=torch.float64)
LEFT, RIGHT = -3.0, 7.0  # of what is drawn
PLACES = torch.linspace(LEFT, RIGHT, 201)
ARROWS = 0.98 * torch.linspace(-END, END, 21, dtype=torch.float64)
SEEN = 2e-3  # D is drawn where (p_data + p_g) / 2 is at least this: elsewhere no samples tell it anything
FRAMES, ALONE_FRAMES = 40, 8
GAME, ENGINE = Minimax(), Engine(torch.device("cpu"))


class Polyline(nn.Module):
    """A generator on the line that is made of 140 straight pieces, so that its density is known exactly.

    Where the pieces meet, G(z) is a cubic polynomial in q(z), the quantile of N(0, 1) that belongs to the uniform z;
    in between it is straight. Its four coefficients are what is trained. With G(z) = 3 + q(z) it makes the data.
    """

    knots: Tensor
    powers: Tensor

    def __init__(self) -> None:
        """It starts as a skewed hill far to the left of the data."""
        super().__init__()
        shares = torch.special.ndtr(QUANTILES)
        knots = END * (2 * (shares - shares[0]) / (shares[-1] - shares[0]) - 1)
        self.register_buffer("knots", knots.float())
        powers = torch.stack([QUANTILES, (QUANTILES**2 - 1) / 2, (QUANTILES**3 - 3 * QUANTILES) / 6], dim=1)
        self.register_buffer("powers", powers.float())
        self.mix = nn.Linear(3, 1)
        with torch.no_grad():
            self.mix.weight.copy_(torch.tensor([[0.6, -0.6, 0.0]]))
            self.mix.bias.fill_(1.0)

    def forward(self, codes: Tensor) -> Tensor:
        """Z, [N, 1], to x, [N, 1]."""
        outputs, z = self.mix(self.powers)[:, 0], codes[:, 0].contiguous()
        right = torch.searchsorted(self.knots, z).clamp(1, len(self.knots) - 1)
        share = (z - self.knots[right - 1]) / (self.knots[right] - self.knots[right - 1])
        return torch.lerp(outputs[right - 1], outputs[right], share)[:, None]


class Moment(NamedTuple):
    """Both players at one time.

    Attributes:
        iteration: of Algorithm 1.
        what: what happened last.
        match: p_data against p_g.
        value: V(D, G).
        answers: D at PLACES.
        targets: G at ARROWS.
    """

    iteration: int
    what: str
    match: Matchup
    value: float
    answers: Tensor
    targets: Tensor

    @property
    def row(self) -> tuple[str | float, ...]:
        """For the table; D's answers within two deviations of the data's mean."""
        near = self.answers[(PLACES - 3).abs() <= 2]
        match = self.match
        return (
            self.what,
            self.iteration,
            match.divergence,
            match.criterion,
            self.value,
            float(near.min()),
            float(near.max()),
        )


@dataclass(frozen=True)
class Figure1(Demonstration):
    """A training that is stopped once: to let D alone reach its optimum, then G alone follow it.

    Attributes:
        steps: iterations of the game.
        pause: after which one it is stopped.
        discriminator_alone: D's updates then.
        generator_alone: G's updates then, after D's.
        discriminator_steps: k of Algorithm 1.
        batch_size: samples of each kind.
    """

    claim: ClassVar[str] = "p_g moves where D takes samples for real, until p_g = p_data and D = 1/2 everywhere"
    paper: ClassVar[str] = "Goodfellow et al. 2014, figure 1"
    steps: int = 600
    pause: int = 120
    discriminator_alone: int = 200
    generator_alone: int = 16
    discriminator_steps: int = 5
    batch_size: int = 256

    def show(self, seed: int) -> Shown:
        """Train, and draw four moments and the whole way."""
        moments = list(self.moments(seed))
        before = next(n for n, moment in enumerate(moments) if moment.iteration == self.pause)
        middle, after = before + ALONE_FRAMES, before + 2 * ALONE_FRAMES
        panels = [moments[before], moments[middle], moments[after], moments[-1]]
        columns = {
            "": "",
            "iteration": "d",
            "JSD": ".4f",
            "C(G)": ".4f",
            "V(D, G)": ".4f",
            "D from": ".3f",
            "to": ".3f",
        }
        names = ("(a) during the game", "(b) D alone, towards D*", "(c) then G alone", "(d) at the end")
        rows = tuple((name, *panel.row[1:]) for name, panel in zip(names, panels, strict=True))
        return Shown(
            "The data are N(3, 1), z is uniform, and G is made of straight pieces, so that p_g is known exactly and "
            "not estimated. The minimax game is played; it pauses once, to show an iteration in slow motion.",
            (Table("The four panels; D's answers are within two deviations of the data's mean", columns, rows),),
            (
                f"(b) D alone brings V(D, G) up to {rows[1][4]:.4f}; C(G), the most that any D reaches, is "
                f"{rows[1][3]:.4f}. (c) G alone, following D's slope, brings the divergence from {rows[1][2]:.4f} "
                f"down to {rows[2][2]:.4f}. (d) In the end V is {rows[3][4]:.4f}, where -log 4 = -1.3863, and D "
                f"answers {rows[3][5]:.3f} to {rows[3][6]:.3f}.",
            ),
            png(_picture(names, panels)),
            _movie(moments),
        )

    def moments(self, seed: int) -> Iterator[Moment]:
        """The training, looked at now and then, and more often in its pause."""
        with randomness.scope(seed, 0, "discriminator"):
            judge = discriminator(1, 32)
        settings = Adam(1e-2, 0.0, 0.99, 0.4), Adam(5e-3, 0.0, 0.99, 0.4)
        generator = Polyline()
        networks = MLP(latent=1, prior="uniform")
        players = Players(player(generator, settings[0]), player(judge, settings[1]), networks)
        data = open_source("gaussian").train
        yield _moment(0, "before the game", generator, judge)
        for iteration in play(
            players,
            GAME,
            data,
            ENGINE,
            batch_size=self.batch_size,
            discriminator_steps=self.discriminator_steps,
            steps=self.steps,
            seed=seed,
        ):
            done = iteration.step + 1
            if done == self.pause or done * FRAMES // self.steps > iteration.step * FRAMES // self.steps:
                yield _moment(done, "in turns", generator, judge)
            if done == self.pause:

                def batch(number: int) -> Tensor:
                    return data.minibatch(self.batch_size, number, seed + 1).samples

                yield from self._slow_motion(players, generator, judge, batch, seed)

    def _slow_motion(
        self, players: Players, generator: Polyline, judge: nn.Module, batch: Callable[[int], Tensor], seed: int
    ) -> Iterator[Moment]:
        """One iteration of Algorithm 1 as its theory has it: D to its optimum, then G against this D."""

        def teach(update: int, updates: int) -> None:
            seen, _ = confront(players, ENGINE, 0.0, batch(update), codes(), None)
            players.discriminator.descend(GAME.discriminator_loss(seen.real_logits, seen.fake_logits), update, updates)

        def follow(update: int, updates: int) -> None:
            loss = generator_loss(players, GAME, ENGINE, 0.0, batch(update), codes(), None)
            players.generator.descend(loss, update, updates)

        def codes() -> Tensor:
            return players.networks.draw_codes(self.batch_size, None, None, 0)

        for what, act, updates in (
            ("D alone", teach, self.discriminator_alone),
            ("G alone", follow, self.generator_alone),
        ):
            for update in range(updates):
                with randomness.scope(seed, update, what):
                    act(update, updates)
                if (update + 1) * ALONE_FRAMES // updates > update * ALONE_FRAMES // updates:
                    yield _moment(self.pause, f"{what}, update {update + 1}", generator, judge)


@torch.no_grad()
def _moment(iteration: int, what: str, generator: Polyline, judge: nn.Module) -> Moment:
    knots = generator.knots.double()
    outputs = generator(generator.knots[:, None])[:, 0].double()
    match = Matchup.of_generator(gaussian(), knots, outputs)
    targets = generator(ARROWS[:, None].float())[:, 0].double()
    return Moment(iteration, what, match, match.value_of(judge), judge(PLACES[:, None]).sigmoid(), targets)


class Panel:
    """The densities and D above, the lines of x and of z with G's arrows below; changed to show another moment."""

    def __init__(self, above: Any, below: Any) -> None:
        """On two axes."""
        self.above = above
        above.axhline(0.5, color=FAINT, linewidth=0.6)
        above.plot(PLACES, gaussian().log_density(PLACES[:, None]).exp(), ":", color=DATA, label="p_data")
        (self.p_g,) = above.plot([], [], color=GENERATOR, label="p_g")
        (self.answers,) = above.plot([], [], "--", color=DISCRIMINATOR, label="D")
        above.set(xlim=(LEFT, RIGHT), ylim=(-0.02, 1.02))
        tidy(above)
        above.tick_params(labelbottom=False)
        below.set(xlim=(LEFT, RIGHT), ylim=(-0.1, 1.1), xticks=[], yticks=[0, 1])
        below.set_yticklabels(["z", "x = G(z)"], fontsize=8)
        below.spines[:].set_visible(False)
        below.axhline(0, color=DATA, linewidth=0.8)
        below.axhline(1, color=DATA, linewidth=0.8)
        self.arrows = below.add_collection(LineCollection([], colors=GENERATOR, linewidths=0.8))
        (self.heads,) = below.plot([], [], "^", color=GENERATOR, markersize=4)

    def show(self, moment: Moment, title: str) -> None:
        """Draw `moment`."""
        self.above.set_title(title, loc="left", fontsize=10)
        match = moment.match
        self.p_g.set_data(match.points[:, 0], match.fake.exp())
        density = (match.real.exp() + match.fake.exp()) / 2
        seen = density[torch.searchsorted(match.points[:, 0].contiguous(), PLACES.double())] > SEEN
        self.answers.set_data(PLACES, moment.answers.where(seen, math.nan))
        starts = (LEFT + RIGHT) / 2 + ARROWS / END * (RIGHT - LEFT) * 0.45
        self.arrows.set_segments(
            [[(z, 0.0), (x, 1.0)] for z, x in zip(starts.tolist(), moment.targets.tolist(), strict=True)]
        )
        self.heads.set_data(moment.targets, torch.full_like(moment.targets, 0.95))


def _picture(names: Sequence[str], moments: Sequence[Moment]) -> Figure:
    figure = canvas(12, 4)
    above, below = figure.subplots(2, len(moments), height_ratios=(3, 1), sharex="col")
    for axes, arrows, name, moment in zip(above, below, names, moments, strict=True):
        Panel(axes, arrows).show(moment, name)
    _explain(figure, above[0])
    return figure


def _movie(moments: Sequence[Moment]) -> bytes:
    figure = canvas(6, 4.5)
    above, below = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    panel = Panel(above, below)
    _explain(figure, above)
    return gif(figure, moments, lambda moment: panel.show(moment, f"iteration {moment.iteration}, {moment.what}"))


def _explain(figure: Figure, axes: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
