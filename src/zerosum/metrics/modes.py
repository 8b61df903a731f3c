"""How a generator of points covers the modes of a known mixture, by the protocol of VEEGAN and PacGAN."""

import math
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from zerosum.data import Source
from zerosum.data.mixture import Mixture
from zerosum.metrics import Comparison, Estimate, Metric, Moment
from zerosum.metrics.features import FeatureExtractor

NEAR = 3.0
NAMES = ("modes-covered", "high-quality", "reverse-kl", "spread-ratio")
BETTER = ("higher", "higher", "lower", "near 1")


class Modes(Metric):
    """Modes covered, high-quality share, reverse KL of the masses, and spread, of 2,500 samples.

    A sample is of high quality within 3 sigma of its nearest mode; a mode is covered by at least one such sample
    (Srivastava et al. 2017; Lin et al. 2018). For two coordinates 98.9% of the real samples are of high quality: more
    than that is too narrow, not better. `reverse-kl` is KL(generated mode masses || true ones), in nats, of the samples
    of high quality, as the code of Lin et al. has it; of K modes with equal masses, N samples without a fault score
    (K - 1) / 2N. `spread-ratio` is the generated modes' width over sigma: 1 is right. Intervals are +- 1.96 standard
    deviations of bootstrap replicates; the replicates' own level is biased, and so would their percentiles be.
    """

    moment: ClassVar[Moment] = "training"
    most: ClassVar[int | None] = 2_500
    measured_in: ClassVar[str] = "coordinates"

    def refusal(self, source: Source, features: FeatureExtractor) -> str:
        """The modes must be known, and more than one."""
        known = source.density is not None and len(source.density.means) > 1
        return "" if known else f"the modes of {source.name} are not known"

    def measure(self, comparison: Comparison) -> list[Estimate]:
        """Four estimates."""
        density = comparison.source.density
        assert density is not None  # noqa: S101  # `refusal` said so
        points = comparison.fake.samples
        distances, modes = torch.cdist(points, density.means).min(dim=1)
        good = distances < NEAR * density.sigma
        generator = np.random.default_rng(comparison.seed)

        def measured(rows: Tensor) -> tuple[float, float, float, float]:
            near = modes[rows][good[rows]]
            covered = float(near.bincount(minlength=1).count_nonzero())
            width = spread(points[rows], modes[rows], density) / density.sigma
            return covered, len(near) / len(rows), reverse_kl(near, len(density.means)), width

        values = measured(torch.arange(len(points)))
        resamples = (
            torch.from_numpy(generator.integers(0, len(points), len(points))) for _ in range(comparison.replicates // 2)
        )
        draws = [measured(rows) for rows in resamples]
        margins = 1.96 * np.std(draws, axis=0, ddof=1) if draws else np.zeros(len(NAMES))
        limits = (float(len(density.means)), 1.0, math.log(len(density.means)), math.inf)
        return [
            Estimate(name, value, max(0.0, value - float(margin)), min(limit, value + float(margin)), better)
            for name, better, value, margin, limit in zip(NAMES, BETTER, values, margins, limits, strict=True)
        ]


def reverse_kl(modes: Tensor, count: int) -> float:
    """KL(q || uniform) in nats, q being the shares of `count` modes among `modes` [N]; the most it can be, if N = 0."""
    if len(modes) == 0:
        return math.log(count)
    shares = modes.bincount(minlength=count).double() / len(modes)
    return max(0.0, float(torch.special.xlogy(shares, shares * count).sum()))


def spread(points: Tensor, modes: Tensor, density: Mixture) -> float:
    """The generated modes' standard deviation per coordinate, from the median distance to the mode's own mean.

    For a Gaussian the squared distance over sigma^2 is chi-squared, whose median is known.
    """
    from scipy.special import gammaincinv

    counts = modes.bincount(minlength=len(density.means)).clamp(min=1)
    middles = torch.zeros_like(density.means).index_add_(0, modes, points) / counts[:, None]
    median = math.sqrt(2 * float(gammaincinv(points.shape[1] / 2, 0.5)))
    return float((points - middles[modes]).norm(dim=1).median()) / median
