"""Few samples to train on."""

from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence

FEWEST = 500


class FewImages(Diagnostic, name="few-images"):
    """Counts the images to train on."""

    of_data: ClassVar[bool] = True
    looks_for: ClassVar[str] = "too few images to train on"
    citation: ClassVar[str] = "Karras et al. 2020 (ADA), figure 1; Zhao et al. 2020 (DiffAugment)"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Count them."""
        count = len(evidence.need_images().train)
        return (Measure.above("images to train on", count, FEWEST),)

    def is_there(self, evidence: Evidence, *measures: Measure) -> bool:
        """They are enough if something augments them."""
        augmented = evidence.recipe is not None and evidence.recipe.tricks
        return super().is_there(evidence, *measures) and not augmented

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that they are few, and nothing augments them."""
        (count,) = measures
        return self.find(
            "warning",
            f"{count.value:,.0f} images are few: the discriminator will learn them by heart.",
            measures,
            "augment what D sees (DiffAugment), begin from a generator of similar images (--from), or find more",
            evidence.command('tricks=["diff-augment"]'),
        )
