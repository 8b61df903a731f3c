"""Differences over few seeds: against SciPy, and by what the words say of draws whose truth is known."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats

from zerosum.comparison.differences import Difference, detectable_deviations, holm, welch
from zerosum.metrics.statistics import ConfidenceInterval

Draw = tuple[np.ndarray, np.ndarray]
DRAWS = 2_000
SIZES = [(3, 3), (2, 5), (10, 4)]


def draw(shift: float, counts: tuple[int, int], deviation: float = 1.0) -> Iterator[Draw]:
    """Yield pairs of normal draws; the second is larger by `shift` on average and has another standard deviation."""
    rng = np.random.default_rng(1)
    for _ in range(DRAWS):
        yield rng.normal(5, 1, counts[0]), rng.normal(5 + shift, deviation, counts[1])


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


def near(chance: float) -> object:
    """The share of `DRAWS` that has this chance, +- 4 standard errors."""
    return pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / DRAWS))


@pytest.mark.parametrize("counts", SIZES)
def test_the_difference_is_that_of_scipy(counts: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(1, 1, counts[0]), rng.normal(2, 3, counts[1])
    found, expected = welch(first, second), stats.ttest_ind(second, first, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.interval.value == pytest.approx(second.mean() - first.mean())
    assert (found.interval.low, found.interval.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


@pytest.mark.parametrize("counts", [(3, 3), (3, 6)])
def test_intervals_hold_the_truth_and_false_alarms_are_as_rare_as_they_say(counts: tuple[int, int]) -> None:
    found = [welch(*pair) for pair in draw(0.0, counts)]
    inside = share([each.interval.low <= 0 <= each.interval.high for each in found])
    alarms = share([each.p < 0.05 for each in found])
    assert inside == pytest.approx(1 - alarms, abs=1e-3)
    assert 0.93 < inside < 0.985  # Welch's test is cautious where both groups are small


def test_unequal_variances_raise_no_false_alarms() -> None:
    found = [welch(*pair).p < 0.05 for pair in draw(0.0, (3, 10), deviation=4.0)]
    assert 0.03 < share(found) < 0.07
    assumed_equal = [stats.ttest_ind(*pair).pvalue < 0.05 for pair in draw(0.0, (10, 3), deviation=4.0)]
    assert share(assumed_equal) > 0.1  # what Welch's is for


def test_the_interval_of_a_mean_over_seeds_holds_it_and_a_bootstrap_of_three_does_not() -> None:
    rng = np.random.default_rng(2)
    inside, resampled = [], []
    for values in rng.normal(0, 1, (DRAWS, 3)):
        deviation = float(values.std(ddof=1))
        interval = ConfidenceInterval.by_student(float(values.mean()), deviation, 2, 3)
        inside.append(interval.low <= 0 <= interval.high)
        low, high = np.percentile(rng.choice(values, (200, 3)).mean(1), (2.5, 97.5))
        resampled.append(bool(low <= 0 <= high))
    assert share(inside) == near(0.95)
    assert share(resampled) < 0.8


@pytest.mark.parametrize("counts", [(2, 2), (3, 3), (5, 3)])
def test_what_can_be_seen_is_seen_four_times_in_five(counts: tuple[int, int]) -> None:
    """Of draws with the variances that are assumed."""
    known = Difference(ConfidenceInterval.around(1.0), 1.0, (1.0, 4.0), counts)
    found = [welch(*pair).p < 0.05 for pair in draw(known.detectable, counts, deviation=2.0)]
    assert share(found) == near(0.8)


def test_as_many_seeds_as_are_said_are_enough() -> None:
    """Cohen (1988): of two groups of known freedom 17 of each show one standard deviation, 64 a half."""
    for deviations, seeds in ((1.0, 17), (0.5, 64)):
        found = Difference(ConfidenceInterval.around(-deviations), 0.5, (1.0, 1.0), (3, 3)).seeds
        assert found == pytest.approx(seeds, abs=1)
        assert detectable_deviations(found) <= deviations < detectable_deviations(found - 1)
    assert Difference(ConfidenceInterval.around(1e-6), 0.5, (1.0, 1.0), (3, 3)).seeds == 100
    assert Difference(ConfidenceInterval.around(0.0), 1.0, (1.0, 1.0), (3, 3)).seeds is None


def test_values_without_spread_are_judged_by_their_permutations() -> None:
    same = welch([0.1] * 3, [0.1] * 3)
    assert (same.p, same.interval.value, same.has_spread, same.seeds, same.detectable) == (1.0, 0.0, False, None, 0.0)
    apart = welch([8.0] * 3, [7.0] * 3)
    assert (apart.p, apart.interval.value, apart.has_spread) == (0.1, -1.0, False)
    for counts in ((3, 3), (4, 3)):
        first, second = [8.0] * counts[0], [7.0] * counts[1]
        shares = stats.permutation_test(
            (first, second), lambda one, other: abs(np.mean(one) - np.mean(other)), alternative="greater"
        )
        assert welch(first, second).p == pytest.approx(shares.pvalue)


def test_one_group_without_spread_leaves_the_freedom_of_the_other() -> None:
    found, values = welch([8.0, 8.0, 8.0], [7.0, 8.5, 7.5]), np.array([7.0, 8.5, 7.5])
    assert found.has_spread
    assert found.p == pytest.approx(stats.ttest_1samp(values, 8.0).pvalue)


def test_holm_divides_the_level_by_what_is_left() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_false_alarms_of_many_metrics_together_are_one_in_twenty() -> None:
    rng = np.random.default_rng(3)
    chances = rng.random((DRAWS, 8))
    assert share([min(holm(row.tolist())) < 0.05 for row in chances]) == near(0.05)
    assert share([min(row) < 0.05 for row in chances]) > 0.3  # what it is for
