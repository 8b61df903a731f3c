"""Collapse: the generator makes one sample, or a few, whatever the latents."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from torch import Tensor

from zerosum.diagnostics import SHOWN, Diagnostic, Finding, Measure
from zerosum.diagnostics.comparisons import measure_nearest
from zerosum.diagnostics.evidence import Evidence, Unsaid, flatten

LEAST_VARIETY, LEAST_SPREAD = 0.1, 0.1
LEAST, MOST = 16, 512


class Collapse(Diagnostic, name="collapse"):
    """Compares samples with each other, in pixels or coordinates, and does the same with as many real ones."""

    live: ClassVar[bool] = True
    any_suffices: ClassVar[bool] = True
    looks_for: ClassVar[str] = "collapse: samples that are all but the same"
    citation: ClassVar[str] = "Goodfellow 2016 (NIPS tutorial), section 5.1.1; Arora & Zhang 2018 (distinct samples)"
    caption: ClassVar[str] = "samples; real images"

    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure how near samples lie to each other, and how wide they lie, over the same of real data."""
        if evidence.examination is not None:
            fakes, reals = evidence.examination.fakes, evidence.examination.reals
        else:
            fakes, reals = flatten(evidence.need_samples(LEAST)), flatten(evidence.need_source().test.samples)
        count = min(len(fakes), len(reals), MOST)
        if count < LEAST:
            raise Unsaid(f"{count} samples of each kind are too few: {LEAST} would do")
        pair = fakes[:count].numpy(), reals[:count].numpy()
        near, near_real = (float(np.median(measure_nearest(rows))) for rows in pair)
        wide, wide_real = (float(np.sqrt(rows.var(axis=0).sum())) for rows in pair)
        return (
            Measure.above(
                f"distance to the nearest other sample, over that of {count:,} real ones",
                near / max(near_real, 1e-12),
                LEAST_VARIETY,
            ),
            Measure.above(
                "spread of the samples, over that of real ones",
                wide / wide_real,
                LEAST_SPREAD,
            ),
        )

    def illustrate(self, evidence: Evidence) -> Sequence[Tensor]:
        """Show samples beside real images."""
        if evidence.samples is None:
            return ()
        return evidence.samples[:SHOWN], evidence.need_source().test.samples[:SHOWN]

    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Find that samples are all but the same."""
        recipe, changes = evidence.recipe, ['regularizers=["r1"]']
        advice = "give D a penalty that keeps its gradient small, or begin again from before"
        if recipe is not None and recipe.networks.latent - recipe.networks.binary < 2:
            changes, advice = ["networks.latent=64", "networks.binary=0"], "give the generator more noise"
        return self.find(
            "failure",
            "The generator has collapsed: its samples are all but the same, whatever the latents.",
            measures,
            advice,
            evidence.command(*changes),
        )
