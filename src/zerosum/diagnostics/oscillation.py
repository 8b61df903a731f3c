"""Oscillation: the players go around each other, and the losses with them."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence, Unsaid
from zerosum.diagnostics.rate_too_high import change_rates

MOST_SHARE, LAST = 0.5, 0.7
SLOWEST = 4  # cycles in what is looked at; slower ones are a trend
LEAST = 60  # lines; the strongest period of fewer has half of the power by chance


class Oscillation(Diagnostic, name="oscillation"):
    """Looks for one period in the discriminator's loss."""

    live: ClassVar[bool] = True
    symptom: ClassVar[bool] = True
    looks_for: ClassVar[str] = "losses that go up and down with one period"
    citation: ClassVar[str] = "Mescheder et al. 2017, section 3 (imaginary eigenvalues are rotation)"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure the share of the loss's power at its strongest period."""
        losses = evidence.need_curve("discriminator_loss", LAST)
        if len(losses) < LEAST:
            raise Unsaid(f"{len(losses)} lines are too few to tell a period from chance: {LEAST} would do")
        share, cycles = find_period(losses)
        return (
            Measure.below(
                f"share of the power of D's loss at its strongest period, {cycles:.0f} cycles",
                share,
                MOST_SHARE,
            ),
        )

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that one period has much of the power."""
        (share,) = measures
        return self.find(
            "warning",
            f"The players go around each other: {share.value:.0%} of the movement of D's loss has one period.",
            measures,
            "a penalty on D's gradient (R1), and half the learning rates",
            evidence.command('regularizers=["r1"]', *change_rates(evidence, 0.5)),
        )


def find_period(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the share of the power of `values` [n], without their trend, near the strongest period, and its cycles."""
    line = np.arange(len(values))
    rest = values - np.polyval(np.polyfit(line, values, 2), line)
    power = np.abs(np.fft.rfft(rest * np.hanning(len(rest)))) ** 2
    if power.sum() == 0:
        return 0.0, 0.0
    strongest = SLOWEST + int(power[SLOWEST:].argmax())
    return float(power[max(strongest - 1, 0) : strongest + 2].sum() / power.sum()), float(strongest)
