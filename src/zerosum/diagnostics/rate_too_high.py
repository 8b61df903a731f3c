"""Rates too high: an update moves the weights by more than a small step."""

import math
from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence, Unsaid

MOST_STEP, MOST_MOVED = 0.1, 4.0


class RateTooHigh(Diagnostic, name="rate-too-high"):
    """Looks at how far the generator's weights have gone, and at the length of an update at the first learning rate."""

    live: ClassVar[bool] = True
    any_suffices: ClassVar[bool] = True
    looks_for: ClassVar[str] = "learning rates that are too high"
    citation: ClassVar[str] = "Mescheder et al. 2017, section 3 (steps must be small against the rotation of the game)"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure both over the length of the weights; the first is not known while a run trains."""
        examination = evidence.need_examination()
        size, moved = examination.step_sizes["generator"], examination.moved["generator"]
        found = [
            Measure.below("how far the generator's weights have moved, over their length", moved, MOST_MOVED),
            Measure.below("length of an update over that of the generator's weights", size, MOST_STEP),
        ]
        known = tuple(measure for measure in found if not math.isnan(measure.value))
        if not known:
            raise Unsaid("it knows Adam's updates, and weights that were drawn")
        return known

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that the weights jump, or have gone far away."""
        first = next(measure for measure in measures if measure.beyond)
        words = f"{first.what}: {first.value:.2g}"
        return self.find(
            "warning",
            f"The learning rates are too high ({words}).",
            measures,
            "a tenth of both learning rates",
            evidence.command(*change_rates(evidence, 0.1)),
        )


def change_rates(evidence: Evidence, factor: float) -> list[str]:
    """Return the changes of the recipe that multiply both learning rates; none if they are not known."""
    recipe = evidence.recipe
    if recipe is None:
        return []
    configs = {
        "generator_optimizer": recipe.generator_optimizer,
        "discriminator_optimizer": recipe.discriminator_optimizer,
    }
    return [f"{name}.lr={factor * config.lr:g}" for name, config in configs.items() if hasattr(config, "lr")]
