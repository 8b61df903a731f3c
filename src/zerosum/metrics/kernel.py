"""The kernel distance (KID, Binkowski et al. 2018): without bias at any number of samples."""

import warnings

from zerosum import randomness
from zerosum.metrics import Comparison, Estimate, Metric
from zerosum.metrics.frechet import Given

SUBSETS, SUBSET = 100, 1000


class KernelDistance(Metric):
    """The unbiased squared maximum mean discrepancy under (x y / d + 1)^3, by torchmetrics, in float64.

    The mean over 100 random subsets of 1,000 (or half, if there are fewer than 2,000). The interval is +- 1.96 standard
    deviations of the subsets, which are drawn without replacement, scaled to the whole set of N by
    sqrt(1,000 / (N - 1,000)): too wide, rather than too narrow, near 0. Values may be negative. It is what papers call
    KID only in the 2,048 features of Inception.
    """

    def measure(self, comparison: Comparison) -> list[Estimate]:
        """One estimate."""
        from torchmetrics.image.kid import KernelInceptionDistance

        fake, real = comparison.fake.features.double(), comparison.real.features.double()
        count = min(len(fake), len(real))
        size = min(SUBSET, max(2, count // 2))
        with warnings.catch_warnings(action="ignore"):  # that it keeps the features, which are here anyway
            metric = KernelInceptionDistance(feature=Given(fake.shape[1]), subsets=SUBSETS, subset_size=size)
        metric.update(real, real=True)
        metric.update(fake, real=False)
        with randomness.scope(comparison.seed, 0, "kernel subsets"):
            mean, deviation = (float(value) for value in metric.compute())
        margin = 1.96 * deviation * (size / max(1, count - size)) ** 0.5
        name = "kid" if comparison.features.is_pool3 else "kernel-distance"
        return [Estimate(name, mean, mean - margin, mean + margin, "lower")]
