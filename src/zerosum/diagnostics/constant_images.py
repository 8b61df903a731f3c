"""Constant images: training images with nothing on them."""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from zerosum.diagnostics import SHOWN, Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence

MOST, FLAT, LOOKED_AT = 0.05, 2.0, 20_000


class ConstantImages(Diagnostic, name="constant-images"):
    """Counts training images whose pixels are all but the same."""

    of_data: ClassVar[bool] = True
    looks_for: ClassVar[str] = "training images with nothing on them"
    citation: ClassVar[str] = "our own: what people find when they look at their folder"
    caption: ClassVar[str] = "training images that are all but of one colour; others"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure the share of images with a standard deviation of less than FLAT of 255."""
        share = float(find_flat(evidence.need_images().train.samples[:LOOKED_AT]).float().mean())
        return (Measure.below("training images that are all but of one colour", share, MOST),)

    def illustrate(self, evidence: Evidence) -> Sequence[Tensor]:
        """Show the first ones of both kinds."""
        images = evidence.need_images().train.samples[:LOOKED_AT]
        flat = find_flat(images)
        return [images[each.nonzero()[:SHOWN, 0]] for each in (flat, ~flat)]

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that many are empty."""
        (share,) = measures
        return self.find(
            "warning",
            f"{share.value:.0%} of the training images are all but of one colour, and G learns to make such.",
            measures,
            "look at the folder, and leave them out",
        )


def find_flat(images: Tensor) -> Tensor:
    """Return which of uint8 `images` [N, C, H, W] are all but of one colour, bool [N]."""
    return images.flatten(1).float().std(1) < FLAT
