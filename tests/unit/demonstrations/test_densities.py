"""Propositions and theorems of section 4, on distributions with known densities."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zerosum.data.distributions import Mixture, make_gaussian, make_grid, make_ring
from zerosum.demonstrations.densities import DensityPair, push_forward
from zerosum.demonstrations.optimal_discriminator import PAIRS, line

LOG4 = math.log(4)


every_pair = pytest.mark.parametrize("mixtures", PAIRS.values(), ids=PAIRS.keys())


@every_pair
def test_densities_integrate_to_one(mixtures: tuple[Mixture, Mixture]) -> None:
    pair = DensityPair.on_lattice(*mixtures)
    for density in (pair.log_p_data, pair.log_p_g):
        assert float(density.exp().sum()) * pair.volume == pytest.approx(1, abs=1e-9)


@every_pair
def test_the_value_at_the_optimal_discriminator_is_the_criterion(mixtures: tuple[Mixture, Mixture]) -> None:
    pair = DensityPair.on_lattice(*mixtures)
    assert pair.value(pair.optimal_logit) == pytest.approx(pair.criterion, abs=1e-9)
    assert 0 < pair.divergence < math.log(2)


@pytest.mark.parametrize("density", [make_gaussian(), make_ring(), make_grid()], ids=["gaussian", "ring", "grid"])
def test_at_the_data_s_distribution_the_value_is_minus_log_4_and_d_is_a_half(density: Mixture) -> None:
    pair = DensityPair.on_lattice(density, density)
    assert pair.criterion == pytest.approx(-LOG4, abs=1e-9)
    assert pair.value(pair.optimal_logit) == pytest.approx(-LOG4, abs=1e-9)
    assert torch.equal(pair.optimal_logit.sigmoid(), torch.full_like(pair.optimal_logit, 0.5))


def test_distributions_that_do_not_overlap_are_log_2_apart() -> None:
    pair = DensityPair.on_lattice(line(0), line(40))
    assert pair.divergence == pytest.approx(math.log(2), abs=1e-9)
    assert pair.value(pair.optimal_logit) == pytest.approx(0, abs=1e-9)


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
    assert DensityPair.on_lattice(real, fake).divergence == pytest.approx(estimate, abs=5 * error)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.2, 3))
def test_no_discriminator_does_better_than_the_optimal_one(shift: float, tilt: float, scale: float) -> None:
    """Proposition 1."""
    pair = DensityPair.on_lattice(*PAIRS["three modes"])
    other = scale * pair.optimal_logit + shift + tilt * pair.points[:, 0].sin()
    assert pair.value(other) <= pair.criterion + 1e-12


def uniform_noise(knots: list[float], outputs: list[float], edges: list[float]) -> list[float]:
    """What `push_forward` says, as a list."""
    return push_forward(*(torch.tensor(each, dtype=torch.float64) for each in (knots, outputs, edges))).tolist()


def test_the_density_of_a_straight_generator_is_uniform() -> None:
    assert uniform_noise([0, 1], [2, 4], [1, 2, 2.5, 4, 5]) == pytest.approx([0, 0.25, 0.75, 0])
    assert uniform_noise([0, 1], [4, 2], [1, 2, 2.5, 4, 5]) == pytest.approx([0, 0.25, 0.75, 0])


def test_the_density_of_a_folded_generator_is_the_sum_of_its_branches() -> None:
    """G(z) = |z| on (-1, 3): both branches on (0, 1), where the density is 1/2, and one on (1, 3), where it is 1/4."""
    assert uniform_noise([-1, 0, 3], [1, 0, 3], [0, 0.5, 1, 2, 3]) == pytest.approx([0.25, 0.25, 0.25, 0.25])


def test_a_flat_piece_is_a_lump_in_one_cell() -> None:
    assert uniform_noise([0, 1, 2], [0, 1, 1], [0, 0.5, 1, 1.5]) == pytest.approx([0.25, 0.75, 0])


@given(st.lists(st.floats(-4, 9), min_size=2, max_size=12))
def test_the_generator_s_mass_is_one(outputs: list[float]) -> None:
    values = torch.tensor(outputs, dtype=torch.float64)
    pair = DensityPair.of_generator(make_gaussian(), torch.arange(len(values), dtype=torch.float64), values)
    assert float(pair.log_p_g.exp().sum()) * pair.volume == pytest.approx(1, abs=1e-9)
    assert float(pair.log_p_data.exp().sum()) * pair.volume == pytest.approx(1, abs=1e-9)
    assert 0 < pair.divergence < math.log(2)


def test_a_finely_bent_generator_is_a_gaussian_in_closed_form() -> None:
    """G = 3.5 + 0.8 quantile(z) in small pieces: the divergence is that of the Gaussian it bends towards."""
    bends = torch.linspace(-5, 5, 2001, dtype=torch.float64)
    shares = torch.special.ndtr(bends)
    pair = DensityPair.of_generator(make_gaussian(), shares, 3.5 + 0.8 * bends)
    expected = DensityPair.on_lattice(make_gaussian(), Mixture(torch.tensor([[3.5]]), 0.8)).divergence
    assert pair.divergence == pytest.approx(expected, abs=1e-5)


def test_lattices_that_would_be_too_large_are_refused() -> None:
    with pytest.raises(ValueError, match="points are too many"):
        DensityPair.on_lattice(Mixture(torch.zeros(1, 6), 1.0), Mixture(torch.ones(1, 6), 1.0))
