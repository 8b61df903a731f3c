"""The Fréchet distance between Gaussians fitted to two sets of features (Heusel et al. 2017, eq. 6)."""

import math
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from zerosum import randomness
from zerosum.metrics import Estimate, Metric, MetricInputs, SampleSet, When
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.statistics import ConfidenceInterval, deviation_of, student

BLOCK = 4096
MANY_FEATURES = 512
SIZES, SMALLEST = 15, 0.1
ENOUGH = 4  # times as many samples as features


class FrechetDistance(Metric, name="frechet-distance"):
    """||mu_1 - mu_2||^2 + Tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)), in float64.

    The interval is by Student's t of the deviation of bootstrap replicates (25, or 8 where there are more than 512
    features) in which both sets are resampled; the replicates' own level is biased upwards, and so would their
    percentiles be. It is called FID only in the 2,048 features of Inception.
    """

    when: ClassVar[When] = "training"

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return one estimate; biased upwards when the samples are not many more than the features."""
        fake, real = inputs.fake.features, inputs.real.features
        deviation, draws = bootstrap(inputs)
        interval = ConfidenceInterval.by_student(frechet_distance(fake, real), deviation, draws - 1).clip(least=0.0)
        return [Estimate.of(distance_name(inputs.features), interval, "lower", warning=warn_if_few(fake, real))]


class FrechetInfinity(Metric, name="frechet-infinity"):
    """The distance extrapolated to infinitely many generated samples (Chong & Forsyth 2020).

    It is measured with fifteen numbers of samples, from a tenth of them, but at least twice as many as there are
    features, to all; a straight line in 1/N is fitted, and read at 0. The real samples stay as many as they are. All
    these samples are drawn from the same ones, so the interval adds to the line's own deviation that of the distance
    at all of them.
    """

    when: ClassVar[When] = "request"

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return one estimate."""
        fake, real = inputs.fake, inputs.real.features
        dimension = fake.features.shape[1]
        least = max(2, min(max(SMALLEST * len(fake), 2 * dimension), len(fake) / 2))
        counts = np.linspace(least, len(fake), SIZES).round().astype(int)
        distances = [
            frechet_distance(_draw(fake, int(count), inputs.seed, number), real) for number, count in enumerate(counts)
        ]
        (_, limit), covariance = np.polyfit(1 / counts, distances, 1, cov=True)
        deviation, draws = bootstrap(inputs)
        line = student(SIZES - 2) * float(np.sqrt(max(0.0, covariance[1, 1])))
        interval = ConfidenceInterval.around(float(limit), math.hypot(line, student(draws - 1) * deviation))
        warning = warn_if_few(fake.features, real)
        if not warning and len(fake) < ENOUGH * dimension:
            warning = f"{len(fake):,} samples are few to extrapolate from with {dimension:,} features"
        return [Estimate.of(f"{distance_name(inputs.features)}-infinity", interval, "lower", warning=warning)]


def _draw(samples: SampleSet, count: int, seed: int, number: int) -> Tensor:
    """Draw the features of `count` samples, without replacement."""
    rng = randomness.rng(seed, number, "sizes")
    return samples.features[torch.randperm(len(samples), generator=rng)[:count]]


def bootstrap(inputs: MetricInputs) -> tuple[float, int]:
    """Return the standard deviation of the distance when both sets are resampled, and the number of replicates."""
    fake, real = inputs.fake.features, inputs.real.features
    rng = randomness.rng(inputs.seed, 0, "bootstrap")

    def resample(rows: Tensor) -> Tensor:
        return rows[torch.randint(len(rows), (len(rows),), generator=rng)]

    draws = inputs.replicates // (4 if fake.shape[1] <= MANY_FEATURES else 12)
    replicates = [frechet_distance(resample(fake), resample(real)) for _ in range(draws)]
    return float(deviation_of(np.array(replicates))), draws


def distance_name(features: FeatureExtractor) -> str:
    """Return the name of the distance in these features."""
    return "fid" if features.is_pool3 else "frechet-distance"


def warn_if_few(fake: Tensor, real: Tensor) -> str:
    """Return a warning if a set of features, [N, d] or [M, d], has no full covariance: N or M <= d. Else nothing."""
    samples, dimension = min(len(fake), len(real)), fake.shape[1]
    if samples <= dimension:
        return f"{samples:,} samples are few for {dimension:,} features: mostly their number is measured"
    return ""


def frechet_distance(fake: Tensor, real: Tensor) -> float:
    """Compute the distance between the Gaussians fitted to `fake` [N, d] and `real` [M, d]; N, M >= 2.

    Tr (S_1 S_2)^(1/2) is the sum of the square roots of the eigenvalues of S_1 S_2. These are real and not negative;
    rounding makes some of them slightly negative or complex, and what that adds to the roots is imaginary or small.
    """
    (mean_1, covariance_1), (mean_2, covariance_2) = fit_gaussian(real), fit_gaussian(fake)
    root_trace = torch.linalg.eigvals(covariance_1 @ covariance_2).sqrt().real.sum()
    traces = covariance_1.trace() + covariance_2.trace()
    distance = (mean_1 - mean_2).square().sum() + traces - 2 * root_trace
    return max(float(distance), 0.0)  # in this order a NaN stays one


def fit_gaussian(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean [d] and unbiased covariance [d, d] of `features` [N, d], summed up in float64, block by block."""
    count, dimension = features.shape
    total = torch.zeros(dimension, dtype=torch.float64)
    products = torch.zeros(dimension, dimension, dtype=torch.float64)
    for block in torch.split(features, BLOCK):
        rows = block.double()
        total += rows.sum(0)
        products += rows.T @ rows
    mean = total / count
    return mean, (products - count * torch.outer(mean, mean)) / (count - 1)
