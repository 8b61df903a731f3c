"""The kernel distance: against torchmetrics, its expectation and its own sampling error."""

import warnings

import numpy as np
import pytest
import torch
from torchmetrics.image.kid import KernelInceptionDistance

from tests.unit.metrics.sets import GivenFeatures, normal, seen
from zerosum import randomness
from zerosum.metrics.kernel import SUBSETS, KernelDistance


def test_the_kernel_distance_is_unbiased_and_sees_a_shift() -> None:
    real = normal(3_000, 8, 1)
    (same,) = KernelDistance().measure(seen(normal(3_000, 8, 2), real))
    (shifted,) = KernelDistance().measure(seen(normal(3_000, 8, 2, shift=0.5), real))
    assert same.low < 0 < same.high
    assert shifted.low > same.high
    # the expectation of k over pairs, with k(x, y) = (x y / 8 + 1)^3, from other and many samples
    one, two = normal(4_000, 8, 5, shift=0.5).double(), normal(4_000, 8, 6).double()
    halves = [
        (x @ y.T / 8 + 1).pow(3).mean() for x, y in ((one[:2000], one[2000:]), (two[:2000], two[2000:]), (one, two))
    ]
    assert shifted.value == pytest.approx(float(halves[0] + halves[1] - 2 * halves[2]), rel=0.15)


@pytest.mark.parametrize(
    ("fake", "real"),
    [
        (normal(300, 8, 1, shift=0.5), normal(500, 8, 2)),
        (normal(200, 7, 1), normal(200, 7, 2)),
        (normal(3, 20, 1), normal(90, 20, 2)),
        (torch.zeros(40, 4), normal(50, 4, 1)),
    ],
)
def test_the_kernel_distance_is_that_of_torchmetrics(fake: torch.Tensor, real: torch.Tensor) -> None:
    """The same subsets are drawn; the interval is +- 1.96 deviations of a subset, scaled to the smaller set."""
    count, size = len(fake), max(2, len(fake) // 2)
    with warnings.catch_warnings(action="ignore"):  # that it keeps the features
        metric = KernelInceptionDistance(feature=GivenFeatures(fake.shape[1]), subsets=SUBSETS, subset_size=size)
    metric.update(real.double(), real=True)
    metric.update(fake.double(), real=False)
    with randomness.scope(5, 0, "kernel subsets"):
        mean, deviation = metric.compute()
    (ours,) = KernelDistance().measure(seen(fake, real, seed=5))
    assert ours.value == pytest.approx(float(mean), rel=1e-9)
    margin = 1.96 * float(deviation) * (size / (count - size)) ** 0.5
    assert (ours.value - ours.low, ours.high - ours.value) == pytest.approx((margin, margin), rel=1e-9)


def test_the_interval_is_as_wide_as_the_distance_varies() -> None:
    """Of 150 pairs of sets; the relative standard error of a deviation of n draws is (2 n)^-1/2, four are allowed."""
    found = [
        KernelDistance().measure(seen(normal(200, 4, seed, shift=1), normal(200, 4, seed + 1_000)))[0]
        for seed in range(150)
    ]
    deviations = [(each.high - each.value) / 1.96 for each in found]
    assert np.mean(deviations) == pytest.approx(np.std([each.value for each in found], ddof=1), rel=4 / 300**0.5)
