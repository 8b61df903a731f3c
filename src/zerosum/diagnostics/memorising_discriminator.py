"""A memorising discriminator: it knows the training samples from real ones that it has not seen."""

from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.comparisons import compare_pairs
from zerosum.diagnostics.evidence import Evidence, Unsaid
from zerosum.diagnostics.few_images import FEWEST

MOST, LEAST = 0.75, 50


class MemorisingDiscriminator(Diagnostic, name="memorising-discriminator"):
    """Compares the discriminator's logits for training samples with those for real ones that it has not seen."""

    live: ClassVar[bool] = True
    looks_for: ClassVar[str] = "a discriminator that learned its samples by heart"
    citation: ClassVar[str] = "Karras et al. 2020 (ADA), section 2 and its r_v; Webster et al. 2019"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure how often a training sample has a larger logit than an unseen one."""
        examination = evidence.need_examination()
        trained, unseen = examination.trained_logits, examination.unseen_logits
        if min(len(trained), len(unseen)) < LEAST:
            raise Unsaid(f"{min(len(trained), len(unseen))} logits are too few: {LEAST} would do")
        share = compare_pairs(trained.double().numpy(), unseen.double().numpy())
        return (
            Measure.below("pairs in which D prefers a training sample to an unseen one", share, MOST),
            Measure("r_t of ADA, the mean sign of its logits for training samples", float(trained.sign().mean())),
        )

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that training samples have larger logits; with few images that is what spoils the samples."""
        share = measures[0]
        few = evidence.source is not None and evidence.source.is_images and len(evidence.source.train) < FEWEST
        bare = few and not (evidence.recipe is not None and evidence.recipe.tricks)
        return self.find(
            "warning" if few else "note",
            f"The discriminator learns its samples by heart: it prefers a training sample to an unseen real one in "
            f"{share.value:.0%} of the pairs.",
            measures,
            "augment what D sees (DiffAugment), or find more images"
            if bare
            else "look whether scores still become better; a penalty on D's gradient (R1), or fewer iterations",
            evidence.command('tricks=["diff-augment"]' if bare else 'regularizers=["r1"]'),
        )
