"""Variety: are samples as far from each other as real ones are, or has the generator collapsed?"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from zerosum.metrics import Estimate, Metric, MetricInputs, SampleSet
from zerosum.metrics.memorisation import find_nearest_other
from zerosum.metrics.statistics import ConfidenceInterval

COLLAPSED = 0.1


class Variety(Metric, name="variety"):
    """How far a sample is from the nearest other sample, over the same of as many real ones: medians of the features.

    1 if samples differ as real ones do; 0 if every sample is found at least twice. A warning says that the generator
    has collapsed where it is below 0.1. The interval is of bootstrap percentiles over the samples' distances.
    """

    figures: ClassVar[Mapping[str, str]] = {"variety": ""}
    equal_sizes: ClassVar[bool] = True
    most: ClassVar[int | None] = 5_000

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return one estimate."""
        ours, theirs = (find_nearest_other(each.features, len(each)) for each in (inputs.fake, inputs.real))
        unit = float(np.median(theirs)) or 1.0
        rng = np.random.default_rng(inputs.seed)
        medians = [float(np.median(rng.choice(ours, len(ours)))) / unit for _ in range(inputs.replicates)]
        interval = ConfidenceInterval.by_percentiles(float(np.median(ours)) / unit, medians)
        warning = _explain(inputs.fake) if interval.value < COLLAPSED else ""
        return [Estimate.of("variety", interval, "near 1", warning=warning)]


def _explain(fake: SampleSet) -> str:
    """Say what a collapse looks like."""
    different = len(np.unique(fake.samples.flatten(1).numpy(), axis=0))
    alike = "they are all the same" if different == 1 else f"{different:,} of {len(fake):,} differ at all"
    return f"the generator has collapsed: its samples are nearly the same few over and over ({alike})"
