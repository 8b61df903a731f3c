"""Constant images: training images with nothing on them."""

from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence

MOST, FLAT, LOOKED_AT = 0.05, 2.0, 20_000


class ConstantImages(Diagnostic, name="constant-images"):
    """Counts training images whose pixels are all but the same."""

    of_data: ClassVar[bool] = True
    looks_for: ClassVar[str] = "training images with nothing on them"
    citation: ClassVar[str] = "our own: what people find when they look at their folder"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure the share of images with a standard deviation of less than FLAT of 255."""
        images = evidence.need_images().train.samples[:LOOKED_AT]
        share = float((images.flatten(1).float().std(1) < FLAT).float().mean())
        return (Measure.below("training images that are all but of one colour", share, MOST),)

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that many are empty."""
        (share,) = measures
        return self.find(
            "warning",
            f"{share.value:.0%} of the training images are all but of one colour, and G learns to make such.",
            measures,
            "look at the folder, and leave them out",
        )
