"""Too short: the samples were still becoming better fast when the training ended."""

import math
from collections.abc import Sequence
from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence, Unsaid
from zerosum.diagnostics.rate_too_low import LEAST_STEP

FASTEST, FAR, LEAST_MOVED, LONGER = 0.6, 3.0, 0.45, 4


class TooShort(Diagnostic, name="too-short"):
    """Looks at how fast the distance to real data still fell, and at how far the generator has come."""

    looks_for: ClassVar[str] = "a training that ended too early"
    citation: ClassVar[str] = "our own: distances of runs of all lengths (docs/budget.md)"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure what is left of the distance at the end, and how far the weights have moved if steps were of use."""
        if evidence.step < evidence.steps:
            raise Unsaid("it needs the end of the training")
        found = list(self._measure_distances(evidence))
        examination = evidence.examination
        if examination is not None and examination.step_sizes["generator"] > LEAST_STEP:
            moved = examination.moved["generator"]
            if not math.isnan(moved):
                words = "how far the generator's weights have moved, over their length"
                found.append(Measure.above(words, moved, LEAST_MOVED))
        if not found:
            raise Unsaid("there are neither scores through time nor players to look at")
        return tuple(found)

    def _measure_distances(self, evidence: Evidence) -> tuple[Measure, ...]:
        try:
            (_, before), (_, last) = evidence.need_distances()[-2:]
        except Unsaid:
            return ()
        same = (record.score.real for record in evidence.scores if record.score.metric == last.metric)
        floor = next((real for real in same if real), None)
        if not floor:
            return ()
        left = max(last.value - floor, 0.0) / max(before.value - floor, 1e-12)
        return (
            Measure.above("Fréchet distance above that of real data, over the score before", left, FASTEST),
            Measure.below("Fréchet distance over that of real data", last.value / floor, FAR),
        )

    def is_there(self, evidence: Evidence, *measures: Measure) -> bool:
        """Either suffices."""
        last = measures[-1]
        return _still_falls(measures) or (last.bound == LEAST_MOVED and last.beyond)

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that the distance still fell fast, from far away, or that the weights are near where they began."""
        last = measures[-1]
        falling = _still_falls(measures)
        why = (
            f"its last part left {measures[0].value:.0%} of the distance to real data, so more of it would leave less"
            if falling
            else f"the generator's weights have moved by only {last.value:.0%} of their own length"
        )
        return self.find(
            "warning",
            f"The training was too short: {why}.",
            measures,
            f"{LONGER} times the iterations, from the beginning, so that the learning rates fall later",
            evidence.command(steps=LONGER * evidence.steps),
        )


def _still_falls(measures: Sequence[Measure]) -> bool:
    """Whether the distance is among the measures, still far from that of real data, and was falling fast."""
    return len(measures) > 1 and measures[0].beyond and measures[1].beyond
