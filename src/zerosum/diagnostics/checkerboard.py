"""Checkerboards: a pattern of the stride of the generator's upsampling."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zerosum.data import to_float
from zerosum.diagnostics import SHOWN, Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence, Unsaid

MOST, LEAST, SMALLEST, LOOKED_AT = 4.0, 64, 16, 1_000
NEARBY = 2  # frequencies, to either side


class Checkerboard(Diagnostic, name="checkerboard"):
    """Compares the power of samples at the frequency of every other pixel with that of real images."""

    looks_for: ClassVar[str] = "checkerboards in the samples"
    citation: ClassVar[str] = "Odena et al. 2016; Durall et al. 2020 (the spectrum of upsampled images)"
    caption: ClassVar[str] = f"the middle {SMALLEST}x{SMALLEST} pixels of samples; those of real images"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure the power at the stride of two, over that of real images."""
        source, samples = evidence.need_images(), evidence.need_samples(LEAST)
        if min(source.shape[1:]) < SMALLEST:
            raise Unsaid(f"images of {source.shape[1]}x{source.shape[2]} are too small: {SMALLEST}x{SMALLEST} would do")
        ratio = peak_at_stride(samples[:LOOKED_AT]) / peak_at_stride(source.test.samples[:LOOKED_AT])
        return (Measure.below("power at a period of two pixels, over that of real images", ratio, MOST),)

    def illustrate(self, evidence: Evidence) -> Sequence[Tensor]:
        """Show the middle of samples and of real images, which is enlarged when it is drawn."""
        both = evidence.need_samples(LEAST), evidence.need_images().test.samples
        return [_cut_middle(each[:SHOWN]) for each in both]

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find a peak that real images do not have."""
        (ratio,) = measures
        return self.find(
            "warning",
            f"The samples have checkerboards: {ratio.value:.1f} times the power of real images at two pixels' period.",
            measures,
            "repeat pixels instead of a transposed convolution, and filter the image at the end",
            evidence.command("networks.upsampling=smooth") if _has_choice(evidence) else "",
        )


def _cut_middle(images: Tensor) -> Tensor:
    top, left = ((side - SMALLEST) // 2 for side in images.shape[2:])
    return images[:, :, top : top + SMALLEST, left : left + SMALLEST]


def _has_choice(evidence: Evidence) -> bool:
    return evidence.recipe is not None and hasattr(evidence.recipe.networks, "upsampling")


def peak_at_stride(images: Tensor) -> float:
    """Return the power of uint8 `images` [N, C, H, W] at the period of two pixels, over that of frequencies nearby.

    The geometric mean over the three frequencies that a pattern of 2x2 pixels has: along rows, along columns, both.
    """
    gray: NDArray[np.float32] = to_float(images).mean(1).numpy()
    power = (np.abs(np.fft.fft2(gray)) ** 2).mean(0) + 1e-9
    row, column = power.shape[0] // 2, power.shape[1] // 2
    peaks = []
    for place in ((row, 0), (0, column), (row, column)):
        around = np.roll(power, (NEARBY - place[0], NEARBY - place[1]), (0, 1))[: 2 * NEARBY + 1, : 2 * NEARBY + 1]
        peaks.append(np.log(power[place] / np.median(around)))
    return float(np.exp(np.mean(peaks)))
