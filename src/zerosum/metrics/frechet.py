"""The Fréchet distance between Gaussians fitted to two sets of features (Heusel et al. 2017, eq. 6)."""

import math
from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from zerosum import randomness
from zerosum.metrics import Estimate, Metric, MetricInputs, MomentInputs, SampleSet, When
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.statistics import ConfidenceInterval, deviation_of, student

BLOCK = 4096
MANY_FEATURES = 512
SIZES, SMALLEST = 15, 0.1
ENOUGH = 4  # times as many samples as features


class Gaussian(NamedTuple):
    """A normal distribution.

    Attributes:
        mean: float64 [d].
        covariance: float64 [d, d].
        rows: R, float64 [n, d] with n <= d, for which R^T R is the covariance; None if none that short are known.
    """

    mean: Tensor
    covariance: Tensor
    rows: Tensor | None = None


class FrechetDistance(Metric, name="frechet-distance"):
    """||mu_1 - mu_2||^2 + Tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)), in float64.

    The interval is by Student's t of the deviation of bootstrap replicates (25, or 8 where there are more than 512
    features) in which both sets are resampled; the replicates' own level is biased upwards, and so would their
    percentiles be. It is called FID only in the 2,048 features of Inception.
    """

    figures: ClassVar[Mapping[str, str]] = {"frechet-distance": "fid"}
    when: ClassVar[When] = "training"
    takes_moments: ClassVar[bool] = True
    shrinks: ClassVar[bool] = True
    biased: ClassVar[bool] = True

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return one estimate; biased upwards when the samples are not many more than the features."""
        fake, real = inputs.fake.features, inputs.real.features
        deviation, draws = bootstrap(inputs)
        interval = ConfidenceInterval.by_student(frechet_distance(fake, real), deviation, draws - 1).clip(least=0.0)
        return [Estimate.of(distance_name(inputs.features), interval, "lower", warning=warn_if_few(fake, real))]

    def measure_moments(self, given: MomentInputs) -> list[Estimate]:
        """Return one estimate, in whose interval the real moments are taken to be exact."""
        fake, real = given.fake.features, Gaussian(given.mean, given.covariance)
        deviation, draws = bootstrap_fakes(given)
        value = distance_between(real, fit_gaussian(fake))
        interval = ConfidenceInterval.by_student(value, deviation, draws - 1).clip(least=0.0)
        return [Estimate.of(distance_name(given.features), interval, "lower", warning=warn_if_few(fake))]


class FrechetInfinity(Metric, name="frechet-infinity"):
    """The distance extrapolated to infinitely many generated samples (Chong & Forsyth 2020).

    It is measured with fifteen numbers of samples, from a tenth of them, but at least twice as many as there are
    features, to all; a straight line in 1/N is fitted, and read at 0. The real samples stay as many as they are. All
    these samples are drawn from the same ones, so the interval adds to the line's own deviation that of the distance
    at all of them.
    """

    figures: ClassVar[Mapping[str, str]] = {"frechet-distance-infinity": "fid-infinity"}
    when: ClassVar[When] = "request"
    takes_moments: ClassVar[bool] = True

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return one estimate."""
        real = inputs.real.features
        warning = warn_if_few(inputs.fake.features, real)
        margin = margin_of(*bootstrap(inputs))
        return _extrapolate(inputs.fake, fit_gaussian(real), inputs.features, inputs.seed, margin, warning)

    def measure_moments(self, given: MomentInputs) -> list[Estimate]:
        """Return one estimate, in whose interval the real moments are taken to be exact."""
        warning = warn_if_few(given.fake.features)
        real, margin = Gaussian(given.mean, given.covariance), margin_of(*bootstrap_fakes(given))
        return _extrapolate(given.fake, real, given.features, given.seed, margin, warning)


def _extrapolate(
    fake: SampleSet, real: Gaussian, features: FeatureExtractor, seed: int, margin: float, warning: str
) -> list[Estimate]:
    """Fit a line in 1/N and read it at 0; `margin` is the half width of the interval of the distance at all samples."""
    dimension = fake.features.shape[1]
    least = max(2, min(max(SMALLEST * len(fake), 2 * dimension), len(fake) / 2))
    counts = np.linspace(least, len(fake), SIZES).round().astype(int)
    distances = [
        distance_between(real, fit_gaussian(_draw(fake, int(count), seed, number)))
        for number, count in enumerate(counts)
    ]
    (_, limit), covariance = np.polyfit(1 / counts, distances, 1, cov=True)
    line = student(SIZES - 2) * float(np.sqrt(max(0.0, covariance[1, 1])))
    interval = ConfidenceInterval.around(float(limit), math.hypot(line, margin))
    if not warning and len(fake) < ENOUGH * dimension:
        warning = f"{len(fake):,} samples are few to extrapolate from with {dimension:,} features"
    return [Estimate.of(f"{distance_name(features)}-infinity", interval, "lower", warning=warning)]


def margin_of(deviation: float, draws: int) -> float:
    """Return half the width of a 95% interval by Student's t, of a deviation estimated from so many draws."""
    return student(draws - 1) * deviation


def _draw(samples: SampleSet, count: int, seed: int, number: int) -> Tensor:
    """Draw the features of `count` samples, without replacement."""
    rng = randomness.rng(seed, number, "sizes")
    return samples.features[torch.randperm(len(samples), generator=rng)[:count]]


def bootstrap(inputs: MetricInputs) -> tuple[float, int]:
    """Return the standard deviation of the distance when both sets are resampled, and the number of replicates."""
    fake, real = inputs.fake.features, inputs.real.features
    rng = randomness.rng(inputs.seed, 0, "bootstrap")
    return _deviation(
        lambda: frechet_distance(_resample(fake, rng), _resample(real, rng)), fake.shape[1], inputs.replicates
    )


def bootstrap_fakes(given: MomentInputs) -> tuple[float, int]:
    """Return the same when only the generated samples are resampled."""
    fake, real = given.fake.features, Gaussian(given.mean, given.covariance)
    rng = randomness.rng(given.seed, 0, "bootstrap")
    return _deviation(
        lambda: distance_between(real, fit_gaussian(_resample(fake, rng))), fake.shape[1], given.replicates
    )


def _resample(rows: Tensor, rng: torch.Generator) -> Tensor:
    return rows[torch.randint(len(rows), (len(rows),), generator=rng)]


def _deviation(draw: Callable[[], float], dimension: int, replicates: int) -> tuple[float, int]:
    """Return the standard deviation of what `draw` returns, and how often it was called: less if that is slow."""
    draws = replicates // (4 if dimension <= MANY_FEATURES else 12)
    return float(deviation_of(np.array([draw() for _ in range(draws)]))), draws


def distance_name(features: FeatureExtractor) -> str:
    """Return the name of the distance in these features."""
    return "fid" if features.is_pool3 else "frechet-distance"


def warn_if_few(*sets: Tensor) -> str:
    """Return a warning if one of the `sets` of features, [N, d] each, has no full covariance: N <= d. Else nothing."""
    samples, dimension = min(map(len, sets)), sets[0].shape[1]
    if samples <= dimension:
        return f"{samples:,} samples are few for {dimension:,} features: their number makes most of the distance"
    return ""


def frechet_distance(fake: Tensor, real: Tensor) -> float:
    """Compute the distance between the Gaussians fitted to `fake` [N, d] and `real` [M, d]; N, M >= 2."""
    return distance_between(fit_gaussian(real), fit_gaussian(fake))


def distance_between(one: Gaussian, other: Gaussian) -> float:
    """Compute the distance between two Gaussians; NaN if they are not finite."""
    traces = one.covariance.trace() + other.covariance.trace()
    distance = (one.mean - other.mean).square().sum() + traces
    if not bool(distance.isfinite()):
        return math.nan
    return max(float(distance) - 2 * _trace_of_root(one, other), 0.0)


def _trace_of_root(one: Gaussian, other: Gaussian) -> float:
    """Compute Tr (S_1 S_2)^(1/2), the sum of the square roots of the eigenvalues of S_1 S_2.

    With S_1 = R^T R these are the eigenvalues of R S_2 R^T, which is symmetric: three times as fast to decompose,
    and smaller if R is short. If S_2 = Q^T Q as well, their square roots are the singular values of R Q^T. Rounding
    makes some eigenvalues of what has no full rank slightly negative.
    """
    if one.rows is not None and other.rows is not None:
        return float(torch.linalg.svdvals(one.rows @ other.rows.T).sum())
    if one.rows is None and other.rows is not None:
        one, other = other, one
    rows = _factorize(one.covariance) if one.rows is None else one.rows
    return float(torch.linalg.eigvalsh(rows @ other.covariance @ rows.T).clamp(min=0).sqrt().sum())


def _factorize(covariance: Tensor) -> Tensor:
    """Find rows R [n, d] for which R^T R is the covariance: by Cholesky, or where that is singular by eigenvectors."""
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if int(failed):
        values, vectors = torch.linalg.eigh(covariance)
        factor = vectors * values.clamp(min=0).sqrt()
    rows: Tensor = factor.T
    return rows


def fit_gaussian(features: Tensor) -> Gaussian:
    """Return mean and unbiased covariance of `features` [N, d], summed up in float64, block by block."""
    count, dimension = features.shape
    total = torch.zeros(dimension, dtype=torch.float64)
    products = torch.zeros(dimension, dimension, dtype=torch.float64)
    for block in torch.split(features, BLOCK):
        rows = block.double()
        total += rows.sum(0)
        products += rows.T @ rows
    mean = total / count
    covariance = (products - count * torch.outer(mean, mean)) / (count - 1)
    few = (features.double() - mean) / math.sqrt(count - 1) if count <= dimension else None
    return Gaussian(mean, covariance, few)
