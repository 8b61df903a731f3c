"""Densities in cells against exact ones."""

import math

import pytest
import torch

from zerosum import randomness
from zerosum.data.distributions import DISTRIBUTIONS, Mixture
from zerosum.demonstrations.densities import DensityPair
from zerosum.explore.cells import Cells, best_answer, divergence, visibility

NARROW = Mixture(torch.tensor([[0.0]]), 1.0)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_shares_are_those_of_samples(name: str) -> None:
    density = DISTRIBUTIONS[name]()
    cells = Cells.around(density)
    expected = cells.expected()
    points = density.draw(100_000, randomness.rng(0, 0, "test"))
    counted = cells.counted(points)
    assert len(expected) == len(counted) == cells.count**cells.dimension + 1 == len(cells.centres()) + 1
    assert torch.isclose(expected.sum(), torch.tensor(1.0).double())
    assert torch.isclose(counted.sum(), torch.tensor(1.0).double())
    assert (expected - counted).abs().sum() < 0.05
    assert expected[-1] < 1e-3
    densest = cells.centres()[expected[:-1].argmax()]
    assert (density.means - densest).norm(dim=1).min() < 2 * cells.width


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_the_divergence_is_nearly_the_exact_one(shift: float) -> None:
    other = Mixture(torch.tensor([[shift]]), 0.8)
    exact = DensityPair.on_lattice(NARROW, other).divergence
    cells = Cells.around(NARROW)
    in_cells = divergence(cells.expected(), Cells(cells.middle, cells.half, other).expected())
    assert in_cells <= exact
    assert in_cells == pytest.approx(exact, rel=0.05)


def test_the_best_answer_is_nearly_the_exact_one() -> None:
    other = Mixture(torch.tensor([[1.0]]), 0.8)
    cells = Cells.around(NARROW)
    answer = best_answer(cells.expected(), Cells(cells.middle, cells.half, other).expected())[:-1]
    exact = (NARROW.log_density(cells.centres()) - other.log_density(cells.centres())).sigmoid()
    near = (cells.centres()[:, 0] - 0.5).abs() < 2
    assert (answer - exact)[near].abs().max() < 0.02


def test_extremes() -> None:
    cells = Cells.around(DISTRIBUTIONS["grid"]())
    far = cells.counted(torch.full((10, 2), 1e9))
    assert far[-1] == 1
    assert divergence(cells.expected(), far) == pytest.approx(math.log(2), rel=1e-3)
    assert divergence(far, far) == 0
    assert best_answer(torch.zeros(2), torch.tensor([0.0, 1.0])).tolist() == [0.5, 0]
    lost = cells.counted(torch.full((10, 2), math.nan))
    assert lost[-1] == 1


def test_both_are_blurred_by_one_cell() -> None:
    cells = Cells(torch.zeros(2), 32.0, Mixture(torch.tensor([[0.5, 0.5]]), 1e-4))  # in the middle of a cell of width 1
    drop = math.exp(-1 / 2)
    for shares in (cells.expected(), cells.counted(torch.tensor([[0.5, 0.5]]))):
        inside = shares[:-1].reshape(64, 64)
        assert inside.argmax() == 32 * 64 + 32
        assert inside[33, 32] / inside[32, 32] == pytest.approx(drop)
        assert inside[33, 31] / inside[32, 32] == pytest.approx(drop**2)
        assert inside[32, 37] == 0
        seen = visibility(shares[:-1], torch.zeros(64**2)).reshape(64, 64)
        assert seen[32, 32] == 1  # and where the blur ends, no edge is seen:
        assert 0 < seen[35, 32] < 0.12
        assert 0 < seen[35, 35] < 0.02
        assert seen[32, 37] == 0
