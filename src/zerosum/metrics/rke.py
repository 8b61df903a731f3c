"""The Rényi kernel entropy score (Jalali, Li & Farnia 2023): how many modes the samples have."""

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.metrics import Estimate, Metric, MetricInputs, When
from zerosum.metrics.statistics import Z95, ConfidenceInterval

ENOUGH = 20  # times as many samples as modes: each sample's likeness to itself then adds a twentieth
BLOCK = 1024
WIDTH = 0.5  # of the kernel, in medians of the distances between real samples


class RKE(Metric, name="rke"):
    """1 / mean_ij k(x_i, x_j)^2, the exponential of the order-2 Rényi entropy of K / N, with a Gaussian kernel.

    k(x, y) = exp(-|x - y|^2 / 2 s^2). The paper chooses s for each data set; here it is half the median distance
    between real samples, so figures compare at equal real samples only. The interval is the delta method's for a
    mean over pairs (a V-statistic), on the scale of the logarithm.
    """

    figures: ClassVar[Mapping[str, str]] = {"rke": ""}
    equal_sizes: ClassVar[bool] = True
    when: ClassVar[When] = "request"
    most: ClassVar[int | None] = 5_000
    comparable: ClassVar[str] = "scores with the same real samples and as many generated ones"

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return one estimate; a warning says if the samples are few for it, and how many would do."""
        fake = inputs.fake.features
        likeness = mean_likeness(fake, WIDTH * _median_distance(inputs.real.features))
        mean = float(likeness.mean())
        value, margin = 1 / mean, Z95 * 2 * float(likeness.std()) / len(fake) ** 0.5 / mean
        interval = ConfidenceInterval(value, value * math.exp(-margin), value * math.exp(margin)).clip(least=1.0)
        warning = ""
        if len(fake) < ENOUGH * value:
            warning = (
                f"{len(fake):,} samples are few to count {value:,.0f} modes: the score grows with their number, "
                f"about {ENOUGH * value:,.0f} would do"
            )
        return [Estimate.of("rke", interval, "near real data", warning=warning)]


def mean_likeness(features: Tensor, width: float) -> Tensor:
    """Return for each of `features` [N, d] the mean of k^2 to all of them, itself among them, float64 [N]."""
    rows = features.double()
    parts = [torch.exp(-torch.cdist(block, rows).square() / width**2).mean(1) for block in torch.split(rows, BLOCK)]
    return torch.cat(parts)


def _median_distance(features: Tensor) -> float:
    """Return the median distance between 1,024 of the samples; 1 if that is 0."""
    return float(torch.pdist(features[:BLOCK].double()).median()) or 1.0
