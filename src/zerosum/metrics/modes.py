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
    than that is too narrow, not better. `reverse-kl` is KL(generated mode masses || true ones), in nats. `spread-ratio`
    is the generated modes' width over sigma: 1 is right.
    """

    moment: ClassVar[Moment] = "training"
    most: ClassVar[int | None] = 2_500
    measured_in: ClassVar[str] = "coordinates"

    def refusal(self, source: Source, features: FeatureExtractor) -> str:
        """The modes must be known, and more than one."""
        known = source.density is not None and len(source.density.means) > 1
        return "" if known else f"the modes of {source.name} are not known"

    def measure(self, comparison: Comparison) -> list[Estimate]:
        """Four estimates, with bootstrap percentiles over the samples."""
        density = comparison.source.density
        assert density is not None  # noqa: S101  # `refusal` said so
        points = comparison.fake.samples
        distances, modes = torch.cdist(points, density.means).min(dim=1)
        good = distances < NEAR * density.sigma
        generator = np.random.default_rng(comparison.seed)

        def measured(rows: Tensor) -> tuple[float, float, float, float]:
            covered = modes[rows][good[rows]].bincount(minlength=1).count_nonzero()
            width = spread(points[rows], modes[rows], density) / density.sigma
            return float(covered), float(good[rows].float().mean()), reverse_kl(modes[rows], len(density.means)), width

        values = measured(torch.arange(len(points)))
        resamples = (
            torch.from_numpy(generator.integers(0, len(points), len(points))) for _ in range(comparison.replicates // 2)
        )
        draws = [measured(rows) for rows in resamples] or [values]
        lows, highs = np.percentile(draws, [2.5, 97.5], axis=0)
        return [
            Estimate(name, value, min(value, float(low)), max(value, float(high)), better)
            for name, better, value, low, high in zip(NAMES, BETTER, values, lows, highs, strict=True)
        ]


def reverse_kl(modes: Tensor, count: int) -> float:
    """KL(q || uniform) in nats, q being the shares of the `count` modes among the samples' nearest ones `modes` [N]."""
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
