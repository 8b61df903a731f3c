"""Too short: the samples were still becoming better fast when the training ended."""

from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence, Unsaid

FASTEST, FAR, LONGER = 0.6, 3.0, 4


class TooShort(Diagnostic, name="too-short"):
    """Compares the last score with the one before."""

    looks_for: ClassVar[str] = "a training that ended too early"
    citation: ClassVar[str] = "our own: distances of runs of all lengths (docs/budget.md)"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure how much of the distance, above that of real data, the last part of the training left."""
        distances = evidence.need_distances()
        if evidence.step < evidence.steps:
            raise Unsaid("it needs the end of the training")
        (_, before), (_, last) = distances[-2:]
        if not last.real:
            raise Unsaid("there is no score of real data to compare with")
        left = max(last.value - last.real, 0.0) / max(before.value - last.real, 1e-12)
        return (
            Measure.above("Fréchet distance above that of real data, over the score before", left, FASTEST),
            Measure.below("Fréchet distance over that of real data", last.value / last.real, FAR),
        )

    def judge(self, evidence: Evidence, *measures: Measure) -> Finding | None:
        """Find that the distance still fell fast, from far away."""
        left, many = measures
        if not (left.beyond and many.beyond):
            return None
        steps = LONGER * evidence.steps
        return self.find(
            "warning",
            f"The training was too short: its last part left {left.value:.0%} of the distance to real data, so more "
            "of it would leave less.",
            measures,
            f"{LONGER} times the iterations, from the beginning, so that the learning rates fall later",
            evidence.command(steps=steps),
        )
