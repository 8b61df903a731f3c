"""Duplicates: the same sample many times among the training data."""

from typing import ClassVar

import numpy as np
from torch import Tensor

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence

MOST, LOOKED_AT = 0.2, 50_000


class Duplicates(Diagnostic, name="duplicates"):
    """Counts training samples that are there more than once."""

    of_data: ClassVar[bool] = True
    looks_for: ClassVar[str] = "duplicates among the training data"
    citation: ClassVar[str] = "Carlini et al. 2023, section 4 (what is there often is learned by heart)"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure the share of samples that are copies of another one."""
        samples = evidence.need_source().train.samples[:LOOKED_AT]
        share = 1 - count_different(samples) / len(samples)
        return (Measure.below(f"copies among {len(samples):,} training samples", share, MOST),)

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that many are copies."""
        (share,) = measures
        return self.find(
            "warning",
            f"{share.value:.0%} of the training samples are copies of others: the data are fewer than they seem.",
            measures,
            "leave the copies out, so that each sample is there once; augmenting did not help (docs/doctor.md)",
        )


def count_different(samples: Tensor) -> int:
    """Count the different rows of `samples` [N, ...]."""
    rows = np.ascontiguousarray(samples.numpy()).reshape(len(samples), -1)
    return len({row.tobytes() for row in rows})
