"""The Fréchet distance between Gaussians fitted to two sets of features (Heusel et al. 2017, eq. 6)."""

import math
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from zerosum import randomness
from zerosum.metrics import Comparison, Estimate, Metric, Moment, Set
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.student import student

BLOCK = 4096
MANY_FEATURES = 512
SIZES, SMALLEST = 15, 0.1
ENOUGH = 4  # times as many samples as features


class FrechetDistance(Metric):
    """||mu_1 - mu_2||^2 + Tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)), by torchmetrics, in float64.

    The interval is by Student's t of the deviation of bootstrap replicates (25, or 8 where there are more than 512
    features) in which both sets are resampled; the replicates' own level is biased upwards, and so would their
    percentiles be. It is called FID only in the 2,048 features of Inception.
    """

    moment: ClassVar[Moment] = "training"

    def measure(self, comparison: Comparison) -> list[Estimate]:
        """One estimate; biased upwards when the samples are not many more than the features."""
        fake, real = comparison.fake.features, comparison.real.features
        value = frechet_distance(fake, real)
        deviation, draws = bootstrap(comparison)
        margin = student(draws - 1) * deviation
        name, low = called(comparison.features), max(value - margin, 0.0)
        return [Estimate(name, value, low, value + margin, "lower", warning=few(fake, real))]


def bootstrap(comparison: Comparison) -> tuple[float, int]:
    """The standard deviation of the distance when both sets are resampled, and of how many replicates it is."""
    fake, real = comparison.fake.features, comparison.real.features
    generator = randomness.generator(comparison.seed, 0, "bootstrap")

    def resampled(rows: Tensor) -> Tensor:
        return rows[torch.randint(len(rows), (len(rows),), generator=generator)]

    draws = comparison.replicates // (4 if fake.shape[1] <= MANY_FEATURES else 12)
    replicates = [frechet_distance(resampled(fake), resampled(real)) for _ in range(draws)]
    return (float(np.std(replicates, ddof=1)) if draws > 1 else 0.0), draws


class FrechetInfinity(Metric):
    """What the distance would be at infinitely many generated samples (Chong & Forsyth 2020).

    It is measured with fifteen numbers of samples, from a tenth of them, but at least twice as many as there are
    features, to all; a straight line in 1/N is fitted, and read at 0. The real samples stay as many as they are. All
    these samples are drawn from the same ones, so the interval adds to the line's own deviation that of the distance
    at all of them.
    """

    moment: ClassVar[Moment] = "request"

    def measure(self, comparison: Comparison) -> list[Estimate]:
        """One estimate."""
        fake, real = comparison.fake, comparison.real.features
        dimension = fake.features.shape[1]
        least = max(2, min(max(SMALLEST * len(fake), 2 * dimension), len(fake) / 2))
        counts = np.linspace(least, len(fake), SIZES).round().astype(int)
        distances = [
            frechet_distance(_drawn(fake, int(count), comparison.seed, number), real)
            for number, count in enumerate(counts)
        ]
        (_, value), covariance = np.polyfit(1 / counts, distances, 1, cov=True)
        deviation, draws = bootstrap(comparison)
        line = student(SIZES - 2) * float(np.sqrt(max(0.0, covariance[1, 1])))
        margin = math.hypot(line, student(draws - 1) * deviation)
        name = f"{called(comparison.features)}-infinity"
        low, high = float(value) - margin, float(value) + margin
        warning = few(fake.features, real)
        if not warning and len(fake) < ENOUGH * dimension:
            warning = f"{len(fake):,} samples are few to extrapolate from with {dimension:,} features"
        return [Estimate(name, float(value), low, high, "lower", warning=warning)]


def _drawn(samples: Set, count: int, seed: int, number: int) -> Tensor:
    generator = randomness.generator(seed, number, "sizes")
    return samples.features[torch.randperm(len(samples), generator=generator)[:count]]


def called(features: FeatureExtractor) -> str:
    """What the distance is called in these features."""
    return "fid" if features.is_pool3 else "frechet-distance"


def few(fake: Tensor, real: Tensor) -> str:
    """A warning if a set of features, [N, d] or [M, d], has no full covariance: N or M <= d. Else nothing."""
    samples, dimension = min(len(fake), len(real)), fake.shape[1]
    if samples <= dimension:
        return f"{samples:,} samples are few for {dimension:,} features: mostly their number is measured"
    return ""


def frechet_distance(fake: Tensor, real: Tensor) -> float:
    """The distance between the Gaussians fitted to `fake` [N, d] and `real` [M, d]; N, M >= 2."""
    from torchmetrics.image.fid import FrechetInceptionDistance  # 2 s to import

    metric = FrechetInceptionDistance(feature=Given(fake.shape[1]))
    for rows, is_real in ((real, True), (fake, False)):
        for block in torch.split(rows, BLOCK):  # sums in float64 are kept, not rows
            metric.update(block.double(), real=is_real)
    return max(float(metric.compute()), 0.0)  # in this order a NaN stays one


class Given(nn.Module):
    """Stands where torchmetrics expects a network: the features are given already."""

    def __init__(self, dimension: int) -> None:
        """Of so many features."""
        super().__init__()
        self.num_features = dimension

    def forward(self, features: Tensor) -> Tensor:
        """The same."""
        return features
