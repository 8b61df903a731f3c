"""Modes of stacked images that a generator covers, and how evenly, by the protocol of VEEGAN and PacGAN."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy

from zerosum.data import Source
from zerosum.metrics import STACKS, Estimate, Metric, MetricInputs, When
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.features.stacked import StackedClassifier
from zerosum.metrics.statistics import ConfidenceInterval, deviation_of

NAMES, BETTER = ("modes-covered", "reverse-kl"), ("higher", "lower")


class StackedModes(Metric, name="stacked-modes"):
    """Modes covered (of 1,000 for stacked MNIST), and the reverse KL of their masses (Srivastava et al. 2017).

    A classifier of the single images names the class in each channel; a mode is a combination of classes, and covered
    by one sample. `reverse-kl` is KL(generated mode masses || uniform) in nats, as Lin et al. 2018 compute it. Both
    depend on the number of samples N: of K modes with equal masses, samples without a fault score (K - 1) / 2N, which
    is 0.019 at the published 26,000. Every sample is some mode, also one that shows no digit, and each error of the
    classifier may cover one. Intervals are +- 1.96 standard deviations of bootstrap replicates, which are too wide
    for the KL near 0; the replicates' own level is biased, and so would their percentiles be.
    """

    figures: ClassVar[Mapping[str, str]] = {"modes-covered": "", "reverse-kl": ""}
    when: ClassVar[When] = "training"

    def refusal(self, source: Source, features: FeatureExtractor) -> str:
        """Refuse what is no stack, and features that do not tell the classes in the channels."""
        if source.stacked_from is None:
            return f"{source.name} holds no stacks of labelled images, as stacked-mnist does"
        seen = isinstance(features, StackedClassifier)
        return "" if seen else f"the features {features.name} do not tell modes: --features stacked-classifier"

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return two estimates."""
        features = inputs.features
        assert isinstance(features, StackedClassifier)  # noqa: S101  # `refusal` checks it
        count = len(inputs.fake)
        counts = features.classify_modes(inputs.fake.features).bincount(minlength=features.modes).numpy()
        rng = np.random.default_rng(inputs.seed)
        replicates = [coverage(rng.multinomial(count, counts / count)) for _ in range(inputs.replicates)]
        deviations = deviation_of(np.array(replicates).reshape(-1, len(NAMES)))
        limits = ((1.0, float(features.modes)), (0.0, float(np.log(features.modes))))
        warning = f"modes were counted in {count:,} samples, papers count them in {STACKS:,}" if count != STACKS else ""
        return [
            Estimate.of(
                name, ConfidenceInterval.by_normal(value, float(deviation)).clip(*ends), better, warning=warning
            )
            for name, better, value, deviation, ends in zip(
                NAMES, BETTER, coverage(counts), deviations, limits, strict=True
            )
        ]


def coverage(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return the number of modes that have samples, and KL(shares || uniform) in nats, from the sample `counts` [K]."""
    return float(np.count_nonzero(counts)), max(0.0, float(np.log(len(counts)) - entropy(counts)))
