"""The duality gap on a game whose equilibrium is known: a Gaussian generator against a quadratic discriminator."""

import math
from typing import ClassVar

import pytest
import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from tests.conftest import images
from zerosum import randomness
from zerosum.data import Split
from zerosum.data.distributions import Mixture
from zerosum.demonstrations.densities import DensityPair
from zerosum.equilibrium.duality_gap import DualityGap, measure_duality_gap
from zerosum.equilibrium.zero_sum_game import PARTS, GameBatch, Protocol, ZeroSumGame
from zerosum.errors import InputError
from zerosum.game.engine import Engine
from zerosum.game.losses import Game, Hinge, Minimax, NonSaturating, Relativistic, Wasserstein
from zerosum.game.optimizers import Adam
from zerosum.game.players import Player, Players
from zerosum.game.recipe import Recipe
from zerosum.game.regularizers import MaxNorm, Regularizer, SpectralNorm, WeightClipping
from zerosum.metrics.statistics import ConfidenceInterval
from zerosum.networks import Networks
from zerosum.types import Shape

ENGINE = Engine(torch.device("cpu"))
MEAN, DEVIATION = 3.0, 0.5


class Affine(nn.Module):
    """G(z) = mean + deviation z."""

    def __init__(self, mean: float, deviation: float) -> None:
        super().__init__()
        self.mean, self.deviation = (nn.Parameter(torch.tensor([value])) for value in (mean, deviation))

    def forward(self, latents: Tensor) -> Tensor:
        return self.mean + self.deviation * latents


class Quadratic(nn.Module):
    """The logit (a + b x + c x^2), which holds the log ratio of any two Gaussians."""

    def __init__(self, *weights: float) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights, dtype=torch.float32))

    def forward(self, samples: Tensor) -> Tensor:
        centred = (samples[:, 0] - MEAN) / DEVIATION
        return torch.stack([torch.ones_like(centred), centred, centred.square()], 1) @ self.weights


@dataclass(frozen=True)
class Line(Networks):
    """A family of which only the drawing of latents is asked."""

    paper: ClassVar[str] = ""
    latent: int = 1

    def build_generator(self, shape: Shape, inputs: int) -> nn.Module:
        raise NotImplementedError

    build_trunk = initialise = build_generator  # type: ignore[assignment]


def gaussian_game(
    g: nn.Module, d: nn.Module, game: Game | None = None, protocol: Protocol | None = None
) -> ZeroSumGame:
    data = Mixture(torch.tensor([[MEAN]]), DEVIATION)
    unseen = Split(data.draw(20_000, randomness.rng(0, 0, "unseen")))
    players = Players(
        *(Player(network, Adam().build(network.parameters()), Adam()) for network in (g, d)), Line(), ENGINE
    )
    return ZeroSumGame.build(players, recipe_of(game), unseen, protocol or Protocol(steps=200, lr=0.03), seed=0)


def recipe_of(game: Game | None = None) -> Recipe:
    return Recipe("test", game=game or Minimax(), batch_size=100)


def test_at_the_equilibrium_of_the_gaussian_game_nobody_gains() -> None:
    found = measure_duality_gap(gaussian_game(Affine(MEAN, DEVIATION), Quadratic(0, 0, 0)))
    assert found.payoff.value == pytest.approx(-math.log(2), abs=1e-6)
    assert found.solution == pytest.approx(-math.log(2), abs=1e-6)
    assert found.gap.low <= 0 <= found.gap.high
    assert abs(found.gap.value) < 1e-3
    assert "no sign against a Nash equilibrium" in found.summary


@pytest.mark.parametrize(("mean", "deviation"), [(MEAN + 1, DEVIATION), (MEAN, 2 * DEVIATION)])
def test_at_a_stationary_point_that_is_none_the_discriminator_gains_the_divergence(
    mean: float, deviation: float
) -> None:
    """D = 1/2 everywhere, from which no gradient leads for a deep D, and a wrong G: the gap is at least the JSD."""
    found = measure_duality_gap(gaussian_game(Affine(mean, deviation), Quadratic(0, 0, 0)))
    real, fake = (Mixture(torch.tensor([[m]]), s) for m, s in ((MEAN, DEVIATION), (mean, deviation)))
    assert found.gap.low > 0
    assert (
        found.discriminator_gain.low
        <= DensityPair.on_lattice(real, fake).divergence
        <= found.discriminator_gain.high + 2e-3
    )
    assert "the discriminator alone gains" in found.summary
    assert found.generator_gain.value == pytest.approx(0, abs=1e-6)


class Flat(nn.Module):
    """A discriminator of two layers whose weights are all 0: every gradient but the last bias's vanishes."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
        for parameter in self.layers.parameters():
            nn.init.zeros_(parameter)

    def forward(self, samples: Tensor) -> Tensor:
        return self.layers(samples - MEAN)[:, 0]


def test_only_perturbed_copies_leave_a_stationary_point() -> None:
    still, perturbed = (
        measure_duality_gap(
            gaussian_game(Affine(MEAN + 1, DEVIATION), Flat(), protocol=Protocol(lr=0.03, perturbation=noise))
        )
        for noise in (0.0, 0.01)
    )
    assert abs(still.gap.value) < 1e-3
    assert perturbed.gap.low > 0.2


def test_a_discriminator_that_is_wrong_lets_the_generator_gain() -> None:
    found = measure_duality_gap(gaussian_game(Affine(MEAN, DEVIATION), Quadratic(0, 1, 0)))
    assert found.generator_gain.low > 0.01
    assert found.gap.value == pytest.approx(found.generator_gain.value + found.discriminator_gain.value, abs=1e-6)


def test_the_proximal_gap_lies_between_nothing_and_the_duality_gap() -> None:
    """At a great lambda the discriminator cannot answer, and it is the duality gap."""
    zero_sum = gaussian_game(
        Affine(MEAN, DEVIATION), Quadratic(0, 0.5, 0), protocol=Protocol(steps=100, lr=0.03, batches=20)
    )
    free, held = (measure_duality_gap(zero_sum, proximity) for proximity in (0.01, 1e4))
    assert free.proximal_gap is not None
    assert held.proximal_gap is not None
    assert held.proximal_gap.value == pytest.approx(held.gap.value, rel=0.1)
    assert -1e-3 < free.proximal_gap.value < 0.5 * free.gap.value
    assert ("a proximal equilibrium" in free.summary) == (free.proximal_gap.value < 0.01)


@pytest.mark.parametrize(
    ("game", "solution"),
    [
        (NonSaturating(), -math.log(2)),
        (Relativistic(), -math.log(2) / 2),
        (Hinge(), -1.0),
        (Wasserstein(), 0.0),
    ],
    ids=["non-saturating", "relativistic", "hinge", "wasserstein"],
)
def test_any_game_has_a_payoff_at_its_solution(game: Game, solution: float) -> None:
    zero_sum = gaussian_game(Affine(MEAN, DEVIATION), Quadratic(0, 0, 0), game, Protocol(steps=1))
    assert zero_sum.solution == pytest.approx(solution, abs=1e-6)
    assert measure_duality_gap(zero_sum).payoff.value == pytest.approx(solution, abs=1e-6)


def test_a_generator_that_runs_from_the_data_is_said_to() -> None:
    """Far out a quadratic discriminator can be as wrong as one likes."""
    found = measure_duality_gap(gaussian_game(Affine(MEAN, DEVIATION), Quadratic(0, 0, 1), protocol=Protocol(lr=0.1)))
    assert found.generator_gain.value > 1
    assert "away from the data" in found.summary


def test_the_players_are_left_as_they_were_and_the_same_seed_finds_the_same() -> None:
    g, d = Affine(MEAN + 1, DEVIATION), Quadratic(0, 0.3, 0)
    before = [parameter.clone() for player in (g, d) for parameter in player.parameters()]
    once, again = (measure_duality_gap(gaussian_game(g, d, protocol=Protocol(steps=20)), 0.1) for _ in range(2))
    assert once == again
    after = [parameter for player in (g, d) for parameter in player.parameters()]
    assert all(torch.equal(*pair) for pair in zip(before, after, strict=True))
    assert all(parameter.grad is None for parameter in after)


def test_what_is_measured_was_not_learned_from() -> None:
    players = gaussian_game(Affine(MEAN, DEVIATION), Quadratic(0, 0, 0)).players
    unseen = Split(torch.arange(1_000.0)[:, None])
    parts = ZeroSumGame.build(players, recipe_of(), unseen, Protocol(), seed=0)
    training, choosing, scoring = (parts.data[part].samples[:, 0].tolist() for part in PARTS)
    assert [len(part) for part in (training, choosing, scoring)] == [500, 250, 250]
    assert sorted(training + choosing + scoring) == list(range(1_000))
    latents = [batch.latents for part in PARTS for batch in parts.batches(part)]
    assert len({tuple(each.flatten().tolist()) for each in latents}) == len(latents)


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        ((0.003, 0.002, 0.004), "less than 0.01 to gain alone"),
        ((0.8, -0.1, 1.7), "Undecided: together the players found 0.800 (-0.100 to 1.700) to gain alone"),
        ((0.8, 0.7, 0.9), "Not a Nash equilibrium: the discriminator alone gains 0.500"),
    ],
)
def test_the_words_are_those_of_the_figures(gap: tuple[float, float, float], said: str) -> None:
    nothing, of_d = ConfidenceInterval(0.0, -0.1, 0.1), ConfidenceInterval(0.5, 0.4, 0.6)
    found = DualityGap(
        nothing, 0.0, of_d, nothing, ConfidenceInterval(*gap), ConfidenceInterval(*gap), samples=96, steps=300
    )
    assert said in found.summary
    assert found.summary.count("proximal equilibrium") == 0


def test_few_batches_have_wider_intervals() -> None:
    """Student's t: at two values 12.7 standard errors, at many 1.96."""
    two, many = (ConfidenceInterval.of_mean(torch.tensor([-1.0, 1.0]).repeat(count).double()) for count in (1, 5_000))
    assert two.high == pytest.approx(12.706, abs=1e-3)
    assert many.high == pytest.approx(1.96 / 100, rel=1e-3)


def test_too_few_samples_are_refused() -> None:
    players = gaussian_game(Affine(MEAN, DEVIATION), Quadratic(0, 0, 0)).players
    with pytest.raises(InputError, match="12 test samples are too few"):
        ZeroSumGame.build(players, recipe_of(), images((1, 8, 8), count=12).train, Protocol(), seed=0)


AWAY = torch.tensor([3.0, 4.0])  # from the data's mean to the generator's


class Shifted(nn.Module):
    """G(z) = mean + deviation z in the plane."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Parameter(AWAY.clone())

    def forward(self, latents: Tensor) -> Tensor:
        return self.mean + DEVIATION * latents


def critics(constraint: Regularizer, steps: int) -> ZeroSumGame:
    """A linear critic within its `constraint`, which looks across the way from the fakes to the data."""
    critic = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Flatten(0))
    critic[0].weight.data = torch.tensor([[0.01, 0.0]])
    constraint.prepare(critic)
    g = Shifted()
    players = Players(
        Player(g, Adam().build(g.parameters()), Adam()),
        Player(critic, Adam().build(critic.parameters()), Adam(), (constraint,)),
        Line(latent=2),
        ENGINE,
    )
    unseen = Split(Mixture(torch.zeros(1, 2), DEVIATION).draw(20_000, randomness.rng(0, 0, "unseen")))
    protocol = Protocol(steps=steps, lr=0.03, perturbation=0.002, batches=20)
    return ZeroSumGame.build(players, recipe_of(Wasserstein()), unseen, protocol, seed=0)


@pytest.mark.parametrize(
    ("constraint", "highest", "norm"),
    [
        (WeightClipping(limit=0.01), 0.01 * float(AWAY.abs().sum()) / 2, 0.01 * 2**0.5),
        (MaxNorm(limit=0.01), 0.01 * float(AWAY.norm()) / 2, 0.01),
        (SpectralNorm(), float(AWAY.norm()) / 2, 1.0),
    ],
    ids=["clipping", "max-norm", "spectral-norm"],
)
def test_a_searched_critic_gains_what_its_constraint_allows(
    constraint: Regularizer, highest: float, norm: float
) -> None:
    """max w.(E x - E G(z)) / 2 over the w that are allowed; the sampling error is that of the two means along w."""
    found = measure_duality_gap(critics(constraint, steps=200))
    error = norm * DEVIATION * (2 / found.samples) ** 0.5 / 2
    assert found.payoff.value + found.discriminator_gain.value == pytest.approx(highest, rel=1e-3, abs=4 * error)


def test_no_critic_that_is_asked_leaves_its_constraint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a perturbed copy at its start nor the one that answers in the proximal game."""
    asked: list[float] = []
    payoff = ZeroSumGame._payoff

    def watched(self: ZeroSumGame, discriminator: nn.Module, fake: Tensor, batch: GameBatch) -> Tensor:
        asked.append(max(float(parameter.detach().abs().max()) for parameter in discriminator.parameters()))
        return payoff(self, discriminator, fake, batch)

    monkeypatch.setattr(ZeroSumGame, "_payoff", watched)
    measure_duality_gap(critics(WeightClipping(limit=0.01), steps=5), proximity=0.1)
    assert max(asked) == pytest.approx(0.01)


@pytest.mark.usefixtures("device_without_float64")
def test_a_device_without_float64_will_do() -> None:
    zero_sum = gaussian_game(Affine(MEAN, DEVIATION), Quadratic(0, 0, 0), protocol=Protocol(steps=1))
    assert measure_duality_gap(zero_sum).payoff.value == pytest.approx(-math.log(2), abs=1e-6)
