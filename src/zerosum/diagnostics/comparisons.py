"""Compare two sets of rows: how near their samples lie to each other, and in which groups they fall."""

import numpy as np
from numpy.typing import NDArray

from zerosum.metrics.statistics import ConfidenceInterval, share_deviation

Rows = NDArray[np.float32]
MOST_ROWS, MOST_GROUPS, LEAST_IN_GROUP = 5_000, 50, 20
REPLICATES = 200


def measure_nearest(rows: Rows) -> NDArray[np.float64]:
    """Return the distance from each row [N, d] to the nearest other one, [N]."""
    from sklearn.neighbors import NearestNeighbors

    distances, _ = NearestNeighbors(n_neighbors=2).fit(rows).kneighbors(rows)
    return np.asarray(distances[:, 1], np.float64)


def tell_apart(one: Rows, other: Rows) -> ConfidenceInterval:
    """Return how often the nearest neighbour of a row is of its own set: 0.5 if both are of one distribution, or 1.

    The leave-one-out test by one nearest neighbour (Lopez-Paz & Oquab 2017, section 5), on as many rows of each.
    """
    from sklearn.neighbors import NearestNeighbors

    count = min(len(one), len(other), MOST_ROWS // 2)
    rows = np.concatenate([one[:count], other[:count]])
    _, neighbours = NearestNeighbors(n_neighbors=2).fit(rows).kneighbors(rows)
    itself = np.arange(len(rows))
    nearest = np.where(neighbours[:, 0] == itself, neighbours[:, 1], neighbours[:, 0])  # copies may come first
    share = float(((nearest < count) == (itself < count)).mean())
    return ConfidenceInterval.by_normal(share, float(np.sqrt(share * (1 - share))), len(rows)).clip(0.0, 1.0)


def compare_pairs(higher: NDArray[np.float64], lower: NDArray[np.float64]) -> ConfidenceInterval:
    """Return the share of pairs in which the first has the larger value, ties counted half: 0.5 if both are alike."""
    from scipy.stats import mannwhitneyu

    share = float(mannwhitneyu(higher, lower).statistic) / (len(higher) * len(lower))
    return ConfidenceInterval.by_normal(share, share_deviation(share, len(higher), len(lower))).clip(0.0, 1.0)


def count_in_groups(learned: Rows, *others: Rows) -> list[NDArray[np.int64]]:
    """Count each of `others` in the groups that `group` finds among the rows `learned`, [K] each."""
    return count_places(*group(learned, *others))


def count_places(count: int, places: list[NDArray[np.int32]]) -> list[NDArray[np.int64]]:
    """Count how many of each set lie in each of `count` groups, [K] each, from the `places` that `group` gives."""
    return [np.bincount(each, minlength=count) for each in places]


def group(learned: Rows, *others: Rows) -> tuple[int, list[NDArray[np.int32]]]:
    """Group the rows `learned` by k-means; return the number of groups, and that of each row of `others`.

    The bins of Richardson & Weiss 2018, section 3: as many that each set has some twenty rows in one on average.
    """
    from sklearn.cluster import KMeans

    fewest = min(len(each) for each in (learned, *others))
    count = max(2, min(MOST_GROUPS, fewest // LEAST_IN_GROUP))
    groups = KMeans(count, n_init=1, random_state=0).fit(learned[:MOST_ROWS])
    return count, [groups.predict(each) for each in others]


def find_fewer(some: NDArray[np.int64], real: NDArray[np.int64], factor: float) -> NDArray[np.bool_]:
    """Find the groups [K] in which `some` have less than 1/`factor` of the real share, beyond chance.

    Beyond chance by the two-proportion test of Richardson & Weiss 2018 at p < 0.05 / K.
    """
    from scipy.stats import norm

    ours, theirs = some / some.sum(), real / real.sum()
    pooled = (some + real) / (some.sum() + real.sum())
    error = np.sqrt(pooled * (1 - pooled) * (1 / some.sum() + 1 / real.sum()))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(error > 0, (theirs - ours) / error, 0.0)
    return np.asarray((ours < theirs / factor) & (z > norm.ppf(1 - 0.05 / len(some))))


def measure_missed(some: NDArray[np.int64], real: NDArray[np.int64], factor: float) -> ConfidenceInterval:
    """Return the share of real data in the groups that `find_fewer` finds, with a bootstrap interval."""
    rng = np.random.default_rng(0)
    ours, theirs = some / some.sum(), real / real.sum()
    replicates = []
    for _ in range(REPLICATES):
        again, real_again = rng.multinomial(some.sum(), ours), rng.multinomial(real.sum(), theirs)
        replicates.append(float((real_again / real.sum())[find_fewer(again, real_again, factor)].sum()))
    return ConfidenceInterval.by_percentiles(float(theirs[find_fewer(some, real, factor)].sum()), replicates)
