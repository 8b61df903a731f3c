"""Confidence intervals: all of the 95% interval arithmetic of metrics, games and findings.

Bootstrap replicates are the values of a statistic on samples drawn again, with replacement, from the samples.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Z95 = 1.96  # standard deviations that a normal 95% interval reaches to either side
PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True)
class ConfidenceInterval:
    """A value with its 95% confidence interval."""

    value: float
    low: float
    high: float

    @classmethod
    def around(cls, value: float, margin: float = 0.0) -> Self:
        """Make the interval `value` +- `margin`."""
        return cls(value, value - margin, value + margin)

    @classmethod
    def of_mean(cls, values: Tensor) -> Self:
        """Make the interval of the mean of `values` [N] by Student's t; N >= 2."""
        error = float(values.std()) / len(values) ** 0.5
        return cls.around(float(values.mean()), student(len(values) - 1) * error)

    @classmethod
    def by_student(cls, value: float, deviation: float, freedom: float, count: int = 1) -> Self:
        """Make an interval by Student's t from an estimated standard deviation.

        Args:
            value: the middle.
            deviation: the standard deviation of `value`, or of each of the `count` values that it is the mean of.
            freedom: the degrees of freedom with which `deviation` was estimated; without any the interval has no width.
            count: of how many values `value` is the mean.
        """
        return cls.around(value, student(freedom) * deviation / count**0.5)

    @classmethod
    def by_normal(cls, value: float, deviation: float, count: int = 1) -> Self:
        """Make the interval +- 1.96 standard deviations; the arguments are those of `by_student`."""
        return cls.around(value, Z95 * deviation / count**0.5)

    @classmethod
    def by_percentiles(cls, value: float, replicates: Sequence[float] | NDArray[np.float64]) -> Self:
        """Make the interval between the percentiles of bootstrap `replicates` [R] of `value`; no width if R = 0."""
        if len(replicates) == 0:
            return cls.around(value)
        low, high = np.percentile(replicates, PERCENTILES)
        return cls(value, float(low), float(high))

    def clip(self, least: float = -math.inf, most: float = math.inf) -> Self:
        """Cut the ends off that lie beyond the least or the most that the value can be; NaN stays NaN."""
        return type(self)(self.value, max(self.low, least), min(self.high, most))


def student(freedom: float) -> float:
    """Return how many standard errors a 95% interval by Student's t reaches to either side; 0 without any freedom."""
    from scipy.stats import t

    return float(t.ppf(0.975, freedom)) if freedom > 0 else 0.0


def deviation_of(replicates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard deviation of `replicates` [R, ...] over the first axis; 0 if R < 2."""
    if len(replicates) < 2:
        return np.zeros(replicates.shape[1:])
    return np.asarray(replicates.std(axis=0, ddof=1), np.float64)


def bootstrap_means(values: NDArray[np.float64], rng: np.random.Generator, replicates: int) -> NDArray[np.float64]:
    """Draw `replicates` bootstrap replicates of the mean of `values` [N]."""
    weights = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), size=replicates)
    return np.asarray(weights @ values / len(values), np.float64)


def share_deviation(share: float, ours: int, theirs: int) -> float:
    """Estimate the standard deviation of the share of pairs in which theirs is larger (Hanley & McNeil 1982, eq. 2).

    `above`: the chance that two of theirs both are larger than one of ours; `below`: that one is larger than two.
    """
    above, below = share / (2 - share), 2 * share**2 / (1 + share)
    variance = share * (1 - share) + (theirs - 1) * (above - share**2) + (ours - 1) * (below - share**2)
    return float(np.sqrt(max(0.0, variance) / (ours * theirs)))
