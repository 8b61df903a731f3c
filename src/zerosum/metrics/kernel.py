"""The kernel distance (KID, Binkowski et al. 2018): without bias at any number of samples."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from zerosum import randomness
from zerosum.metrics import Estimate, Metric, MetricInputs
from zerosum.metrics.statistics import Z95, ConfidenceInterval

SUBSETS, SUBSET = 100, 1000


class KernelDistance(Metric, name="kernel-distance"):
    """The unbiased squared maximum mean discrepancy under (x y / d + 1)^3, in float64.

    The mean over 100 random subsets of 1,000 (or half, if there are fewer than 2,000). The interval is +- 1.96 standard
    deviations of the subsets, which are drawn without replacement, scaled to the whole set of N by
    sqrt(1,000 / (N - 1,000)): too wide, rather than too narrow, near 0. Values may be negative. It is what papers call
    KID only in the 2,048 features of Inception.
    """

    figures: ClassVar[Mapping[str, str]] = {"kernel-distance": "kid"}
    shrinks: ClassVar[bool] = True

    def weigh(self, samples: int, reals: int) -> float:
        """Weigh how many samples count: those of the smaller set without one subset, by the interval's own scaling."""
        count = min(samples, reals)
        return count - min(SUBSET, count // 2)

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return one estimate."""
        fake, real = inputs.fake.features.double(), inputs.real.features.double()
        count = min(len(fake), len(real))
        protocol, warning = inputs.features.protocol, ""
        size = min(SUBSET, max(2, count // 2))
        if protocol is not None and size < protocol.least_subset:
            size = min(count, protocol.least_subset)
            warning = f"{count:,} samples are few for subsets of {SUBSET:,}, so these overlap and the interval is none"
        rng = randomness.rng(inputs.seed, 0, "kernel subsets")
        draws = torch.stack(
            [squared_discrepancy(_draw(real, size, rng), _draw(fake, size, rng)) for _ in range(SUBSETS)]
        )
        deviation = float(draws.std(correction=0))
        margin = Z95 * deviation * (size / max(1, count - size)) ** 0.5
        name = "kid" if inputs.features.is_pool3 else "kernel-distance"
        return [Estimate.of(name, ConfidenceInterval.around(float(draws.mean()), margin), "lower", warning=warning)]


def _draw(features: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Draw `count` rows without replacement."""
    return features[torch.randperm(len(features), generator=rng)[:count]]


def squared_discrepancy(x: Tensor, y: Tensor) -> Tensor:
    """Compute the unbiased MMD^2 of `x` [m, d] and `y` [m, d] (Gretton et al. 2012, lemma 6): a scalar; m >= 2."""
    count = len(x)
    within_x, within_y = (
        (kernel.sum(1) - kernel.diagonal()).sum() for kernel in (polynomial_kernel(x, x), polynomial_kernel(y, y))
    )
    between = polynomial_kernel(x, y).sum(0).sum()
    return (within_x + within_y) / (count * (count - 1)) - 2 * between / count**2


def polynomial_kernel(x: Tensor, y: Tensor) -> Tensor:
    """Compute (x y / d + 1)^3 for all pairs of rows of `x` [m, d] and `y` [n, d]: [m, n]."""
    return (x @ y.T * (1 / x.shape[1]) + 1) ** 3
