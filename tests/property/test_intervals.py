"""The laws by which intervals narrow and values are biased, of all metrics that declare them; `--plan` rests on it."""

import numpy as np
import pytest

from tests.unit.metrics.sets import normal, seen
from zerosum import catalog
from zerosum.metrics import Estimate, Metric

FEW, MANY, DIMENSION = 300, 1_200, 6  # four times as many, so that half a width is a half
ROUNDS = 6
SHARES = ("precision", "recall", "coverage")

SHRINKING = [cls() for cls in catalog.choices(Metric).values() if cls.shrinks]
BIASED = [metric for metric in SHRINKING if metric.biased]


def measure(metric: Metric, samples: int, reals: int, shift: float) -> list[list[Estimate]]:
    """The estimates of several pairs of sets."""
    pairs = [
        (normal(samples, DIMENSION, 2 * number, shift=shift), normal(reals, DIMENSION, 2 * number + 1))
        for number in range(ROUNDS)
    ]
    return [metric.measure(seen(*pair, seed=number)) for number, pair in enumerate(pairs)]


def find_width(each: Estimate) -> float:
    """Half the width; of a share, whose value depends on the number of samples too, over that of one sample."""
    return each.half_width / (each.value * (1 - each.value)) ** 0.5 if each.metric in SHARES else each.half_width


@pytest.mark.parametrize("metric", SHRINKING, ids=catalog.name_of)
def test_half_the_width_of_an_interval_falls_as_one_over_the_root_of_what_counts(metric: Metric) -> None:
    """A width of 25 draws has a deviation of 1 / sqrt(2 * 24) = 14%, a mean of 6 of them 6%, a ratio of two 8%.

    2.5 times that is 20%; the ratio is about 2, and would be 4 for a law of 1 / N.
    """
    few, many = (
        np.mean([[find_width(each) for each in row] for row in measure(metric, count, count, 0.5)], axis=0)
        for count in (FEW, MANY)
    )
    expected = (metric.weigh(MANY, MANY) / metric.weigh(FEW, FEW)) ** 0.5
    assert few / many == pytest.approx(np.full(len(few), expected), rel=0.2)


@pytest.mark.parametrize("metric", BIASED, ids=catalog.name_of)
def test_the_value_of_equal_distributions_is_its_bias_and_falls_as_one_over_what_counts(metric: Metric) -> None:
    """Of equal distributions the value is nothing but bias.

    It is a sum over 27 moments of squares, so its deviation is at most sqrt(2 / 27) = 27% of it, that of a mean of 6
    11%, of a ratio 16%: 40% are 2.5 times that, and the ratios are 4 and 1.6.
    """
    few = np.mean([row[0].value for row in measure(metric, FEW, FEW, 0)])
    for samples, reals in ((MANY, MANY), (FEW, MANY), (MANY, FEW)):
        mean = np.mean([row[0].value for row in measure(metric, samples, reals, 0)])
        assert mean == pytest.approx(few * metric.weigh(FEW, FEW) / metric.weigh(samples, reals), rel=0.4)
