"""Modes of stacks: what covers how many of them, and that the figures are those that theory gives."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import images, points
from zerosum.data import Source, Split
from zerosum.data.readers import open_source
from zerosum.errors import InputError
from zerosum.evaluation.evaluate import evaluate
from zerosum.metrics import Score
from zerosum.metrics.evaluation import Evaluation, sample_count
from zerosum.metrics.features import Request, inception, open_features
from zerosum.metrics.features.classifier import Classifier
from zerosum.metrics.features.stacked import StackedClassifier
from zerosum.metrics.stacked import StackedModes, coverage

CPU = torch.device("cpu")
MODES, SAMPLES = 1_000, 26_000


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """By stacks of the built-in digits."""
    return Evaluation.of(open_source("stacked:digits"))


@pytest.fixture(scope="module")
def classifier(digits: Source) -> Classifier:
    """What tells the single digits."""
    return Classifier(digits, CPU)


@pytest.fixture(scope="module")
def one_of_each(digits: Source, classifier: Classifier) -> Tensor:
    """A digit of every class, as the classifier sees them, in their order: uint8 [10, 8, 8]."""
    seen = classifier.classify(digits.test.samples)
    return torch.stack([digits.test.samples[seen == digit][0, 0] for digit in range(10)])


def measured(evaluation: Evaluation, samples: Tensor, *, training: bool = False) -> dict[str, Score]:
    return {each.metric: each for each in evaluation.scores(samples, 0, [StackedModes()], training=training)}


def divergence_of(shares: Tensor, count: int) -> tuple[float, float]:
    """Expectation and standard deviation of the KL to equal masses of `count` draws, to the first order in 1/count."""
    logs = (shares * len(shares)).log()
    mean = float((shares * logs).sum())
    spread = float((shares * (logs - mean).square()).sum())
    return mean + (len(shares) - 1) / (2 * count), (spread / count + (len(shares) - 1) / (2 * count**2)) ** 0.5


def masses_of(classifier: Classifier, split: Split) -> Tensor:
    """Of the modes of stacks of `split`: channels are independent, so they are products of the classes' shares."""
    shares = classifier.classify(split.samples).bincount(minlength=10).double() / len(split)
    return torch.cartesian_prod(shares, shares, shares).prod(1)


def test_a_mode_is_the_classes_in_the_channels(evaluation: Evaluation, classifier: Classifier) -> None:
    features, samples = evaluation.features, evaluation.source.test.samples[:200]
    assert isinstance(features, StackedClassifier)
    assert features.modes == MODES
    assert features.name == f"{classifier.name}, in each of 3 channels"
    assert features(samples).shape == (200, 3 * 128)
    assert torch.equal(features(samples)[:, 128:256], classifier(samples[:, 1:2]))
    hundreds, tens, ones = (classifier.classify(samples[:, [channel]]) for channel in range(3))
    assert torch.equal(features.classify_modes(features(samples)), 100 * hundreds + 10 * tens + ones)


def test_real_stacks_cover_every_mode_as_evenly_as_the_digits_are(
    evaluation: Evaluation, digits: Source, classifier: Classifier
) -> None:
    """Five standard deviations are allowed."""
    scores = measured(evaluation, evaluation.source.test.samples)
    assert (scores["modes-covered"].value, scores["modes-covered"].real) == (MODES, MODES)
    assert scores["modes-covered"].samples == SAMPLES
    divergence = scores["reverse-kl"]
    for split, found in ((digits.test, divergence.value), (digits.train, divergence.real)):
        expected, deviation = divergence_of(masses_of(classifier, split), SAMPLES)
        assert found == pytest.approx(expected, abs=5 * deviation)
    assert divergence.low < divergence.value < divergence.high
    assert {score.warning for score in scores.values()} == {""}


def test_a_generator_stuck_on_one_stack_covers_one_mode(evaluation: Evaluation) -> None:
    stuck = evaluation.source.test.samples[:1].expand(2_600, -1, -1, -1)
    scores = measured(evaluation, stuck, training=True)
    covered, divergence = scores["modes-covered"], scores["reverse-kl"]
    assert (covered.value, covered.low, covered.high) == (1, 1, 1)
    assert divergence.value == pytest.approx(np.log(MODES), rel=1e-12)
    assert divergence.low == pytest.approx(divergence.high, rel=1e-12)


def test_a_generator_with_one_digit_in_all_channels_covers_ten(evaluation: Evaluation, one_of_each: Tensor) -> None:
    gray = one_of_each[torch.arange(2_600) % 10].unsqueeze(1).expand(-1, 3, -1, -1)
    scores = measured(evaluation, gray, training=True)
    assert scores["modes-covered"].value == 10
    assert scores["reverse-kl"].value == pytest.approx(np.log(MODES / 10), rel=1e-6)


def test_the_order_of_the_channels_counts(evaluation: Evaluation, one_of_each: Tensor) -> None:
    orders = one_of_each[torch.tensor([[1, 2, 3], [3, 2, 1], [2, 3, 1], [1, 1, 2]])]
    assert measured(evaluation, orders, training=True)["modes-covered"].value == 4


def test_fewer_samples_cover_fewer_modes_and_say_so(evaluation: Evaluation) -> None:
    """A mode of mass m is missed by n samples with probability (1 - m)^n; five standard deviations are allowed."""
    count = 2_000
    scores = measured(evaluation, evaluation.source.test.samples[:count])
    covered = scores["modes-covered"]
    missed = (1 - 1 / MODES) ** count
    for found in (covered.value, covered.real):
        assert found == pytest.approx(MODES * (1 - missed), abs=5 * (MODES * missed * (1 - missed)) ** 0.5)
    assert covered.low < covered.value < covered.high
    assert covered.samples == count
    expected = "modes were counted in 2,000 samples, papers count them in 26,000"
    assert {score.warning for score in scores.values()} == {expected}


def test_equal_masses_have_the_divergence_of_theory_and_a_cautious_interval(
    evaluation: Evaluation, one_of_each: Tensor
) -> None:
    """Its mean is (K - 1) / 2N; the interval is wider than it need be, by sqrt(3) at equal masses, and not by twice."""
    draw, shares = np.random.default_rng(0), np.full(MODES, 1 / MODES)
    expected, deviation = divergence_of(torch.from_numpy(shares), SAMPLES)
    assert expected == pytest.approx(0.0192, abs=1e-4)
    found = np.array([coverage(draw.multinomial(SAMPLES, shares))[1] for _ in range(100)])
    assert found.mean() == pytest.approx(expected, abs=5 * deviation / 10 + 0.01 * expected)
    chosen = torch.randint(10, (SAMPLES, 3), generator=torch.Generator().manual_seed(0))
    divergence = measured(evaluation, one_of_each[chosen], training=True)["reverse-kl"]
    assert divergence.value == pytest.approx(expected, abs=5 * deviation)
    assert 1 < (divergence.high - divergence.value) / (1.96 * deviation) < 2


def test_stacks_are_scored_by_their_modes_without_being_asked(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = evaluation.source
    assert sample_count(source, evaluation.features) == len(evaluation.train) == SAMPLES
    monkeypatch.setattr(inception, "present", lambda: True)
    few = dataclasses.replace(source, train=Split(source.train.samples[:500]), test=Split(source.test.samples[:500]))
    monkeypatch.setattr("zerosum.evaluation.real_data.open_source", lambda *_: few)
    result = evaluate(source.test.samples[500:1_000], "stacked:digits", metrics=["frechet-distance", "stacked-modes"])
    (scores,) = result.scores.values()
    assert [score.metric for score in scores] == ["frechet-distance", "modes-covered", "reverse-kl"]
    assert {score.features for score in scores} == {evaluation.features.name}
    names = [score.metric for score in Evaluation.of(few).scores(source.test.samples[500:1_000], 0, training=True)]
    assert names == ["frechet-distance", "modes-covered", "reverse-kl"]


def test_only_stacks_have_such_modes(evaluation: Evaluation, digits: Source) -> None:
    for source in (digits, points(2), images((3, 8, 8), classes=2)):
        assert f"{source.name} holds no stacks" in StackedModes().refusal(source, evaluation.features)
        with pytest.raises(InputError, match="holds no stacks of labelled images"):
            open_features(source, Request("stacked-classifier"))
    assert StackedModes().refusal(evaluation.source, evaluation.features) == ""
    pixels = Evaluation.of(evaluation.source, Request("random-convolutions"))
    with pytest.raises(InputError, match=r"stacked-modes cannot be measured here: .*--features stacked-classifier"):
        pixels.scores(evaluation.source.test.samples[:100], 0, [StackedModes()])


def test_mnist_itself(shared: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a classifier that learned from a tenth of the examples, in a cache of its own."""
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path))
    monkeypatch.setattr("zerosum.metrics.features.classifier.EXAMPLES", 12_000)
    source = open_source(f"stacked:{shared / 'mnist'}")
    assert source.stacked_from is not None
    few = dataclasses.replace(source, train=Split(source.train.samples[:1_000]))
    real = measured(Evaluation.of(few), source.test.samples, training=True)
    masses = masses_of(Classifier(source.stacked_from, CPU), source.stacked_from.test)
    assert real["modes-covered"].value >= 0.99 * MODES
    expected, deviation = divergence_of(masses, SAMPLES)
    assert real["reverse-kl"].value == pytest.approx(expected, abs=5 * deviation)
