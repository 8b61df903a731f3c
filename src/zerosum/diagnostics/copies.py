"""Copies: samples lie nearer to the training images than unseen images do."""

from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence, Unsaid
from zerosum.metrics.statistics import ConfidenceInterval

MOST = 0.75
NAME = "nearer-than-real"


class Copies(Diagnostic, name="copies"):
    """Looks at the score of memorisation."""

    symptom: ClassVar[bool] = True
    looks_for: ClassVar[str] = "copies of training images"
    citation: ClassVar[str] = "Meehan et al. 2020"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Take the last score."""
        evidence.need_images()
        found = [record.score for record in evidence.scores if record.score.metric == NAME]
        if not found:
            raise Unsaid(f"there is no score {NAME} yet: a run measures it at its end")
        last = found[-1]
        words = "pairs in which a sample is nearer to a training image than an unseen image is"
        return (Measure.below(words, ConfidenceInterval(last.value, last.low, last.high), MOST),)

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that samples are too near."""
        (share,) = measures
        return self.find(
            "warning",
            f"Samples are close to training images: nearer than unseen ones in {share.value:.0%} of the pairs.",
            measures,
            "look at closest.png; augment what D sees (DiffAugment), find more images, or stop earlier",
            evidence.command('tricks=["diff-augment"]'),
        )
