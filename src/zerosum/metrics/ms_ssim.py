"""MS-SSIM between samples (Odena et al. 2017, section 4.2): are they all alike?"""

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum import randomness
from zerosum.data import Source
from zerosum.metrics import Estimate, Metric, MetricInputs, SampleSet, When
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.statistics import ConfidenceInterval

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, finest first (Wang et al. 2003)
WINDOW, SIGMA = 11, 1.5
STABLE = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # C_1 and C_2
PAIRS, BATCH, FEW = 1_000, 50, 100


class MultiScaleSimilarity(Metric, name="ms-ssim"):
    """The mean multi-scale structural similarity (Wang et al. 2003, eq. 7) of 1,000 random pairs of samples.

    1 if they are all the same; less varied samples than real ones have a higher mean. The paper takes 100 pairs of
    each class, here the pairs are of any. Images below 176 pixels have no room for five scales: then there are as many
    as leave a window of 11 pixels, with their weights scaled to a sum of 1. The interval is Student's for the mean over
    disjoint pairs.
    """

    figures: ClassVar[Mapping[str, str]] = {"ms-ssim": ""}
    when: ClassVar[When] = "request"
    most: ClassVar[int | None] = 2 * PAIRS
    measured_in: ClassVar[str] = "pixels"
    comparable: ClassVar[str] = "similarities of images of the same data, in the same size"

    def refusal(self, source: Source, features: FeatureExtractor) -> str:
        """Refuse points, and images smaller than a window."""
        small = not source.is_images or min(source.shape[1:]) < WINDOW
        return f"it needs images of at least {WINDOW}x{WINDOW}" if small else ""

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return one estimate; a warning says if the pairs are few, and how many samples would do."""
        values = similarities_of_pairs(inputs.fake, inputs.seed)
        interval = (
            ConfidenceInterval.of_mean(values) if len(values) > 1 else ConfidenceInterval.around(float(values[0]))
        )
        warning = ""
        if len(values) < FEW:
            warning = f"{len(values)} pairs of samples are few: {2 * FEW} samples would do"
        return [Estimate.of("ms-ssim", interval, "near real data", warning=warning)]


def similarities_of_pairs(samples: SampleSet, seed: int) -> Tensor:
    """Return the similarity of disjoint random pairs, float32 [N // 2]."""
    order = torch.randperm(len(samples), generator=randomness.rng(seed, 0, "pairs"))
    count = len(samples) // 2
    pairs = zip(torch.split(order[:count], BATCH), torch.split(order[count : 2 * count], BATCH), strict=True)
    images = samples.samples
    return torch.cat([ms_ssim(images[one].float(), images[other].float()) for one, other in pairs])


def ms_ssim(one: Tensor, other: Tensor) -> Tensor:
    """Compute the similarity of images `one` and `other`, float32 [N, C, H, W] in 0..255: [N], at most 1.

    A negative contrast term counts as 0, so that powers are real.
    """
    scales = next(n for n in range(len(WEIGHTS), 0, -1) if n == 1 or min(one.shape[2:]) // 2 ** (n - 1) >= WINDOW)
    weights = torch.tensor(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    product = torch.ones(len(one), one.shape[1])
    for number, weight in enumerate(weights):
        if number:
            one, other = (F.avg_pool2d(each, 2) for each in (one, other))
        similarity, contrast = _compare(one, other)
        product = product * (similarity if number == scales - 1 else contrast).clamp(min=0) ** weight
    return product.mean(1)


def _compare(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Return SSIM and its contrast and structure term, each averaged over the places of a window, [N, C]."""
    line = torch.exp(-((torch.arange(WINDOW) - WINDOW // 2) ** 2) / (2 * SIGMA**2))
    line /= line.sum()
    channels = one.shape[1]
    kernel = (line[:, None] * line).expand(channels, 1, -1, -1)

    def blur(images: Tensor) -> Tensor:
        return F.conv2d(images, kernel, groups=channels)

    mean_1, mean_2 = blur(one), blur(other)
    variance_1, variance_2 = blur(one * one) - mean_1**2, blur(other * other) - mean_2**2
    covariance = blur(one * other) - mean_1 * mean_2
    contrast = (2 * covariance + STABLE[1]) / (variance_1 + variance_2 + STABLE[1])
    luminance = (2 * mean_1 * mean_2 + STABLE[0]) / (mean_1**2 + mean_2**2 + STABLE[0])
    return (luminance * contrast).mean((2, 3)), contrast.mean((2, 3))
