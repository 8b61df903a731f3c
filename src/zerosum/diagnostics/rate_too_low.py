"""Rates too low: the weights have hardly left the ones that they began with."""

import math
from typing import ClassVar

from zerosum.catalog import name_of
from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.discriminator_won import DiscriminatorWon
from zerosum.diagnostics.evidence import Evidence, Unsaid
from zerosum.diagnostics.rate_too_high import change_rates

LEAST_STEP, LEAST_MOVED, FACTOR = 1e-3, 0.4, 10.0


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
            Measure.above(
                "length of an update of the generator over that of its weights",
                size,
                LEAST_STEP,
            ),
            Measure.above("how far its weights have moved, over their length", moved, LEAST_MOVED),
        )

    def is_there(self, evidence: Evidence, *measures: Measure) -> bool:
        """The rates are not to blame if there is no gradient."""
        return super().is_there(evidence, *measures) and not _has_vanished(evidence)

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that the generator stands still."""
        moved = measures[1]
        return self.find(
            "failure",
            f"The learning rates are too low: after {evidence.step:,} iterations the generator's weights have moved by "
            f"{moved.value:.1%} of their length.",
            measures,
            f"{FACTOR:g} times both learning rates",
            evidence.command(*change_rates(evidence, FACTOR)),
        )


def _has_vanished(evidence: Evidence) -> bool:
    """Whether the generator stands still for another reason: the gradient of a saturating game against a sure D."""
    saturates = evidence.recipe is not None and name_of(evidence.recipe.game) == "minimax"
    return saturates and DiscriminatorWon().is_there(evidence, *DiscriminatorWon().measure(evidence))
