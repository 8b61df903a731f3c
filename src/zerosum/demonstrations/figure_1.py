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
from zerosum.data.distributions import make_gaussian
from zerosum.data.readers import open_source
from zerosum.demonstrations import Demonstration, Findings, Table
from zerosum.demonstrations.densities import DensityPair
from zerosum.demonstrations.drawing import (
    DATA,
    DISCRIMINATOR,
    FAINT,
    GENERATOR,
    create_figure,
    encode_gif,
    encode_png,
    label_axes,
)
from zerosum.demonstrations.small_networks import build_discriminator, build_players
from zerosum.game.algorithm import play
from zerosum.game.losses import Minimax
from zerosum.game.optimizers import Adam
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe
from zerosum.networks.mlp import MLP

END = math.sqrt(3)  # z is uniform between -END and END, as `Networks.sample_latents` draws it
QUANTILES = torch.linspace(-3.5, 3.5, 141, dtype=torch.float64)
LEFT, RIGHT = -3.0, 7.0  # of what is drawn
PLACES = torch.linspace(LEFT, RIGHT, 201)
ARROWS = 0.98 * torch.linspace(-END, END, 21, dtype=torch.float64)
LEAST_DENSITY = 2e-3  # of (p_data + p_g) / 2 where D is drawn: elsewhere it is trained on no samples
FRAMES, ALONE_FRAMES = 40, 8
GAME = Minimax()


class Polyline(nn.Module):
    """A generator on the line that is made of 140 straight pieces, so that its density is known exactly.

    Where the pieces meet, G(z) is a cubic polynomial in q(z), the quantile of N(0, 1) that belongs to the uniform z;
    in between it is straight. Its four coefficients are what is trained. With G(z) = 3 + q(z) it makes the data.
    """

    knots: Tensor
    powers: Tensor

    def __init__(self) -> None:
        """Initialise p_g as a skewed hill far to the left of the data."""
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

    def forward(self, latents: Tensor) -> Tensor:
        """Map latents z [N, 1] to samples x [N, 1]."""
        outputs, z = self.mix(self.powers)[:, 0], latents[:, 0].contiguous()
        right = torch.searchsorted(self.knots, z).clamp(1, len(self.knots) - 1)
        share = (z - self.knots[right - 1]) / (self.knots[right] - self.knots[right - 1])
        return torch.lerp(outputs[right - 1], outputs[right], share)[:, None]


class Snapshot(NamedTuple):
    """Both players at one time.

    Attributes:
        iteration: of Algorithm 1.
        phase: what is being updated.
        densities: p_data and p_g.
        value: V(D, G).
        answers: D at PLACES.
        targets: G at ARROWS.
    """

    iteration: int
    phase: str
    densities: DensityPair
    value: float
    answers: Tensor
    targets: Tensor

    @property
    def row(self) -> tuple[str | float, ...]:
        """The row of the table without its name; D's answers are within two deviations of the data's mean."""
        near = self.answers[(PLACES - 3).abs() <= 2]
        return (
            self.iteration,
            self.densities.divergence,
            self.densities.criterion,
            self.value,
            float(near.min()),
            float(near.max()),
        )


@dataclass(frozen=True)
class Figure1(Demonstration, name="figure-1"):
    """A training that is stopped once: to let D alone reach its optimum, then G alone follow it.

    Attributes:
        steps: the number of iterations of the game.
        pause: the iteration after which it is stopped once.
        discriminator_alone: the number of D's updates then.
        generator_alone: the number of G's updates then, after D's.
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

    def show(self, seed: int) -> Findings:
        """Train, and draw four snapshots and the whole way."""
        snapshots = list(self.train(seed))
        before = next(n for n, snapshot in enumerate(snapshots) if snapshot.iteration == self.pause)
        middle, after = before + ALONE_FRAMES, before + 2 * ALONE_FRAMES
        panels = [snapshots[n] for n in (before, middle, after, -1)]
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
        rows = tuple((name, *panel.row) for name, panel in zip(names, panels, strict=True))
        return Findings(
            "The data are N(3, 1), z is uniform, and G is made of straight pieces, so that p_g is known exactly and "
            "not estimated. The minimax game is played; it pauses once, to show an iteration in slow motion.",
            (Table("The four panels; D's answers are within two deviations of the data's mean", columns, rows),),
            (
                f"(b) D alone brings V(D, G) up to {rows[1][4]:.4f}; C(G), the most that any D reaches, is "
                f"{rows[1][3]:.4f}. (c) G alone, following D's slope, brings the divergence from {rows[1][2]:.4f} "
                f"down to {rows[2][2]:.4f}. (d) In the end V is {rows[3][4]:.4f}, where -log 4 = -1.3863, and D "
                f"answers {rows[3][5]:.3f} to {rows[3][6]:.3f}.",
            ),
            encode_png(_draw_picture(names, panels)),
            _draw_movie(snapshots),
        )

    def train(self, seed: int) -> Iterator[Snapshot]:
        """Train, and yield snapshots at equal distances, more of them during the pause."""
        with randomness.scope(seed, 0, "discriminator"):
            discriminator = build_discriminator(1, 32)
        generator = Polyline()
        recipe = Recipe(
            "figure-1",
            networks=MLP(latent=1, prior="uniform"),
            game=GAME,
            generator_optimizer=Adam(1e-2, 0.0, 0.99, 0.4),
            discriminator_optimizer=Adam(5e-3, 0.0, 0.99, 0.4),
            batch_size=self.batch_size,
            discriminator_steps=self.discriminator_steps,
        )
        players = build_players(generator, discriminator, recipe)
        data = open_source("gaussian").train
        yield _take_snapshot(0, "before the game", generator, discriminator)
        for iteration in play(players, recipe, data, steps=self.steps, seed=seed):
            done = iteration.step + 1
            if done == self.pause or done * FRAMES // self.steps > iteration.step * FRAMES // self.steps:
                yield _take_snapshot(done, "in turns", generator, discriminator)
            if done == self.pause:

                def batch(number: int) -> Tensor:
                    return data.minibatch(self.batch_size, number, seed + 1).samples

                yield from self._train_in_slow_motion(players, generator, discriminator, batch, seed)

    def _train_in_slow_motion(
        self, players: Players, generator: Polyline, discriminator: nn.Module, batch: Callable[[int], Tensor], seed: int
    ) -> Iterator[Snapshot]:
        """Play one iteration of Algorithm 1 as its theory has it: D to its optimum, then G against this D."""

        def update_discriminator(update: int, updates: int) -> None:
            with torch.no_grad():
                fake = players.generate(None, self.batch_size)
            out = players.discriminate(batch(update), fake, None, done=0.0)
            loss = GAME.discriminator_loss(out.real_logits, out.fake_logits)
            players.discriminator.step(loss, update, updates)

        def update_generator(update: int, updates: int) -> None:
            fake = players.generate(None, self.batch_size)
            answer = players.discriminate_fakes(batch(update), fake, None, done=0.0, relativistic=GAME.relativistic)
            loss = GAME.generator_loss(answer.real_logits, answer.fake_logits) + answer.class_loss
            players.generator.step(loss, update, updates)

        for phase, act, updates in (
            ("D alone", update_discriminator, self.discriminator_alone),
            ("G alone", update_generator, self.generator_alone),
        ):
            for update in range(updates):
                with randomness.scope(seed, update, phase):
                    act(update, updates)
                if (update + 1) * ALONE_FRAMES // updates > update * ALONE_FRAMES // updates:
                    yield _take_snapshot(self.pause, f"{phase}, update {update + 1}", generator, discriminator)


@torch.no_grad()
def _take_snapshot(iteration: int, phase: str, generator: Polyline, discriminator: nn.Module) -> Snapshot:
    knots = generator.knots.double()
    outputs = generator(generator.knots[:, None])[:, 0].double()
    densities = DensityPair.of_generator(make_gaussian(), knots, outputs)
    targets = generator(ARROWS[:, None].float())[:, 0].double()
    value, answers = densities.value_of(discriminator), discriminator(PLACES[:, None]).sigmoid()
    return Snapshot(iteration, phase, densities, value, answers, targets)


class Panel:
    """The densities and D above, the lines of x and of z with G's arrows below; changed to show another snapshot."""

    def __init__(self, above: Any, below: Any) -> None:
        """Draw what does not change, on two axes."""
        self.above = above
        above.axhline(0.5, color=FAINT, linewidth=0.6)
        above.plot(PLACES, make_gaussian().log_density(PLACES[:, None]).exp(), ":", color=DATA, label="p_data")
        (self.p_g,) = above.plot([], [], color=GENERATOR, label="p_g")
        (self.answers,) = above.plot([], [], "--", color=DISCRIMINATOR, label="D")
        above.set(xlim=(LEFT, RIGHT), ylim=(-0.02, 1.02))
        label_axes(above)
        above.tick_params(labelbottom=False)
        below.set(xlim=(LEFT, RIGHT), ylim=(-0.1, 1.1), xticks=[], yticks=[0, 1])
        below.set_yticklabels(["z", "x = G(z)"], fontsize=8)
        below.spines[:].set_visible(False)
        below.axhline(0, color=DATA, linewidth=0.8)
        below.axhline(1, color=DATA, linewidth=0.8)
        self.arrows = below.add_collection(LineCollection([], colors=GENERATOR, linewidths=0.8))
        (self.heads,) = below.plot([], [], "^", color=GENERATOR, markersize=4)

    def show(self, snapshot: Snapshot, title: str) -> None:
        """Draw `snapshot`."""
        self.above.set_title(title, loc="left", fontsize=10)
        densities = snapshot.densities
        self.p_g.set_data(densities.points[:, 0], densities.log_p_g.exp())
        mixture = (densities.log_p_data.exp() + densities.log_p_g.exp()) / 2
        seen = mixture[torch.searchsorted(densities.points[:, 0].contiguous(), PLACES.double())] > LEAST_DENSITY
        self.answers.set_data(PLACES, snapshot.answers.where(seen, math.nan))
        starts = (LEFT + RIGHT) / 2 + ARROWS / END * (RIGHT - LEFT) * 0.45
        self.arrows.set_segments(
            [[(z, 0.0), (x, 1.0)] for z, x in zip(starts.tolist(), snapshot.targets.tolist(), strict=True)]
        )
        self.heads.set_data(snapshot.targets, torch.full_like(snapshot.targets, 0.95))


def _draw_picture(names: Sequence[str], snapshots: Sequence[Snapshot]) -> Figure:
    figure = create_figure(12, 4)
    above, below = figure.subplots(2, len(snapshots), height_ratios=(3, 1), sharex="col")
    for axes, arrows, name, snapshot in zip(above, below, names, snapshots, strict=True):
        Panel(axes, arrows).show(snapshot, name)
    _add_legend(figure, above[0])
    return figure


def _draw_movie(snapshots: Sequence[Snapshot]) -> bytes:
    figure = create_figure(6, 4.5)
    above, below = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    panel = Panel(above, below)
    _add_legend(figure, above)

    def show(snapshot: Snapshot) -> None:
        panel.show(snapshot, f"iteration {snapshot.iteration}, {snapshot.phase}")

    return encode_gif(figure, snapshots, show)


def _add_legend(figure: Figure, axes: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
