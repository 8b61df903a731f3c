"""The Inception score (Salimans et al. 2016), in a network that tells classes apart."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from zerosum.data import Source
from zerosum.metrics import Estimate, Metric, MetricInputs
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.statistics import ConfidenceInterval

PARTS = 10


class InceptionScore(Metric, name="inception-score"):
    """exp E KL(p(class | sample) || p(class)): 1 at worst, the number of classes at best; it sees no real samples.

    The mean over ten parts of the samples, as published; the interval is Student's for that mean. It bears this name
    only in Inception's 1,008 classes; those of a classifier of the data make a `classifier-score`.
    """

    figures: ClassVar[Mapping[str, str]] = {"classifier-score": "inception-score"}

    def refusal(self, source: Source, features: FeatureExtractor) -> str:
        """Refuse features of a network that tells no classes apart."""
        return "" if features.classes else f"the features {features.name} have no classes"

    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return one estimate."""
        logits = inputs.features.logits(inputs.fake.features).double().numpy()
        scores = [float(np.exp(_information(part))) for part in np.array_split(logits, min(PARTS, len(logits)))]
        mean, deviation, count = float(np.mean(scores)), float(np.std(scores, ddof=1)), len(scores)
        name = "inception-score" if inputs.features.is_pool3 else "classifier-score"
        return [Estimate.of(name, ConfidenceInterval.by_student(mean, deviation, count - 1, count), "higher")]


def _information(logits: NDArray[np.float64]) -> float:
    """Compute the mutual information of sample and class, in nats, from logits [N, classes]."""
    each = log_softmax(logits, axis=1)
    every = logsumexp(each, axis=0) - np.log(len(each))
    return float((np.exp(each) * (each - every)).sum(1).mean())
