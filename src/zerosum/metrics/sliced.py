"""The sliced Wasserstein distance on Laplacian pyramids (Karras et al. 2018, section 5): texture, scale by scale."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum import randomness
from zerosum.data import Source, to_float
from zerosum.metrics import Estimate, Metric, MetricInputs, When
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.statistics import ConfidenceInterval

COARSEST, PATCH, PATCHES, PROJECTIONS, ROUNDS = 16, 7, 128, 128, 4
KERNEL = (1.0, 4.0, 6.0, 4.0, 1.0)


class SlicedWasserstein(Metric, name="sliced-wasserstein"):
    """Between 7x7 patches of each level of the pyramid, x 1,000: one estimate per level, named by its shorter side.

    128 patches an image in four rounds of 32, normalised by each channel's mean and deviation over the set; the mean
    distance of their sorted projections onto 128 random directions in each round. Of at most 2,048 images, where the
    paper takes 16,384, and its code all patches in each round: a distance of equal distributions is larger here. The
    interval is Student's over the four rounds of directions and patches; the images stay the same.
    """

    figures: ClassVar[Mapping[str, str]] = {"sliced-wasserstein-*": ""}
    equal_sizes: ClassVar[bool] = True
    when: ClassVar[When] = "request"
    most: ClassVar[int | None] = 2048
    measured_in: ClassVar[str] = "patches of Laplacian pyramids"
    comparable: ClassVar[str] = "sliced Wasserstein distances of as many images of the same data, in the same size"

    def refusal(self, source: Source, features: FeatureExtractor) -> str:
        """Refuse points, and images smaller than the coarsest level."""
        small = not source.is_images or min(source.shape[1:]) < COARSEST
        return f"it needs images of at least {COARSEST}x{COARSEST}" if small else ""

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return an estimate for each level."""
        seed, found = inputs.seed, []
        for fake, real in zip(pyramid(inputs.fake.samples), pyramid(inputs.real.samples), strict=True):
            rounds = [
                1000 * distance(_draw_patches(fake, seed, number), _draw_patches(real, seed, number), seed, number)
                for number in range(ROUNDS)
            ]
            mean, deviation = float(np.mean(rounds)), float(np.std(rounds, ddof=1))
            interval = ConfidenceInterval.by_student(mean, deviation, ROUNDS - 1, ROUNDS).clip(least=0.0)
            found.append(Estimate.of(f"sliced-wasserstein-{min(fake.shape[2:])}", interval, "lower"))
        return found


def pyramid(images: Tensor) -> list[Tensor]:
    """Build the Laplacian pyramid of uint8 [N, C, H, W], finest first: differences of scales, then the coarsest."""
    level, levels = to_float(images), []
    while min(level.shape[2:]) // 2 >= COARSEST:
        smaller = _blur(level)[:, :, ::2, ::2]
        spread = torch.zeros_like(level)
        spread[:, :, ::2, ::2] = 4 * smaller
        levels.append(level - _blur(spread))
        level = smaller
    return [*levels, level]


def _blur(images: Tensor) -> Tensor:
    """Convolve with the binomial kernel, mirrored at the edges."""
    line = torch.tensor(KERNEL) / sum(KERNEL)
    kernel = (line[:, None] * line).expand(images.shape[1], 1, -1, -1)
    return F.conv2d(F.pad(images, (2, 2, 2, 2), mode="reflect"), kernel, groups=images.shape[1])


def _draw_patches(images: Tensor, seed: int, number: int) -> Tensor:
    """Draw patches [N * 32, C * 7 * 7], normalised per channel: a quarter of all, for one of the four rounds."""
    count, (height, width) = PATCHES // ROUNDS, images.shape[2:]
    rng = randomness.rng(seed, number, "patches")
    rows, columns = (torch.randint(side - PATCH + 1, (len(images), count), generator=rng) for side in (height, width))
    offsets = torch.arange(PATCH)
    down, across = rows[..., None, None] + offsets[:, None], columns[..., None, None] + offsets
    chosen = images[torch.arange(len(images))[:, None, None, None], :, down, across]  # [N, count, 7, 7, C]
    chosen = chosen.flatten(0, 1)
    normalised = (chosen - chosen.mean((0, 1, 2))) / chosen.std((0, 1, 2)).clamp(min=1e-8)
    return normalised.flatten(1)


def distance(one: Tensor, other: Tensor, seed: int = 0, number: int = 0) -> float:
    """Compute the mean distance of the sorted projections of two sets [N, d] onto 128 random directions."""
    directions = torch.randn(one.shape[1], PROJECTIONS, generator=randomness.rng(seed, number, "directions"))
    directions /= directions.norm(dim=0)
    return float(((one @ directions).sort(0)[0] - (other @ directions).sort(0)[0]).abs().mean())
