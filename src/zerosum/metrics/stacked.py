"""How many of the modes of stacked images a generator covers, and how evenly, by the protocol of VEEGAN and PacGAN."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy

from zerosum.data import Source
from zerosum.metrics import STACKS, Comparison, Estimate, Metric, Moment
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.features.stacked import StackedClassifier

NAMES, BETTER = ("modes-covered", "reverse-kl"), ("higher", "lower")


class StackedModes(Metric):
    """Modes covered (of 1,000 for stacked MNIST), and the reverse KL of their masses (Srivastava et al. 2017).

    A classifier of the single images names the class in each channel; a mode is a combination of classes, and covered
    by one sample. `reverse-kl` is KL(generated mode masses || uniform) in nats, as Lin et al. 2018 compute it. Both
    depend on the number of samples N: of K modes with equal masses, samples without a fault score (K - 1) / 2N, which
    is 0.019 at the published 26,000. Every sample is some mode, also one that shows no digit, and each error of the
    classifier may cover one. Intervals are +- 1.96 standard deviations of bootstrap replicates, which are too wide
    for the KL near 0; the replicates' own level is biased, and so would their percentiles be.
    """

    moment: ClassVar[Moment] = "training"

    def refusal(self, source: Source, features: FeatureExtractor) -> str:
        """The classes in the channels must be seen."""
        if source.stacked_from is None:
            return f"{source.name} holds no stacks of labelled images, as stacked-mnist does"
        seen = isinstance(features, StackedClassifier)
        return "" if seen else f"the features {features.name} do not tell modes: --features stacked-classifier"

    def measure(self, comparison: Comparison) -> list[Estimate]:
        """Two estimates."""
        features = comparison.features
        assert isinstance(features, StackedClassifier)  # noqa: S101  # `refusal` said so
        count = len(comparison.fake)
        counts = features.mode(comparison.fake.features).bincount(minlength=features.modes).numpy()
        generator = np.random.default_rng(comparison.seed)
        draws = [coverage(generator.multinomial(count, counts / count)) for _ in range(comparison.replicates)]
        values = coverage(counts)
        margins = 1.96 * np.std(draws, axis=0, ddof=1) if draws else np.zeros(len(NAMES))
        limits = ((1.0, float(features.modes)), (0.0, float(np.log(features.modes))))
        warning = f"modes were counted in {count:,} samples, papers count them in {STACKS:,}"
        return [
            Estimate(
                name,
                value,
                max(least, value - float(margin)),
                min(most, value + float(margin)),
                better,
                warning="" if count == STACKS else warning,
            )
            for name, better, value, margin, (least, most) in zip(NAMES, BETTER, values, margins, limits, strict=True)
        ]


def coverage(counts: NDArray[np.int64]) -> tuple[float, float]:
    """How many of the modes have samples, and KL(shares || uniform) in nats, from the `counts` [K] of samples."""
    return float(np.count_nonzero(counts)), max(0.0, float(np.log(len(counts)) - entropy(counts)))
