"""The Parzen window log-likelihood of Goodfellow et al. 2014 (section 5, table 1). Not to be trusted.

Theis, van den Oord & Bethge 2016 show why: it hardly tells good samples from bad ones in many dimensions.
"""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from zerosum.data import Source, to_float
from zerosum.metrics import Estimate, Metric, MetricInputs, Reference, SampleSet, When
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.statistics import ConfidenceInterval

SIGMAS = tuple(float(sigma) for sigma in np.logspace(-1, 0, 10))
VALIDATION, BLOCK = 1_000, 500


class Parzen(Metric, name="parzen"):
    """The mean log-likelihood of the test images, in nats, under a Gaussian around each sample; pixels in [0, 1].

    As in the released code of 2014 the width is the best of ten between 0.1 and 1 on 1,000 real images that are not
    test images; there the generator had not seen them, here they are training images (benchmarks/table1.py keeps both
    apart).
    The interval is +- 1.96 standard errors over the test images. Published for MNIST: 225 +- 2, one standard error.
    """

    figures: ClassVar[Mapping[str, str]] = {"parzen-log-likelihood": ""}
    reference: ClassVar[Reference | None] = "test"
    when: ClassVar[When] = "request"
    measured_in: ClassVar[str] = "pixels in [0, 1]"
    comparable: ClassVar[str] = "Parzen log-likelihoods of the same test images, by as many samples"

    def refusal(self, source: Source, features: FeatureExtractor) -> str:
        """Refuse points: it is defined for images here."""
        return "" if source.is_images else "it is for images"

    def select_real(self, others: SampleSet) -> SampleSet:
        """Select the first half: of the second one some choose the width."""
        return others.take(len(others) // 2)

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return one estimate."""
        fake, test = unit(inputs.fake.samples), unit(inputs.real.samples)
        others = inputs.others.samples
        validation = unit(others[-min(VALIDATION, len(others) // 2) :])
        (values,) = log_likelihoods(test, fake, [best_width(validation, fake)])
        interval = ConfidenceInterval.by_normal(float(values.mean()), float(values.std()), len(values))
        return [Estimate.of("parzen-log-likelihood", interval, "higher")]


def unit(samples: Tensor) -> Tensor:
    """Turn uint8 [N, ...] into rows of float32 in [0, 1]."""
    return (to_float(samples).flatten(1) + 1) / 2


def best_width(validation: Tensor, centres: Tensor) -> float:
    """Find which of `SIGMAS` gives `validation` [N, d] the highest likelihood with windows at `centres` [M, d]."""
    return float(SIGMAS[int(log_likelihoods(validation, centres, SIGMAS).mean(1).argmax())])


def log_likelihoods(points: Tensor, centres: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Compute the log of the mean over `centres` [M, d] of N(x; centre, sigma^2 I), in nats, for `points` [N, d].

    One row for each of `sigmas`: float64 [S, N].
    """
    constants = [
        math.log(len(centres)) + centres.shape[1] * math.log(sigma * math.sqrt(2 * math.pi)) for sigma in sigmas
    ]
    blocks = []
    for block in torch.split(points, BLOCK):
        squares = torch.cdist(block, centres).double().square()
        blocks.append(torch.stack([(squares / (-2 * sigma**2)).logsumexp(1) for sigma in sigmas]))
    return torch.cat(blocks, 1) - torch.tensor(constants, dtype=torch.float64)[:, None]
