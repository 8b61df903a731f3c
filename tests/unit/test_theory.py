"""Propositions and theorems of section 4, on distributions with known densities."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from zerosum import randomness
from zerosum.data.mixture import Mixture
from zerosum.data.toy import gaussian, grid, ring
from zerosum.theory import Matchup

LOG4 = math.log(4)


def line(*means: float, sigma: float = 1.0) -> Mixture:
    """A mixture on the line."""
    return Mixture(torch.tensor(means)[:, None], sigma)


PAIRS = {
    "shifted": (line(0), line(1.5)),
    "narrow": (line(0), line(0, sigma=0.5)),
    "one mode of two": (line(-2, 2, sigma=0.7), line(2, sigma=0.7)),
    "three modes": (line(-3, 0, 3), line(-2, 1)),
    "plane": (Mixture(torch.tensor([[0.0, 0.0], [2.0, 0.0]]), 0.6), Mixture(torch.tensor([[1.0, 0.0]]), 0.8)),
}
every_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())


@every_pair
def test_densities_integrate_to_one(pair: tuple[Mixture, Mixture]) -> None:
    match = Matchup.of(*pair)
    for density in (match.real, match.fake):
        assert float(density.exp().sum()) * match.volume == pytest.approx(1, abs=1e-9)


@every_pair
def test_the_value_at_the_optimal_discriminator_is_the_criterion(pair: tuple[Mixture, Mixture]) -> None:
    match = Matchup.of(*pair)
    assert match.value(match.optimal_logit) == pytest.approx(match.criterion, abs=1e-9)
    assert 0 < match.divergence < math.log(2)


@pytest.mark.parametrize("density", [gaussian(), ring(), grid()], ids=["gaussian", "ring", "grid"])
def test_at_the_data_s_distribution_the_value_is_minus_log_4_and_d_is_a_half(density: Mixture) -> None:
    match = Matchup.of(density, density)
    assert match.criterion == pytest.approx(-LOG4, abs=1e-9)
    assert match.value(match.optimal_logit) == pytest.approx(-LOG4, abs=1e-9)
    assert torch.equal(match.optimal_logit.sigmoid(), torch.full_like(match.optimal_logit, 0.5))


def test_distributions_that_do_not_overlap_are_log_2_apart() -> None:
    match = Matchup.of(line(0), line(40))
    assert match.divergence == pytest.approx(math.log(2), abs=1e-9)
    assert match.value(match.optimal_logit) == pytest.approx(0, abs=1e-9)


def test_the_divergence_is_that_of_a_monte_carlo_estimate() -> None:
    real, fake = PAIRS["three modes"]
    draws = 400_000
    halves = []
    for one, other, seed in ((real, fake, 1), (fake, real, 2)):
        points = one.draw(draws, torch.Generator().manual_seed(seed)).double()
        mine, both = one.log_density(points), torch.logaddexp(one.log_density(points), other.log_density(points))
        halves.append(mine - both + math.log(2))
    estimate = 0.5 * sum(float(half.mean()) for half in halves)
    error = 0.5 * sum(float(half.var()) / draws for half in halves) ** 0.5
    assert Matchup.of(real, fake).divergence == pytest.approx(estimate, abs=5 * error)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.2, 3))
def test_no_discriminator_does_better_than_the_optimal_one(shift: float, tilt: float, scale: float) -> None:
    """Proposition 1."""
    match = Matchup.of(*PAIRS["three modes"])
    other = scale * match.optimal_logit + shift + tilt * match.points[:, 0].sin()
    assert match.value(other) <= match.criterion + 1e-12


@pytest.mark.parametrize("name", ["shifted", "one mode of two"])
def test_a_trained_discriminator_comes_within_a_hundredth_of_log_4_of_the_criterion(name: str) -> None:
    """Maximising V by gradient ascent on samples, as Algorithm 1's inner loop does, with the generator held still."""
    real, fake = PAIRS[name]
    with randomness.scope(0, 0, "theory"):
        network = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for update in range(600):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - update / 600)
        x, g = (each.draw(1024, randomness.generator(0, update, str(n))) for n, each in enumerate((real, fake)))
        loss = nn.functional.softplus(-network(x)).mean() + nn.functional.softplus(network(g)).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    match = Matchup.of(real, fake)
    gap = match.criterion - match.value_of(lambda points: network(points)[:, 0])
    assert 0 <= gap < 0.01 * LOG4


def test_lattices_that_would_be_too_large_are_refused() -> None:
    with pytest.raises(ValueError, match="points are too many"):
        Matchup.of(Mixture(torch.zeros(1, 6), 1.0), Mixture(torch.ones(1, 6), 1.0))
