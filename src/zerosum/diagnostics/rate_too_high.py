"""Rates too high: an update moves the weights by more than a small step."""

import math
from typing import ClassVar

from zerosum.diagnostics import CALIBRATED, Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence, Unsaid

MOST = 0.03


class RateTooHigh(Diagnostic, name="rate-too-high"):
    """Compares the length of an update, at the first learning rate, with that of the weights."""

    live: ClassVar[bool] = True
    looks_for: ClassVar[str] = "learning rates that are too high"
    citation: ClassVar[str] = "Mescheder et al. 2017, section 3 (steps must be small against the rotation of the game)"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure how much an update changes the weights of each player."""
        sizes = evidence.need_examination().step_sizes
        if any(math.isnan(size) for size in sizes.values()):
            raise Unsaid("it knows Adam's updates only")
        return tuple(
            Measure(f"length of an update of the {name} over that of its weights", size, f"below {MOST:g}", CALIBRATED)
            for name, size in sizes.items()
        )

    def judge(self, evidence: Evidence, *measures: Measure) -> Finding | None:
        """Find that the weights jump."""
        largest = max(measures, key=lambda measure: measure.value)
        if largest.value < MOST:
            return None
        return self.find(
            "warning",
            f"The learning rates are too high: an update changes weights by {largest.value:.0%} of their length.",
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
