"""Differences of two means over few seeds: Welch's interval and test, Holm's correction, and what could be seen.

Why Student's t and no bootstrap: of so few values the bootstrap's intervals are too short (of three they hold the mean
less than 80 times in a hundred instead of 95, see the tests), and the smallest p that an exact permutation of three and
three gives is 0.1. Where values are the same in every run, as counts of modes often are, there is no deviation to divide
by, and the exact permutation says what can be said.
"""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zerosum.metrics.statistics import ConfidenceInterval, student

LEVEL, POWER = 0.05, 0.8
MOST_SEEDS = 1_000
ROUNDING = 1e-9  # deviations below that share of the values are of rounding
FURTHEST = 500.0  # standard errors: any difference that far is seen, also with one degree of freedom


@dataclass(frozen=True)
class Difference:
    """By how much a second group of values is larger than a first.

    Attributes:
        interval: the difference of the means with its 95% interval; without width if no group has any spread.
        p: how often chance alone gives a difference at least as large, either way.
        detectable: the true difference that such groups show (p < 0.05) four times in five; 0 without any spread.
        seeds: of each group, that would show a difference as large as this four times in five, `MOST_SEEDS` if not
            even that many; None if there is none, or no spread.
    """

    interval: ConfidenceInterval
    p: float
    detectable: float
    seeds: int | None

    @property
    def has_spread(self) -> bool:
        """Whether the values of either group differ."""
        return self.detectable > 0


def welch(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Compare the means of two groups of at least two values each, whose variances may differ (Welch 1947)."""
    groups = [np.asarray(each, np.float64) for each in (first, second)]
    difference = float(groups[1].mean() - groups[0].mean())
    variances = [float(each.var(ddof=1)) for each in groups]
    if math.sqrt(max(variances)) <= ROUNDING * max(float(np.abs(each).max()) for each in groups):
        return Difference(ConfidenceInterval.around(difference), _permute(groups, difference), 0.0, None)
    counts = [len(each) for each in groups]
    error, freedom = _error(variances, counts)
    from scipy.stats import t

    p = float(2 * t.sf(abs(difference) / error, freedom))
    interval = ConfidenceInterval.by_student(difference, error, freedom)
    return Difference(interval, p, detectable(error, freedom), _seeds_for(difference, variances))


def _error(variances: Sequence[float], counts: Sequence[int]) -> tuple[float, float]:
    """Return the standard error of a difference of means, and its degrees of freedom by Welch and Satterthwaite."""
    shares = [variance / count for variance, count in zip(variances, counts, strict=True)]
    below = sum(share**2 / (count - 1) for share, count in zip(shares, counts, strict=True))
    return math.sqrt(sum(shares)), sum(shares) ** 2 / below


def _permute(groups: Sequence[np.ndarray], difference: float) -> float:
    """Return the exact p of a permutation test of two groups each of which holds one value only."""
    first, second = map(len, groups)
    if abs(difference) <= ROUNDING * abs(float(groups[0][0])):
        return 1.0
    return (2 if first == second else 1) / math.comb(first + second, first)


def power(difference: float, error: float, freedom: float) -> float:
    """Return how often a test at 5% shows a true `difference` that is estimated with the standard `error`."""
    from scipy.stats import nct

    reach, away = student(freedom), abs(difference) / error
    return float(nct.sf(reach, freedom, away) + nct.cdf(-reach, freedom, away))


def detectable(error: float, freedom: float) -> float:
    """Return the true difference that a test at 5% shows four times in five; see `power`."""
    from scipy.optimize import brentq

    return error * float(brentq(lambda away: power(away, 1.0, freedom) - POWER, 0.0, FURTHEST, xtol=1e-6))


def detectable_deviations(seeds: int) -> float:
    """Return what so many seeds of each of two groups show four times in five, in standard deviations over seeds."""
    return detectable(*_error((1.0, 1.0), (seeds, seeds)))


def _seeds_for(difference: float, variances: Sequence[float]) -> int | None:
    if difference == 0:
        return None

    def power_of(seeds: int) -> float:
        return power(difference, *_error(variances, (seeds, seeds)))

    return 2 + bisect.bisect_left(range(2, MOST_SEEDS), POWER, key=power_of)


def holm(chances: Sequence[float]) -> list[float]:
    """Correct p values for their number, so that all together give a false alarm in one of twenty cases (Holm 1979)."""
    corrected = [0.0] * len(chances)
    least = 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        least = max(least, min(1.0, (len(chances) - rank) * chances[place]))
        corrected[place] = least
    return corrected
