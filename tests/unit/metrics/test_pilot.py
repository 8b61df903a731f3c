"""Forecasts from a pilot: the laws by hand, and the numbers of samples that are enough."""

import math

import numpy as np
import pytest
import torch

from tests.conftest import points
from tests.unit.metrics.sets import normal
from zerosum.metrics import Estimate, Metric
from zerosum.metrics.features.coordinates import Coordinates
from zerosum.metrics.frechet import FrechetDistance
from zerosum.metrics.kernel import KernelDistance
from zerosum.metrics.neighbours import Neighbours
from zerosum.metrics.pilot import Forecast, Pilot, forecast

FRECHET = Estimate("frechet-distance", 300.0, 280.0, 320.0, "lower", real=100.0)  # 500 samples: 300 +- 20


def expected_of(
    estimate: Estimate = FRECHET, slope: float = 50_000.0, metric: Metric | None = None, reals: int = 1_000
) -> Forecast:
    return Forecast(estimate, slope, metric or FrechetDistance(), 500, reals)


def test_a_distance_is_forecast_by_the_harmonic_mean_of_both_numbers() -> None:
    each = expected_of()
    counted = 2 / (1 / 2_000 + 1 / 1_000)  # 1,333
    assert each.half_width(2_000) == pytest.approx(20 * math.sqrt(500 / counted))
    assert each.bias(2_000) == pytest.approx(50_000 / counted)
    assert each.value(2_000) == pytest.approx(300 - 100 + 50_000 / counted)
    assert expected_of(reals=500).value(500) == pytest.approx(300)


def test_what_counts_is_the_smaller_set_where_sizes_are_equal_and_less_a_subset_for_the_kernel() -> None:
    assert Neighbours().weigh(3_000, 800) == 800
    assert [KernelDistance().weigh(*each) for each in ((5_000, 5_000), (500, 5_000), (9_000, 1_600))] == [
        4_000,
        250,
        800,
    ]
    assert FrechetDistance().weigh(700, 700) == pytest.approx(700)


def test_enough_is_the_least_number_for_which_it_holds() -> None:
    """With 10^12 real samples 1 / weigh = 1 / (2 N): 20 sqrt(500 / (2 N)) <= 5% of 200 + 50,000 / (2 N)."""
    each = expected_of(reals=10**12)
    numbers = np.arange(1, 200_001)
    narrow = 20 * np.sqrt(250 / numbers) <= 0.05 * (200 + 25_000 / numbers)
    assert each.find_narrow(0.05) == numbers[~narrow].max() + 1
    apart = 20 * np.sqrt(250 / numbers) * math.sqrt(2) < 200
    assert each.find_apart() == numbers[~apart].max(initial=0) + 1
    assert each.is_clear


def test_a_number_that_never_suffices_is_none() -> None:
    near = Estimate("frechet-distance", 101.0, 81.0, 121.0, "lower", real=100.0)
    each = expected_of(near, 50_000.0, reals=500)
    assert not each.is_clear
    assert each.find_apart() is None
    assert each.find_narrow(0.001) is None


def test_the_slope_is_that_of_the_pilot_and_its_two_halves_made_right_by_the_floor() -> None:
    fake, real, others = normal(400, 3, 1, shift=1.0), normal(400, 3, 2), normal(400, 3, 3)
    pilot = Pilot(fake, real, others, points(3), Coordinates(real), 0)
    found, seconds = forecast(pilot, [FrechetDistance(), Neighbours()], 10_000)
    assert [each.estimate.metric for each in found] == [
        "frechet-distance",
        "precision",
        "recall",
        "density",
        "coverage",
    ]
    whole, halves = slice(None), (slice(None, 200), slice(200, None))
    slope, known = (
        (np.mean([_distance(each[part], real[part]) for part in halves]) - _distance(each[whole], real)) * 400
        for each in (fake, others)
    )
    slope *= _distance(others, real) * 400 / known  # the floor is nothing but bias
    first = found[0]
    assert first.estimate.value == pytest.approx(_distance(fake, real), rel=1e-6)
    assert first.estimate.real == pytest.approx(_distance(others, real), rel=1e-5)
    assert first.slope == pytest.approx(slope, rel=1e-5)
    assert first.gap == pytest.approx(abs(_distance(fake, real) - _distance(others, real)), rel=1e-5)
    assert [each.slope for each in found[1:]] == [0] * 4
    assert seconds > 0


def _distance(fake: torch.Tensor, real: torch.Tensor) -> float:
    """Heusel et al.'s eq. 6, by the eigenvalues of a symmetric matrix."""
    one, other = fake.double().numpy(), real.double().numpy()
    gap = one.mean(0) - other.mean(0)
    values, vectors = np.linalg.eigh(np.cov(one.T))
    root = vectors * np.sqrt(values) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ np.cov(other.T) @ root)).sum()
    return float(gap @ gap + np.trace(np.cov(one.T)) + np.trace(np.cov(other.T)) - 2 * cross)
