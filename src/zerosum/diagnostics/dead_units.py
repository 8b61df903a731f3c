"""Dead units: hidden units that are 0 whatever the input, and learn nothing any more."""

from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence
from zerosum.diagnostics.rate_too_high import change_rates

MOST = 0.3


class DeadUnits(Diagnostic, name="dead-units"):
    """Counts the units after rectifiers that are 0 for every sample."""

    live: ClassVar[bool] = True
    symptom: ClassVar[bool] = True
    any_suffices: ClassVar[bool] = True
    looks_for: ClassVar[str] = "hidden units that are always 0"
    citation: ClassVar[str] = "Maas et al. 2013"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure the share of both players."""
        return tuple(
            Measure.below(f"hidden units of the {name} that are 0 for every sample", share, MOST)
            for name, share in evidence.need_examination().dead.items()
        )

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that many are dead."""
        worst = max(measures, key=lambda measure: measure.value)
        return self.find(
            "warning",
            f"{worst.value:.0%} of the {worst.what.removesuffix(' that are 0 for every sample')} are dead: 0 for every "
            "sample.",
            measures,
            "half the learning rates",
            evidence.command(*change_rates(evidence, 0.5)),
        )
