"""Too short: the samples were still becoming better fast when the training ended."""

from typing import ClassVar

from zerosum.diagnostics import CALIBRATED, Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence, Unsaid

FASTEST, LONGER = 0.6, 4


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
        floor = last.real or 0.0
        left = max(last.value - floor, 0.0) / max(before.value - floor, 1e-12)
        many = last.value / floor if floor else float("inf")
        return (
            Measure(
                "Fréchet distance above that of real data, over the score before",
                left,
                f"above {FASTEST:g}",
                CALIBRATED,
            ),
            Measure("Fréchet distance over that of real data", many, "below 3", CALIBRATED),
        )

    def judge(self, evidence: Evidence, *measures: Measure) -> Finding | None:
        """Find that the distance still fell fast, from far away."""
        left, many = measures
        if left.value > FASTEST or many.value < 3:
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
