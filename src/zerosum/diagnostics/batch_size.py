"""The batch: so small that its gradient is noise, or so large that there are few updates."""

from typing import ClassVar

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence

SMALLEST, GOOD, FEWEST_UPDATES, MOST_EPOCHS_EACH = 4, 32, 1_000, 0.25


class BatchSize(Diagnostic, name="batch-size"):
    """Looks at the size of the minibatch, beside the number of updates and of training samples."""

    looks_for: ClassVar[str] = "a minibatch that is too small or too large"
    citation: ClassVar[str] = "Goodfellow et al. 2014, algorithm 1 (m); McCandlish et al. 2018 (the critical batch)"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Take the size, and the share of the training samples that it is."""
        size, count = evidence.need_recipe().batch_size, len(evidence.need_source().train)
        return (
            Measure.above("samples in a minibatch", size, SMALLEST),
            Measure.below(
                "share of the training samples in a minibatch",
                size / count,
                MOST_EPOCHS_EACH,
            ),
        )

    def is_there(self, evidence: Evidence, *measures: Measure) -> bool:
        """A large minibatch is a fault only if it leaves few updates."""
        size, share = measures
        return size.beyond or (share.beyond and evidence.steps < FEWEST_UPDATES)

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that it is too small, or too large for so few updates."""
        size, share = measures
        if size.beyond:
            sentence = (
                f"The minibatch of {size.value:.0f} is too small: the gradient of so few samples is mostly noise."
            )
        else:
            sentence = (
                f"The minibatch is too large: {size.value:,.0f} samples are {share.value:.0%} of the training samples, "
                f"and leave {evidence.steps:,} updates."
            )
        steps = None if size.beyond else max(1, round(evidence.steps * size.value / GOOD))
        return self.find(
            "warning",
            sentence,
            measures,
            f"{GOOD} samples in a minibatch, for as many iterations, or where it is too large for as many samples",
            evidence.command(f"batch_size={GOOD}", steps=steps),
        )
