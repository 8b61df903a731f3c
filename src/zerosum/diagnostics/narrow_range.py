"""A narrow range: images that use a small part of the values between black and white."""

from typing import ClassVar

import numpy as np

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence

LEAST, LOOKED_AT = 0.25, 2_000


class NarrowRange(Diagnostic, name="narrow-range"):
    """Looks at which values the pixels of training images have."""

    of_data: ClassVar[bool] = True
    looks_for: ClassVar[str] = "images in the wrong range"
    citation: ClassVar[str] = "our own: values in [0, 1] stored as bytes are black"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure the distance from the darkest to the brightest thousandth, over 255."""
        low, high = find_range(evidence)
        return (Measure.above("range of the pixels, over that of bytes", (high - low) / 255, LEAST),)

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that it is narrow."""
        (part,) = measures
        low, high = find_range(evidence)
        return self.find(
            "warning",
            f"The images use {part.value:.1%} of the range from black to white: their values may be of another one.",
            measures,
            "say which values are black and white",
            evidence.command(f"data.range={low:g}..{high:g}"),
        )


def find_range(evidence: Evidence) -> tuple[float, float]:
    """Return the darkest and the brightest thousandth of the pixels of training images."""
    images = evidence.need_images().train.samples[:LOOKED_AT].numpy()
    low, high = np.percentile(images, [0.1, 99.9])
    return float(low), float(high)
