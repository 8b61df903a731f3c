"""The Inception score (Salimans et al. 2016), in a network that tells classes apart."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from zerosum.data import Source
from zerosum.metrics import Comparison, Estimate, Metric
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.student import student

PARTS = 10


class InceptionScore(Metric):
    """exp E KL(p(class | sample) || p(class)): 1 at worst, the number of classes at best; it sees no real samples.

    The mean over ten parts of the samples, as published; the interval is Student's for that mean. It bears this name
    only in Inception's 1,008 classes; those of a classifier of the data make a `classifier-score`.
    """

    def refusal(self, source: Source, features: FeatureExtractor) -> str:
        """It needs classes."""
        return "" if features.classes else f"the features {features.name} have no classes"

    def measure(self, comparison: Comparison) -> list[Estimate]:
        """One estimate."""
        logits = comparison.features.logits(comparison.fake.features).double().numpy()
        scores = [float(np.exp(_information(part))) for part in np.array_split(logits, min(PARTS, len(logits)))]
        margin = student(len(scores) - 1) * float(np.std(scores, ddof=1)) / len(scores) ** 0.5
        name = "inception-score" if comparison.features.is_pool3 else "classifier-score"
        mean = float(np.mean(scores))
        return [Estimate(name, mean, mean - margin, mean + margin, "higher")]


def _information(logits: NDArray[np.float64]) -> float:
    """The mutual information of sample and class, in nats, from logits [N, classes]."""
    each = log_softmax(logits, axis=1)
    every = logsumexp(each, axis=0) - np.log(len(each))
    return float((np.exp(each) * (each - every)).sum(1).mean())
