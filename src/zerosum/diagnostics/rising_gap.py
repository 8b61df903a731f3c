"""A rising duality gap: the players move away from an equilibrium."""

from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence
from zerosum.diagnostics.rate_too_high import change_rates
from zerosum.equilibrium.duality_gap import NEGLIGIBLE
from zerosum.metrics.statistics import ConfidenceInterval

LAST = 1 / 3  # of the training, in which the gap should have stopped rising


class RisingGap(Diagnostic, name="rising-gap"):
    """Looks for a duality gap that is larger than one before, by more than both intervals allow."""

    symptom: ClassVar[bool] = True
    looks_for: ClassVar[str] = "a duality gap that rises at the end of the training"
    citation: ClassVar[str] = "Grnarova et al. 2019, section 4 (the gap falls where a training converges)"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Compare the newest gap with the smallest one before it, in the last third of the training."""
        *before, last = evidence.need_gaps(LAST)
        least = min(before, key=lambda each: each.gap.value)
        rise = ConfidenceInterval(
            last.gap.value - least.gap.value, last.gap.low - least.gap.high, last.gap.high - least.gap.low
        )
        words = f"duality gap at step {last.step:,}, less the one at step {least.step:,}"
        return (Measure.below(words, rise, NEGLIGIBLE, "less does not count as a gap"),)

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that there is more to gain alone than before."""
        (rise,) = measures
        return self.find(
            "warning",
            f"The players move away from an equilibrium: the duality gap has risen by {rise.value:.3f} in the last "
            "third of the training.",
            measures,
            "a penalty on D's gradient (R1), and half the learning rates; or stop where the gap was smallest",
            evidence.command('regularizers=["r1"]', *change_rates(evidence, 0.5)),
        )
