"""Missing modes: kinds of real data that the generator all but leaves out."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from zerosum.diagnostics import SHOWN, Diagnostic, Finding, Measure
from zerosum.diagnostics.comparisons import count_places, find_fewer, measure_missed
from zerosum.diagnostics.evidence import Evidence, Unsaid

FACTOR = 5.0  # a group is all but left out if it has less than a fifth of its share
MOST_MISSED = 0.3
LEAST = 200


class MissingModes(Diagnostic, name="missing-modes"):
    """Groups training data by their features, and counts samples and unseen real data in the groups."""

    symptom: ClassVar[bool] = True
    looks_for: ClassVar[str] = "missing modes: kinds of real data that samples leave out"
    citation: ClassVar[str] = "Richardson & Weiss 2018 (bins and their two-proportion test)"
    caption: ClassVar[str] = "real images of the kinds that are left out; samples, not chosen"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure the share of real data in groups that the generator leaves out."""
        evidence.need_samples(LEAST)
        evaluation = evidence.need_evaluation()
        if len(evaluation.test) < LEAST:
            raise Unsaid(f"{len(evaluation.test):,} test samples are too few to be grouped: {LEAST} would do")
        fake, real = count_places(*evidence.groups)
        fewer = find_fewer(fake, real, 1.0).sum()
        return (
            Measure.below(
                f"share of real data in groups with less than 1/{FACTOR:g} of their share of samples",
                measure_missed(fake, real, FACTOR),
                MOST_MISSED,
            ),
            Measure(f"groups of {len(real)} with too few samples, beyond chance", float(fewer)),
            *self._count_classes(evidence),
        )

    def _count_classes(self, evidence: Evidence) -> Iterator[Measure]:
        """Yield the share of the class that samples have least of, where the features tell classes apart."""
        evaluation, source = evidence.need_evaluation(), evidence.need_source()
        labels = source.test.labels
        if not evaluation.features.classes or labels is None or source.classes != evaluation.features.classes:
            return
        made = evaluation.features.logits(torch.from_numpy(evidence.fake_features)).argmax(1)
        shares, real = (torch.bincount(each, minlength=source.classes) / len(each) for each in (made, labels))
        rarest = int((shares / real.clamp(min=1e-9)).argmin())
        name = source.class_names[rarest]
        yield Measure(
            f"samples of class {name}, the rarest, over its share of test data", float(shares[rarest] / real[rarest])
        )

    def illustrate(self, evidence: Evidence) -> Sequence[Tensor]:
        """Choose unseen real images in the groups that samples all but leave out, and beside them samples."""
        fake, real = count_places(*evidence.groups)
        missed = find_fewer(fake, real, FACTOR)
        _, (_, of_test) = evidence.groups
        rows = torch.from_numpy(np.flatnonzero(missed[of_test])[:SHOWN])
        return evidence.need_evaluation().test.samples[rows], evidence.need_samples(LEAST)[:SHOWN]

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that much of the data is left out."""
        missed = measures[0]
        changes = []
        if evidence.recipe is not None and not evidence.recipe.regularizers:
            changes = ['regularizers=["r1"]']
        return self.find(
            "warning",
            f"The generator leaves out kinds of data that make up {missed.value:.0%} of the real samples.",
            measures,
            "give D a penalty, pack samples (networks.packing=2), or train longer",
            evidence.command(*(changes or ["networks.packing=2"])),
        )
