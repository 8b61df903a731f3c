"""Differences of two means over few seeds: Welch's interval and test, Holm's correction, and what could be seen.

Why Student's t and no bootstrap: of so few values the bootstrap's intervals are too short (of three they hold the mean
74 times in a hundred instead of 95), and the smallest p that an exact permutation of three and
three gives is 0.1. Where values are the same in every run, as counts of modes often are, there is no deviation to
divide by, and the exact permutation says what can be said.
"""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerosum.metrics.statistics import ConfidenceInterval

LEVEL, POWER = 0.05, 0.8
MOST_SEEDS = 100
ROUNDING = 1e-9  # deviations below that share of the values are of rounding
GRID = (np.arange(64) + 0.5) / 64  # equally likely quantiles
Pair = tuple[float, float]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """By how much a second group of values is larger than a first.

    Attributes:
        interval: the difference of the means with its 95% interval; without width if no group has any spread.
        p: how often chance alone gives a difference at least as large, either way.
        variances: of both groups' values.
        counts: how many values both have.
    """

    interval: ConfidenceInterval
    p: float
    variances: Pair
    counts: tuple[int, int]

    @property
    def has_spread(self) -> bool:
        """Whether the values of either group differ."""
        return max(self.variances) > 0

    @property
    def detectable(self) -> float:
        """The true difference that such groups show (p < 0.05) four times in five; 0 without any spread."""
        return _detectable(self.variances, self.counts) if self.has_spread else 0.0

    @property
    def seeds(self) -> int | None:
        """How many of each group show a true difference as large as this four times in five.

        `MOST_SEEDS` if not even that many; None if there is no difference, or no spread.
        """
        difference = self.interval.value
        if difference == 0 or not self.has_spread:
            return None

        def power_of(seeds: int) -> float:
            return _power(difference, *_reaches(self.variances, (seeds, seeds)))

        return 2 + bisect.bisect_left(range(2, MOST_SEEDS), POWER, key=power_of)


def welch(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Compare the means of two groups of at least two values each, whose variances may differ (Welch 1947)."""
    groups = [np.asarray(each, np.float64) for each in (first, second)]
    difference = float(groups[1].mean() - groups[0].mean())
    counts, variances = (len(first), len(second)), (float(groups[0].var(ddof=1)), float(groups[1].var(ddof=1)))
    if math.sqrt(max(variances)) <= ROUNDING * max(float(np.abs(each).max()) for each in groups):
        return Difference(ConfidenceInterval.around(difference), _permute(groups, difference), (0.0, 0.0), counts)
    error, freedom = _error(variances, counts)
    from scipy.stats import t

    p = float(2 * t.sf(abs(difference) / error, freedom))
    interval = ConfidenceInterval.by_student(difference, error, freedom)
    return Difference(interval, p, variances, counts)


def _error(variances: Sequence[float], counts: Sequence[int]) -> tuple[float, float]:
    """Return the standard error of a difference of means, and its degrees of freedom by Welch and Satterthwaite."""
    shares = [variance / count for variance, count in zip(variances, counts, strict=True)]
    below = sum(share**2 / (count - 1) for share, count in zip(shares, counts, strict=True))
    return math.sqrt(sum(shares)), sum(shares) ** 2 / below


def _permute(groups: Sequence[Array], difference: float) -> float:
    """Return the exact p of a permutation test of two groups each of which holds one value only."""
    first, second = map(len, groups)
    if abs(difference) <= ROUNDING * abs(float(groups[0][0])):
        return 1.0
    return (2 if first == second else 1) / math.comb(first + second, first)


def _reaches(variances: Pair, counts: tuple[int, int]) -> tuple[Array, float]:
    """Return how large a difference has to be found to be seen, for equally likely variances of the values, [G, G].

    With it comes the standard error of the difference. Welch's freedom is estimated too: of three and three values it
    is less than 4 nearly always, so that the usual formula, with 4, promises a power of .8 where it is .7.
    """
    from scipy.stats import chi2, t

    found = [
        variance * chi2.ppf(GRID, count - 1) / (count - 1) / count
        for variance, count in zip(variances, counts, strict=True)
    ]
    first, second = np.meshgrid(*found)
    freedom = (first + second) ** 2 / (first**2 / (counts[0] - 1) + second**2 / (counts[1] - 1))
    error = math.sqrt(variances[0] / counts[0] + variances[1] / counts[1])
    return t.ppf(1 - LEVEL / 2, freedom) * np.sqrt(first + second), error


def _power(difference: float, reaches: Array, error: float) -> float:
    """Return how often a test at 5% shows a true `difference`, with its sign; see `_reaches`."""
    from scipy.stats import norm

    return float(norm.sf((reaches - abs(difference)) / error).mean())


def _detectable(variances: Pair, counts: tuple[int, int]) -> float:
    """Return the true difference that a test at 5% shows four times in five."""
    from scipy.optimize import brentq

    reaches, error = _reaches(variances, counts)
    furthest = float(reaches.max()) + 2 * error
    return float(brentq(lambda difference: _power(difference, reaches, error) - POWER, 0.0, furthest))


def detectable_deviations(seeds: int) -> float:
    """Return what so many seeds of each of two groups show four times in five, in standard deviations over seeds."""
    return _detectable((1.0, 1.0), (seeds, seeds))


def holm(chances: Sequence[float]) -> list[float]:
    """Correct p values for their number, so that all together give a false alarm in one of twenty cases (Holm 1979)."""
    corrected = [0.0] * len(chances)
    least = 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        least = max(least, min(1.0, (len(chances) - rank) * chances[place]))
        corrected[place] = least
    return corrected
