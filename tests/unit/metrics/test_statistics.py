"""Interval arithmetic: against SciPy, closed forms and the share of intervals that hold the truth."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from tests.unit.metrics.sets import normal
from zerosum.metrics.statistics import Z95, ConfidenceInterval, bootstrap_means, deviation_of, student


@pytest.mark.parametrize("count", [2, 5, 40])
def test_the_interval_of_a_mean_is_that_of_scipy(count: int) -> None:
    values = normal(count, 1, count).flatten().double()
    found = ConfidenceInterval.of_mean(values)
    expected = stats.t.interval(0.95, count - 1, loc=values.mean(), scale=stats.sem(values))
    assert found.value == float(values.mean())
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-12)


def test_the_interval_of_a_mean_holds_it_as_often_as_it_says() -> None:
    """400 draws of six values: 95% +- 3 standard errors of a share."""
    found = [ConfidenceInterval.of_mean(normal(6, 1, seed).flatten()) for seed in range(400)]
    share = sum(each.low <= 0 <= each.high for each in found) / 400
    assert share == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / 400) ** 0.5)


def test_students_t_is_wider_than_the_normal_and_comes_near_it() -> None:
    assert student(1) == pytest.approx(12.7062, abs=1e-4)
    assert student(9) == pytest.approx(2.262157, abs=1e-6)
    assert student(10**6) == pytest.approx(Z95, abs=1e-4)
    assert student(0) == student(-1) == 0


def test_intervals_from_a_standard_deviation() -> None:
    assert ConfidenceInterval.around(2.0, 0.5) == ConfidenceInterval(2.0, 1.5, 2.5)
    assert ConfidenceInterval.around(2.0) == ConfidenceInterval(2.0, 2.0, 2.0)
    assert ConfidenceInterval.by_normal(1.0, 0.5) == ConfidenceInterval(1.0, 1 - 0.98, 1 + 0.98)
    assert ConfidenceInterval.by_normal(1.0, 0.5, 25).high == pytest.approx(1 + 0.98 / 5)
    assert ConfidenceInterval.by_student(1.0, 0.5, 4).low == pytest.approx(1 - 0.5 * 2.776445)
    assert ConfidenceInterval.by_student(1.0, 0.5, 4, 16).low == pytest.approx(1 - 0.5 * 2.776445 / 4)
    assert ConfidenceInterval.by_student(1.0, 0.5, 0) == ConfidenceInterval.around(1.0)


def test_percentiles_leave_a_fortieth_at_either_end() -> None:
    assert ConfidenceInterval.by_percentiles(3.0, list(range(1001))) == ConfidenceInterval(3.0, 25.0, 975.0)
    assert ConfidenceInterval.by_percentiles(3.0, []) == ConfidenceInterval.around(3.0)


def test_ends_that_cannot_be_are_cut_off() -> None:
    wide = ConfidenceInterval(0.5, -1.0, 2.0)
    assert wide.clip() == wide
    assert wide.clip(least=0.0) == ConfidenceInterval(0.5, 0.0, 2.0)
    assert wide.clip(0.0, 1.0) == ConfidenceInterval(0.5, 0.0, 1.0)
    nothing = ConfidenceInterval(math.nan, math.nan, math.nan).clip(0.0, 1.0)
    assert math.isnan(nothing.low)
    assert math.isnan(nothing.high)


def test_the_deviation_of_replicates_is_unbiased_and_by_columns() -> None:
    replicates = np.array([[1.0, 10.0], [2.0, 10.0], [3.0, 40.0]])
    np.testing.assert_allclose(deviation_of(replicates), [1, 300**0.5])
    assert deviation_of(np.array([1.0, 3.0])) == pytest.approx(2**0.5)
    np.testing.assert_array_equal(deviation_of(replicates[:1]), [0, 0])
    assert deviation_of(np.array([])) == 0


def test_bootstrap_means_vary_as_means_do() -> None:
    """The relative standard error of the deviation of n draws is (2 n)^-1/2; four are allowed."""
    values = normal(200, 1, 0).flatten().double().numpy()
    draws = bootstrap_means(values, np.random.default_rng(0), 2_000)
    assert draws.shape == (2_000,)
    error = float(values.std()) / 200**0.5
    assert draws.mean() == pytest.approx(values.mean(), abs=4 * error / 2_000**0.5)
    assert draws.std() == pytest.approx(error, rel=4 / 4_000**0.5)
    assert len(bootstrap_means(values, np.random.default_rng(0), 0)) == 0


def test_an_interval_of_a_subclass_is_of_that_class() -> None:
    class Gain(ConfidenceInterval):
        pass

    assert type(Gain.of_mean(torch.tensor([1.0, 2.0])).clip(0.0)) is Gain
