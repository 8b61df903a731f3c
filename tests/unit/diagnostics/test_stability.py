"""Eigenvalues of the game's Jacobian where they are known: the Dirac-GAN (Mescheder et al. 2018, section 3)."""

import pytest
import torch
from torch import Tensor, nn

from tests.conftest import images
from zerosum import recipes
from zerosum.data import Split
from zerosum.diagnostics import stability
from zerosum.engine import Engine
from zerosum.games import Minimax, NonSaturating, Wasserstein
from zerosum.networks.mlp import MLP
from zerosum.optimizers import SGD
from zerosum.players import Player, Players
from zerosum.regularizers import R1, Regularizer
from zerosum.run import build

ENGINE = Engine(torch.device("cpu"))


class Point(nn.Module):
    """The generator: a point, whatever the codes."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(1))

    def forward(self, codes: Tensor) -> Tensor:
        return self.place.expand(len(codes), 1)


def dirac(*regularizers: Regularizer) -> Players:
    """At the equilibrium (0, 0); the data are zeros."""
    slope = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Flatten(0))
    nn.init.zeros_(slope[0].weight)
    return Players(
        *(Player(each, SGD().over(each.parameters()), SGD(), regularizers) for each in (Point(), slope)), MLP(latent=1)
    )


@pytest.mark.parametrize("game", [Minimax(), NonSaturating()], ids=["minimax", "non-saturating"])
@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0])
def test_the_dirac_game_turns_unless_r1_damps_it(game: Minimax, gamma: float) -> None:
    """-gamma / 2 +- sqrt(gamma^2 / 4 - f'^2) with f'(0) = 1/2: only rotation at gamma 0, critical damping at 1."""
    players = dirac(R1(gamma=gamma)) if gamma else dirac()
    found = stability.eigenvalues(players, game, ENGINE, Split(torch.zeros(64, 1)), 64, 0.0, seed=0)
    root = torch.sqrt(torch.tensor(gamma**2 / 4 - 0.25, dtype=torch.complex128))
    expected = [-gamma / 2 + root, -gamma / 2 - root]
    assert found is not None
    for value in expected:
        assert float((found - value).abs().min()) < 1e-3  # a double root is the square root of rounding away
    assert len(found) == 2


def test_the_critic_s_game_turns_at_full_speed() -> None:
    found = stability.eigenvalues(dirac(), Wasserstein(), ENGINE, Split(torch.zeros(64, 1)), 64, 0.0, seed=0)
    assert found is not None
    assert sorted(found.imag.tolist()) == pytest.approx([-1, 1])
    assert found.real.tolist() == pytest.approx([0, 0])


def test_the_jacobian_of_a_quadratic_game_is_its_matrix() -> None:
    """L_1 = x'Ax/2 + x'By and L_2 = y'Cy/2 + x'Dy."""
    torch.manual_seed(0)
    a, b, c, d = (torch.randn(n, m, dtype=torch.float64) for n, m in ((2, 2), (2, 3), (3, 3), (2, 3)))
    a, c = a + a.T, c + c.T
    x, y = (torch.randn(n, dtype=torch.float64, requires_grad=True) for n in (2, 3))
    losses = x @ a @ x / 2 + x @ b @ y, y @ c @ y / 2 + x @ d @ y
    found = stability.jacobian(losses, ([x], [y]))
    torch.testing.assert_close(found, -torch.cat([torch.cat([a, b], 1), torch.cat([d.T, c], 1)]))


def test_large_players_are_left_out_and_small_ones_of_any_kind_are_not() -> None:
    source = images((1, 8, 8), count=64)
    small, large = (
        build(recipes.change(recipes.find("toy"), f"networks.width={width}"), source, ENGINE, 0) for width in (4, 128)
    )
    recipe = recipes.find("toy")
    found = stability.eigenvalues(small, recipe.game, ENGINE, source.train, 16, 0.5, seed=0)
    assert found is not None
    assert len(found) == sum(
        parameter.numel()
        for player in (small.generator, small.discriminator)
        for parameter in player.network.parameters()
    )
    assert found.real.tolist() == sorted(found.real.tolist(), reverse=True)
    assert stability.eigenvalues(large, recipe.game, ENGINE, source.train, 16, 0.5, seed=0) is None
