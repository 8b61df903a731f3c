"""Divergence: the losses grow without an end, or are no longer numbers."""

from typing import ClassVar

import numpy as np

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.discriminator_won import keep_updates, weaken
from zerosum.diagnostics.evidence import Evidence

LAST, MOST_GROWTH, MOST_LOSS = 0.1, 5.0, 20.0
LOSSES = ("generator_loss", "discriminator_loss")


class Divergence(Diagnostic, name="divergence"):
    """Compares the losses at the end with those of the first half."""

    live: ClassVar[bool] = True
    symptom: ClassVar[bool] = True
    any_suffices: ClassVar[bool] = True
    looks_for: ClassVar[str] = "losses that grow without an end"
    citation: ClassVar[str] = "Brock et al. 2019, section 4; Mescheder et al. 2018, section 2"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure how much larger the losses are in the last tenth than before."""
        lost = self._count_lost(evidence)
        measures = [Measure.below("losses in the last tenth that are NaN or infinite", lost, 1)]
        for name in LOSSES:
            if lost:
                break
            values = np.abs(evidence.need_curve(name))
            before = float(np.median(values[: len(values) // 2]))
            now = float(np.median(values[-max(2, int(LAST * len(values))) :]))
            bound = MOST_LOSS if name == "discriminator_loss" else max(MOST_LOSS, MOST_GROWTH * before)
            words = f"{name.replace('_', ' ')} in the last tenth"
            measures.append(Measure.below(words, now, bound))
        return tuple(measures)

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find a loss that has outgrown its threshold."""
        lost, *grown = measures
        changes, advice = weaken(evidence.recipe)
        sentence = f"The game diverged: {lost.value:,.0f} losses in the last tenth are NaN or infinite."
        if not lost.beyond:
            worst = next(each for each in grown if each.beyond)
            sentence = f"The game diverges: the {worst.what} is {worst.value:.3g}, and grew."
        return self.find(
            "failure" if lost.beyond else "warning",
            sentence,
            measures,
            advice,
            evidence.command(*changes, steps=keep_updates(evidence) if "discriminator_steps=1" in changes else None),
        )

    @staticmethod
    def _count_lost(evidence: Evidence) -> int:
        """Count the losses of the last tenth that are not finite."""
        known = [evidence.curves[name] for name in LOSSES if name in evidence.curves]
        return sum(int((~np.isfinite(each[-max(2, int(LAST * len(each))) :])).sum()) for each in known)
