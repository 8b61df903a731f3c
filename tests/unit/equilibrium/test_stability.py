"""Eigenvalues of the game's Jacobian where they are known: the Dirac-GAN (Mescheder et al. 2018, section 3)."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.conftest import images, points
from zerosum import randomness, recipes
from zerosum.data import Split
from zerosum.equilibrium import stability
from zerosum.game.engine import Engine
from zerosum.game.losses import Game, Minimax, NonSaturating, Relativistic, Wasserstein
from zerosum.game.optimizers import SGD
from zerosum.game.players import Player, Players
from zerosum.game.recipe import Recipe, change
from zerosum.game.regularizers import DRAGAN, GradientNorm, GradientPenalty, Regularizer
from zerosum.networks.mlp import MLP

ENGINE = Engine(torch.device("cpu"))
ZEROS = Split(torch.zeros(64, 1))


def recipe_of(game: Game) -> Recipe:
    return Recipe("test", game=game, batch_size=64)


class Point(nn.Module):
    """The generator: a point, whatever the latents."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(1))

    def forward(self, latents: Tensor) -> Tensor:
        return self.place.expand(len(latents), 1)


class Bent(nn.Module):
    """The discriminator tanh(slope x), whose slope at a point depends on where the point is."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor([0.8]))

    def forward(self, samples: Tensor) -> Tensor:
        return (self.slope * samples[:, 0]).tanh()


def dirac(*regularizers: Regularizer) -> Players:
    """At the equilibrium (0, 0); the data are zeros."""
    slope = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Flatten(0))
    nn.init.zeros_(slope[0].weight)
    return pair(Point(), slope, *regularizers)


def pair(generator: nn.Module, discriminator: nn.Module, *regularizers: Regularizer) -> Players:
    player_g, player_d = (
        Player(each, SGD().build(each.parameters()), SGD(), regularizers) for each in (generator, discriminator)
    )
    return Players(player_g, player_d, MLP(latent=1), ENGINE)


@pytest.mark.parametrize("game", [Minimax(), NonSaturating()], ids=["minimax", "non-saturating"])
@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0])
def test_the_dirac_game_turns_unless_r1_damps_it(game: Minimax, gamma: float) -> None:
    """-gamma / 2 +- sqrt(gamma^2 / 4 - f'^2) with f'(0) = 1/2: only rotation at gamma 0, critical damping at 1."""
    players = dirac(GradientNorm(samples="real", gamma=gamma)) if gamma else dirac()
    found = stability.measure_stability(players, recipe_of(game), ZEROS, 0.0, seed=0)
    root = torch.sqrt(torch.tensor(gamma**2 / 4 - 0.25, dtype=torch.complex128))
    expected = [-gamma / 2 + root, -gamma / 2 - root]
    assert found is not None
    for value in expected:
        assert float((found.eigenvalues - value).abs().min()) < 1e-3  # a double root is the root of rounding away
    assert len(found.nonzero_eigenvalues) == 2
    assert found.contracts == (gamma > 0)
    assert found.speed == 0


def test_the_critic_s_game_turns_at_full_speed() -> None:
    found = stability.measure_stability(dirac(), recipe_of(Wasserstein()), ZEROS, 0.0, seed=0)
    assert found is not None
    assert sorted(found.eigenvalues.imag.tolist()) == pytest.approx([-1, 1])
    assert found.eigenvalues.real.tolist() == pytest.approx([0, 0])


def test_the_jacobian_of_a_quadratic_game_is_its_matrix() -> None:
    """L_1 = x'Ax/2 + x'By and L_2 = y'Cy/2 + x'Dy."""
    torch.manual_seed(0)
    a, b, c, d = (torch.randn(n, m, dtype=torch.float64) for n, m in ((2, 2), (2, 3), (3, 3), (2, 3)))
    a, c = a + a.T, c + c.T
    x, y = (torch.randn(n, dtype=torch.float64, requires_grad=True) for n in (2, 3))
    losses = x @ a @ x / 2 + x @ b @ y, y @ c @ y / 2 + x @ d @ y
    found = stability.compute_jacobian(stability.compute_gradients(losses, ([x], [y])), ([x], [y]))
    torch.testing.assert_close(found, -torch.cat([torch.cat([a, b], 1), torch.cat([d.T, c], 1)]))


@pytest.mark.parametrize(
    "regularizer",
    [GradientNorm(samples="real"), GradientNorm(samples="fake"), GradientPenalty(), DRAGAN()],
    ids=["r1", "r2", "gradient-penalty", "dragan"],
)
def test_the_jacobian_is_the_derivative_of_what_the_players_follow(regularizer: Regularizer) -> None:
    """Central differences of v at a distance h are wrong by h^2 and by float32's rounding over h: 1e-4 and 1e-5."""
    point, bent, h = Point(), Bent(), 1e-2
    own = [point.place], [bent.slope]
    point.place.data.fill_(0.7)
    players = pair(point, bent, regularizer)

    def losses() -> tuple[Tensor, Tensor]:
        return stability.compute_losses(players, recipe_of(Wasserstein()), points(1).train, 0.0, seed=0)

    def followed(parameter: Tensor, nudge: float) -> Tensor:
        parameter.data += nudge
        gradients = [
            torch.autograd.grad(loss, mine, retain_graph=True)[0] for loss, mine in zip(losses(), own, strict=True)
        ]
        parameter.data -= nudge
        return -torch.cat(gradients).double()

    columns = [(followed(each, h) - followed(each, -h)) / (2 * h) for each in (point.place, bent.slope)]
    found = stability.compute_jacobian(stability.compute_gradients(losses(), own), own)
    torch.testing.assert_close(found, torch.stack(columns, 1), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("condition", ["none", "projection", "auxiliary"])
def test_the_losses_are_those_that_the_players_descend(condition: str) -> None:
    source = images((1, 8, 8), classes=3)
    recipe = replace(
        change(change(recipes.find("toy"), "networks.width=4"), f"networks.condition={condition}"), batch_size=16
    )
    players = Players.build(recipe, source, ENGINE, 0)
    found = stability.compute_losses(players, recipe, source.train, 0.5, seed=0)
    with randomness.scope(0, 0, "eigenvalues"):
        real, labels = source.train.minibatch(16, 0, 0, device=ENGINE.device, labelled=condition != "none")
        fake = players.generate(labels, 16)
        out = players.discriminate(real, fake, labels, 0.5)
        answer = players.discriminate_fakes(real, fake, labels, 0.5, relativistic=recipe.game.relativistic)
        descended = (
            recipe.game.generator_loss(answer.real_logits, answer.fake_logits) + answer.class_loss,
            recipe.discriminator_loss(out) + recipe.penalty(out, 0),
        )
    for one, other, player in zip(found, descended, (players.generator, players.discriminator), strict=True):
        torch.testing.assert_close(one, other)
        parameters = list(player.network.parameters())
        torch.testing.assert_close(*(torch.autograd.grad(loss, parameters, retain_graph=True) for loss in (one, other)))


class Level(nn.Module):
    """The line psi x + c, of which only the slope counts where logits are subtracted from each other."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(2))

    def forward(self, samples: Tensor) -> Tensor:
        return self.weights[0] * samples[:, 0] + self.weights[1]


def test_directions_in_which_nothing_changes_do_not_count() -> None:
    players = pair(Point(), Level(), GradientNorm(samples="real", gamma=2.0))
    found = stability.measure_stability(players, recipe_of(Relativistic()), ZEROS, 0.0, seed=0)
    assert found is not None
    assert len(found.eigenvalues) == 3
    assert len(found.nonzero_eigenvalues) == 2
    assert found.contracts


def test_a_penalty_of_every_fourth_update_counts_as_much_as_one_of_each() -> None:
    each, fourth = (
        stability.measure_stability(
            dirac(GradientNorm(samples="real", every=every)), recipe_of(NonSaturating()), ZEROS, 0.0, 0
        )
        for every in (1, 4)
    )
    assert each is not None
    assert fourth is not None
    torch.testing.assert_close(each.eigenvalues, fourth.eigenvalues)


def test_large_players_are_left_out_and_small_ones_of_any_kind_are_not() -> None:
    source = images((1, 8, 8), count=64)
    small, large = (
        Players.build(change(recipes.find("toy"), f"networks.width={width}"), source, ENGINE, 0) for width in (4, 128)
    )
    toy = replace(recipes.find("toy"), batch_size=16)
    found = stability.measure_stability(small, toy, source.train, 0.5, seed=0)
    assert found is not None
    parameters = [each for player in (small.generator, small.discriminator) for each in player.network.parameters()]
    assert len(found.eigenvalues) == sum(each.numel() for each in parameters)
    assert found.eigenvalues.real.tolist() == sorted(found.eigenvalues.real.tolist(), reverse=True)
    assert found.speed > 0
    assert stability.measure_stability(large, toy, source.train, 0.5, seed=0) is None


@pytest.mark.usefixtures("device_without_float64")
def test_a_device_without_float64_will_do() -> None:
    found = stability.measure_stability(dirac(), recipe_of(Wasserstein()), ZEROS, 0.0, seed=0)
    assert found is not None
    assert found.eigenvalues.dtype == torch.complex128
