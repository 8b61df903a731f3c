"""Modes of a known mixture that a generator of points covers, by the protocol of VEEGAN and PacGAN."""

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from zerosum.data import Source
from zerosum.data.distributions import Mixture
from zerosum.metrics import Estimate, Metric, MetricInputs, When
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.statistics import ConfidenceInterval, deviation_of

NEAR = 3.0
NAMES = ("modes-covered", "high-quality", "reverse-kl", "spread-ratio")
BETTER = ("higher", "higher", "lower", "near 1")


class Modes(Metric, name="modes"):
    """Modes covered, high-quality share, reverse KL of the masses, and spread, of 2,500 samples.

    A sample is of high quality within 3 sigma of its nearest mode; a mode is covered by at least one such sample
    (Srivastava et al. 2017; Lin et al. 2018). For two coordinates 98.9% of the real samples are of high quality: more
    than that is too narrow, not better. `reverse-kl` is KL(generated mode masses || true ones), in nats, of the samples
    of high quality, as the code of Lin et al. has it; of K modes with equal masses, N samples without a fault score
    (K - 1) / 2N. `spread-ratio` is the generated modes' width over sigma: 1 is right. Intervals are +- 1.96 standard
    deviations of bootstrap replicates; the replicates' own level is biased, and so would their percentiles be.
    """

    figures: ClassVar[Mapping[str, str]] = {
        "modes-covered": "",
        "high-quality": "",
        "reverse-kl": "",
        "spread-ratio": "",
    }
    when: ClassVar[When] = "training"
    most: ClassVar[int | None] = 2_500
    measured_in: ClassVar[str] = "coordinates"

    def refusal(self, source: Source, features: FeatureExtractor) -> str:
        """Refuse a source whose modes are not known, or that has one only."""
        known = source.density is not None and len(source.density.means) > 1
        return "" if known else f"the modes of {source.name} are not known"

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return four estimates."""
        density = inputs.source.density
        assert density is not None  # noqa: S101  # `refusal` checks it
        points = inputs.fake.samples
        distances, modes = torch.cdist(points, density.means).min(dim=1)
        good = distances < NEAR * density.sigma
        rng = np.random.default_rng(inputs.seed)

        def measure_rows(rows: Tensor) -> tuple[float, float, float, float]:
            near = modes[rows][good[rows]]
            covered = float(near.bincount(minlength=1).count_nonzero())
            width = spread(points[rows], modes[rows], density) / density.sigma
            return covered, len(near) / len(rows), reverse_kl(near, len(density.means)), width

        values = measure_rows(torch.arange(len(points)))
        replicates = [
            measure_rows(torch.from_numpy(rng.integers(0, len(points), len(points))))
            for _ in range(inputs.replicates // 2)
        ]
        deviations = deviation_of(np.array(replicates).reshape(-1, len(NAMES)))
        limits = (float(len(density.means)), 1.0, math.log(len(density.means)), math.inf)
        return [
            Estimate.of(name, ConfidenceInterval.by_normal(value, float(deviation)).clip(0.0, limit), better)
            for name, better, value, deviation, limit in zip(NAMES, BETTER, values, deviations, limits, strict=True)
        ]


def reverse_kl(modes: Tensor, count: int) -> float:
    """Compute KL(q || uniform) in nats, q being the shares of `count` modes among `modes` [N]; its maximum if N = 0."""
    if len(modes) == 0:
        return math.log(count)
    shares = modes.bincount(minlength=count).double() / len(modes)
    return max(0.0, float(torch.special.xlogy(shares, shares * count).sum()))


def spread(points: Tensor, modes: Tensor, density: Mixture) -> float:
    """Estimate the generated modes' standard deviation per coordinate from the median distance to their own means.

    For a Gaussian the squared distance over sigma^2 is chi-squared, whose median is known.
    """
    from scipy.special import gammaincinv

    counts = modes.bincount(minlength=len(density.means)).clamp(min=1)
    middles = torch.zeros_like(density.means).index_add_(0, modes, points) / counts[:, None]
    median = math.sqrt(2 * float(gammaincinv(points.shape[1] / 2, 0.5)))
    return float((points - middles[modes]).norm(dim=1).median()) / median
