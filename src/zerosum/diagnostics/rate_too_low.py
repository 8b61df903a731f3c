"""Rates too low: the weights have hardly left the ones that they began with."""

import math
from typing import ClassVar

from zerosum.diagnostics import CALIBRATED, Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence, Unsaid
from zerosum.diagnostics.rate_too_high import change_rates

LEAST_STEP, LEAST_MOVED, FACTOR = 3e-4, 0.1, 10.0


class RateTooLow(Diagnostic, name="rate-too-low"):
    """Compares the length of an update with that of the weights, and the weights with those of the beginning."""

    looks_for: ClassVar[str] = "learning rates that are too low"
    citation: ClassVar[str] = "Kingma & Ba 2015, section 2.1 (an update is at most about as long as the rate)"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure how much an update changes the generator, and how far all of them have taken it."""
        examination = evidence.need_examination()
        size, moved = examination.step_sizes["generator"], examination.moved["generator"]
        if math.isnan(size) or math.isnan(moved):
            raise Unsaid("it knows Adam's updates only, from weights that were drawn")
        return (
            Measure(
                "length of an update of the generator over that of its weights",
                size,
                f"above {LEAST_STEP:g}",
                CALIBRATED,
            ),
            Measure("how far its weights have moved, over their length", moved, f"above {LEAST_MOVED:g}", CALIBRATED),
        )

    def judge(self, evidence: Evidence, *measures: Measure) -> Finding | None:
        """Find that the generator stands still."""
        size, moved = measures
        if size.value > LEAST_STEP or moved.value > LEAST_MOVED:
            return None
        return self.find(
            "failure",
            f"The learning rates are too low: after {evidence.step:,} iterations the generator's weights have moved by "
            f"{moved.value:.1%} of their length.",
            measures,
            f"{FACTOR:g} times both learning rates",
            evidence.command(*change_rates(evidence, FACTOR)),
        )
