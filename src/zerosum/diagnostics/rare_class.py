"""A rare class: one that is all but missing among the training data."""

from typing import ClassVar

import torch

from zerosum.diagnostics import Diagnostic, Finding, Measure
from zerosum.diagnostics.evidence import Evidence, Unsaid

LEAST = 0.1  # of an equal share


class RareClass(Diagnostic, name="rare-class"):
    """Counts the training samples of each class, beside those of the test split."""

    of_data: ClassVar[bool] = True
    looks_for: ClassVar[str] = "a class that is rare or missing in the training data"
    citation: ClassVar[str] = "our own"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure the share of the rarest class, over an equal one, and the classes that are missing."""
        source = evidence.need_source()
        train, test = source.train.labels, source.test.labels
        if source.classes < 2 or train is None or test is None:
            raise Unsaid("it needs labels")
        counts = torch.bincount(train, minlength=source.classes)
        missing = ((counts == 0) & (torch.bincount(test, minlength=source.classes) > 0)).sum()
        rarest = source.class_names[int(counts.argmin())]
        return (
            Measure.above(
                f"training samples of the rarest class, {rarest}, over an equal share",
                float(counts.min()) * source.classes / len(train),
                LEAST,
            ),
            Measure("classes of test samples without training samples", float(missing)),
        )

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that one is rare."""
        share, missing = measures
        sentence = (
            f"{missing.value:.0f} of the test samples' classes are missing among the training samples."
            if missing.value
            else f"A class is rare: {share.what} are {share.value:.2g}."
        )
        return self.find(
            "warning", sentence, measures, "find more samples of it, or leave the class out of both splits"
        )
