"""Few test samples: scores that say little."""

from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence

FEWEST = 200


class FewTest(Diagnostic, name="few-test"):
    """Counts the samples that scores compare with."""

    of_data: ClassVar[bool] = True
    looks_for: ClassVar[str] = "too few test samples for any score"
    citation: ClassVar[str] = "Chong & Forsyth 2020 (the bias of finite samples)"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Count them."""
        count = len(evidence.need_source().test)
        return (Measure.above("test samples", count, FEWEST),)

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that they are few."""
        (count,) = measures
        return self.find(
            "note",
            f"{count.value:,.0f} test samples are too few for scores that tell good generators from better ones.",
            measures,
            f"find more data: {FEWEST} test samples are the least, some 1,000 more to train on",
        )
