"""The Inception score, and that of a classifier of the data."""

import numpy as np
import pytest

from zerosum.data import Source
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.inception_score import InceptionScore


def test_the_classifier_score_counts_classes(digits: Source) -> None:
    evaluation = Evaluation.of(digits)
    everything, one_class = (
        evaluation.scores(digits.train.samples[rows], 0, [InceptionScore()])[0]
        for rows in (slice(None), digits.train.labels == 3)
    )
    assert everything.metric == "classifier-score"
    assert 9 < everything.value <= 10
    assert 1 <= one_class.value < 1.5


def test_the_interval_is_student_s_for_the_mean_of_ten_parts(digits: Source) -> None:
    """A t of 2.262 at nine degrees of freedom, over the square root of ten."""
    evaluation = Evaluation.of(digits)
    (score,) = evaluation.scores(digits.train.samples[:400], 0, [InceptionScore()], training=True)
    shuffled = evaluation._extract_generated(digits.train.samples[:400], 0).features
    probabilities = [part.softmax(1) for part in evaluation.features.logits(shuffled).double().chunk(10)]
    parts = [float((p * (p / p.mean(0)).log()).sum(1).mean().exp()) for p in probabilities]
    assert score.value == pytest.approx(np.mean(parts), rel=1e-6)
    assert score.high - score.value == pytest.approx(2.262157 * np.std(parts, ddof=1) / 10**0.5, rel=1e-6)
