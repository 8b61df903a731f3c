"""Divergence: the losses grow without an end."""

from typing import ClassVar

import numpy as np

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.discriminator_won import keep_updates, weaken
from zerosum.diagnostics.evidence import Evidence

LAST, MOST_GROWTH, MOST_LOSS = 0.1, 5.0, 20.0


class Divergence(Diagnostic, name="divergence"):
    """Compares the losses at the end with those of the first half."""

    live: ClassVar[bool] = True
    symptom: ClassVar[bool] = True
    any_suffices: ClassVar[bool] = True
    looks_for: ClassVar[str] = "losses that grow without an end"
    citation: ClassVar[str] = "Brock et al. 2019, section 4; Mescheder et al. 2018, section 2"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure how much larger the losses are in the last tenth than before."""
        measures = []
        for name in ("generator_loss", "discriminator_loss"):
            values = np.abs(evidence.need_curve(name))
            before = float(np.median(values[: len(values) // 2]))
            now = float(np.median(values[-max(2, int(LAST * len(values))) :]))
            bound = MOST_LOSS if name == "discriminator_loss" else max(MOST_LOSS, MOST_GROWTH * before)
            words = f"{name.replace('_', ' ')} in the last tenth"
            measures.append(Measure.below(words, now, bound))
        return tuple(measures)

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find a loss that has outgrown its threshold."""
        worst = next(each for each in measures if each.beyond)
        changes, advice = weaken(evidence.recipe)
        return self.find(
            "warning",
            f"The game diverges: the {worst.what} is {worst.value:.3g}, and grew.",
            measures,
            advice,
            evidence.command(*changes, steps=keep_updates(evidence) if "discriminator_steps=1" in changes else None),
        )
