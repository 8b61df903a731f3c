"""Stagnation: an earlier generator was as good, or better."""

from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence, Unsaid
from zerosum.metrics.statistics import ConfidenceInterval

WORSE, LEAST_SCORES, TINY = 1.25, 3, 1e-12


class Stagnation(Diagnostic, name="stagnation"):
    """Looks for a better score than the last one."""

    symptom: ClassVar[bool] = True
    looks_for: ClassVar[str] = "a training that went past its best"
    citation: ClassVar[str] = "Lucic et al. 2018, section 6 (the distance through time)"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Compare the last Fréchet distance with the smallest one."""
        distances = evidence.need_distances()
        if len(distances) < LEAST_SCORES:
            raise Unsaid(f"{len(distances)} scores through time are too few: {LEAST_SCORES} would do")
        step, best = min(distances, key=lambda each: each[1].value)
        last = distances[-1][1]
        words = f"Fréchet distance, over the smallest one (step {step:,})"
        least, middle, most = (max(each, TINY) for each in (best.low, best.value, best.high))
        ratio = ConfidenceInterval(last.value / middle, last.low / most, last.high / least)
        return (Measure.below(words, ratio, WORSE),)

    def is_there(self, evidence: Evidence, *measures: Measure) -> bool:
        """It is worth a note that an earlier generator was better beyond its interval, before it is a warning."""
        (ratio,) = measures
        return ratio.low is not None and ratio.low > 1

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that the last generator is worse than an earlier one, or no better."""
        (ratio,) = measures
        step = min(evidence.need_distances(), key=lambda each: each[1].value)[0]
        return self.find(
            "warning" if ratio.beyond else "note",
            f"The best generator was that of step {step:,}; the last one is {ratio.value:.2f} times as far away.",
            measures,
            "take best.safetensors, and stop there next time",
            evidence.command(steps=step),
        )
