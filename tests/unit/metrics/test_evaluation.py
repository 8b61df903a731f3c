"""Evaluations: which metrics are measured, on which samples, and the protocol beside the scores."""

import json

import numpy as np
import pytest
import torch

from tests.conftest import images, points
from tests.unit.metrics.sets import normal, seen
from zerosum import catalog
from zerosum.data import Source, Split
from zerosum.data.readers import open_source
from zerosum.errors import InputError
from zerosum.metrics import Metric, Score, score_named
from zerosum.metrics.evaluation import FLATTERED, Evaluation, sample_count
from zerosum.metrics.features import Request, open_features
from zerosum.metrics.features.coordinates import Coordinates
from zerosum.metrics.features.random_convolutions import RandomConvolutions
from zerosum.metrics.frechet import FrechetDistance, frechet_distance
from zerosum.metrics.kernel import KernelDistance
from zerosum.metrics.memorisation import Memorisation
from zerosum.metrics.modes import Modes
from zerosum.metrics.neighbours import Neighbours
from zerosum.metrics.parzen import Parzen
from zerosum.metrics.sliced import SlicedWasserstein


def test_intervals_hold_the_value_and_shrink_with_the_samples() -> None:
    real = normal(4_000, 4, 9)
    for metric in (FrechetDistance(), KernelDistance(), Neighbours()):
        few, many = (metric.measure(seen(normal(n, 4, 10, shift=0.5), real[:n])) for n in (200, 4_000))
        for small, large in zip(few, many, strict=True):
            assert large.low <= large.value <= large.high
            assert large.high - large.low < small.high - small.low


def test_the_bootstrap_is_a_function_of_the_seed() -> None:
    real, fake = normal(200, 3, 1), normal(200, 3, 2)
    for metric in (FrechetDistance(), Neighbours()):
        one, again, other = (metric.measure(seen(fake, real, seed=seed)) for seed in (1, 1, 2))
        assert one == again
        assert one != other


def test_a_seed_may_be_larger_than_the_machines_numbers() -> None:
    source, samples = points(2, 100), normal(60, 2, 3)
    evaluation = Evaluation.of(source)
    metrics = [cls() for cls in catalog.choices(Metric).values()]
    metrics = [each for each in metrics if not each.refusal(source, evaluation.features)]
    one, again, other = (evaluation.scores(samples, seed, metrics) for seed in (10**20, 10**20, 10**20 + 2**64))
    assert one == again
    assert [score.low for score in one] != [score.low for score in other]


def test_a_score_says_of_how_many_the_real_value_is() -> None:
    """There are fewer real samples outside the reference than generated ones, or more than are looked at."""
    source = points(2, 300)
    for count in (50, 1_000):
        score = Evaluation.of(source).headline(
            Evaluation.of(source).scores(normal(count, 2, 3), 0, [FrechetDistance()])
        )
        assert score.real_samples == min(count, len(source.train))
    assert len(source.train) < 1_000


def test_scores_carry_their_protocol() -> None:
    source = points(2)
    scores = Evaluation.of(source).scores(normal(1_000, 2, 3), seed=5)
    by_name = {score.metric: score for score in scores}
    near = ["nearest-training", "nearer-than-real"]
    overlaps = ["precision", "recall", "density", "coverage"]
    assert list(by_name) == ["frechet-distance", "kernel-distance", *near, *overlaps, "variety"]
    assert by_name["frechet-distance"].samples == 1_000
    assert by_name["precision"].samples == by_name["precision"].reference_samples == 512
    assert {(score.features, score.resizer, score.seed) for score in scores} == {
        ("coordinates over their standard deviations", "none", 5)
    }
    assert {score.reference for score in scores if score.metric not in near} == {"test split of normal"}
    assert {by_name[name].reference for name in near} == {"training split of normal"}
    assert all(score.comparable.startswith("Compare with scores of points") for score in scores)
    assert all(score.real is not None for score in scores)


def test_what_real_data_score_is_measured_on_real_data() -> None:
    source = points(2)
    scores = Evaluation.of(source).scores(normal(400, 2, 3, shift=3), seed=5)
    training = Evaluation.of(source).train.samples[:400]
    expected = {score.metric: score.value for score in Evaluation.of(source).scores(training, seed=5)}
    for score in scores:
        if score.metric == "frechet-distance":
            assert score.real == pytest.approx(expected[score.metric], rel=1e-6)
        if score.metric in ("frechet-distance", "kernel-distance"):
            assert score.value > 10 * score.real


def test_scores_do_not_depend_on_the_order_of_samples_or_reference() -> None:
    samples, order = normal(300, 2, 3), torch.randperm(300, generator=torch.Generator().manual_seed(1))
    source = points(2)
    rows = torch.randperm(512, generator=torch.Generator().manual_seed(2))
    turned = Source("normal", Split(source.train.samples[rows]), Split(source.test.samples[rows]))
    one, other = (
        Evaluation.of(each).scores(part, seed=0) for each, part in ((source, samples), (turned, samples[order]))
    )
    for before, after in zip(one, other, strict=True):
        assert (after.value, after.low, after.high) == pytest.approx((before.value, before.low, before.high), rel=1e-9)


def test_the_reference_is_the_users_choice() -> None:
    source = points(2)
    samples = normal(600, 2, 3)
    test, train, whole = (
        Evaluation.of(source, reference=each).scores(samples, 0, [FrechetDistance()])[0]
        for each in ("test", "train", "all")
    )
    assert (test.reference_samples, train.reference_samples, whole.reference_samples) == (512, 512, 1_024)
    assert whole.reference == "whole of normal"
    assert whole.real is None
    both = torch.cat([source.train.samples, source.test.samples])
    scale = source.train.samples.std(0)
    assert whole.value == pytest.approx(frechet_distance(samples / scale, both / scale), rel=1e-6)


@pytest.mark.parametrize("split", ["test", "train"])
def test_of_a_long_split_a_random_part_is_the_reference(split: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two classes, one after the other: of 2 n points n are drawn, so n / 2 +- sqrt(n / 8) of each class."""
    monkeypatch.setattr("zerosum.metrics.real_samples.MOST_SAMPLES", 1_000)
    monkeypatch.setattr("zerosum.metrics.real_samples.MOST_TRAINING", 1_000)
    classes = torch.cat([normal(1_000, 2, 1), normal(1_000, 2, 2, shift=100)])
    evaluation = Evaluation.of(Source("classes", Split(classes), Split(classes)))
    chosen = getattr(evaluation, split).samples
    assert len(chosen.unique(dim=0)) == 1_000
    second = int((chosen[:, 0] > 50).sum())
    assert second == pytest.approx(500, abs=5 * (1_000 / 8) ** 0.5)
    again = Evaluation.of(evaluation.source)
    assert torch.equal(getattr(again, split).samples, chosen)


def test_a_split_that_is_not_too_long_is_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    source = points(2)
    whole = Evaluation.of(source).test.samples
    monkeypatch.setattr("zerosum.metrics.real_samples.MOST_SAMPLES", len(source.test))
    assert torch.equal(Evaluation.of(source).test.samples, whole)
    assert torch.equal(whole.sort(0)[0], source.test.samples.sort(0)[0])


def test_the_number_of_samples_is_that_which_was_looked_at() -> None:
    source = open_source("ring")
    scores = Evaluation.of(source).scores(source.train.samples[:3_000], 0, [FrechetDistance(), Modes()], training=True)
    counts = {score.metric: score.samples for score in scores}
    assert (counts["frechet-distance"], counts["modes-covered"]) == (3_000, 2_500)


def test_every_metric_is_measured_when_it_is_asked_for_or_says_why_not() -> None:
    source = points(2)
    evaluation = Evaluation.of(source)
    for metric in (cls() for cls in catalog.choices(Metric).values()):
        if refusal := metric.refusal(source, evaluation.features):
            with pytest.raises(InputError, match=r"cannot be measured here: .*" + refusal[:10]):
                evaluation.scores(normal(100, 2, 1), 0, [metric])
        else:
            assert evaluation.scores(normal(100, 2, 1), 0, [metric])


def test_samples_that_cannot_be_scored() -> None:
    evaluation = Evaluation.of(points(2))
    for wrong in (torch.zeros(10, 3), torch.zeros(1, 2), torch.zeros(4, 1, 8, 8, dtype=torch.uint8)):
        with pytest.raises(InputError, match="cannot be scored against data of shape"):
            evaluation.scores(wrong, 0)
    with pytest.raises(InputError, match="not all finite"):
        evaluation.scores(torch.full((10, 2), torch.nan), 0)


def test_constant_samples_give_a_finite_score() -> None:
    scores = Evaluation.of(points(2)).scores(torch.zeros(100, 2), 0)
    assert all(np.isfinite([score.value, score.low, score.high]).all() for score in scores)


@pytest.mark.parametrize(("test", "expected"), [(300, 5_000), (7_000, 7_000), (50_000, 10_000)])
def test_how_many_samples_a_score_takes(test: int, expected: int) -> None:
    source = images((1, 1, 1), count=2 * test)
    assert sample_count(source, RandomConvolutions(source.shape, torch.device("cpu"))) == expected


def test_of_slow_features_fewer_are_drawn() -> None:
    source = images((1, 8, 8), count=20)
    assert sample_count(source, open_features(source)) == 2_500
    assert Evaluation.of(source).interim == 1_000


@pytest.mark.parametrize(("slow", "looked_at", "drawn"), [(True, 40, 40), (False, 100, 5_000)])
def test_slow_features_look_at_no_more_than_is_afforded(
    slow: bool, looked_at: int, drawn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Coordinates, "slow", slow)
    evaluation = Evaluation.of(points(2, count=100), most=40)
    assert evaluation.sizes == {"test": looked_at, "train": looked_at, "all": 2 * looked_at}
    assert [len(each) for each in (evaluation.test, evaluation.train)] == [looked_at, looked_at]
    assert evaluation.last == drawn


@pytest.mark.parametrize(
    ("metric", "measured_in", "comparable"),
    [
        (Parzen(), "pixels in [0, 1]", "Parzen log-likelihoods of the same test images"),
        (SlicedWasserstein(), "patches of Laplacian pyramids", "sliced Wasserstein distances of as many images"),
    ],
)
def test_what_needs_no_features_names_none(
    metric: Metric, measured_in: str, comparable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RandomConvolutions, "resizer", "to 299x299")
    source = images((3, 16, 16), count=20)
    (score,) = Evaluation.of(source).scores(source.train.samples, 0, [metric])
    assert (score.features, score.resizer) == (measured_in, "none")
    assert score.comparable.startswith(f"Compare with {comparable}")
    assert score.warning == ""


def score(**changes: object) -> Score:
    values = {"metric": "frechet-distance", "value": 1.5, "low": 1.25, "high": 1.75, "better": "lower", "real": None}
    protocol = {"features": "pixels", "resizer": "none", "samples": 10, "reference": "test split of digits"}
    rest = {"reference_samples": 9, "seed": 3, "comparable": "Compare with scores in pixels."}
    return Score(**{**values, **protocol, **rest, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("real", [None, 0.5])
def test_a_score_reads_itself_back_from_json(real: float | None) -> None:
    one = score(real=real, warning="few")
    assert Score.from_json(json.loads(json.dumps(one.as_json()))) == one
    (measured,) = Evaluation.of(points(2)).scores(normal(50, 2, 3), 10**20, [FrechetDistance()])
    assert Score.from_json(json.loads(json.dumps(measured.as_json()))) == measured


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": "much"}, "value: .*number.*'much'"),
        ({"samples": 2.5}, "samples: .*2.5"),
        ({"low": float("nan")}, "low: it must be a finite number"),
        ({"features": None}, "features: .*None"),
        ({"step": 5}, "has no field 'step'"),
    ],
)
def test_json_that_is_no_score_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Score.from_json(score().as_json() | changes)


def test_json_without_a_field_of_a_score_is_refused() -> None:
    line = score().as_json()
    del line["reference"]
    with pytest.raises(InputError, match="reference: "):
        Score.from_json(line)


def test_scores_are_found_by_name() -> None:
    scores = [score(), score(metric="kernel-distance")]
    assert score_named(scores, "kernel-distance") is scores[1]
    with pytest.raises(InputError, match="there is no score 'frechet': did you mean 'frechet-distance'"):
        score_named(scores, "frechet")


def test_the_headline_is_the_frechet_distance_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation, samples = Evaluation.of(points(2)), normal(60, 2, 3)
    scores = evaluation.scores(samples, 0, [Neighbours(), FrechetDistance(), KernelDistance()])
    assert evaluation.headline(scores).metric == "frechet-distance"
    with pytest.raises(InputError, match="there is no score 'frechet-distance'"):
        evaluation.headline(evaluation.scores(samples, 0, [Neighbours()]))
    monkeypatch.setattr(type(evaluation.features), "is_pool3", True)
    assert evaluation.headline(evaluation.scores(samples, 0)).metric == "fid"


def test_mirror_images_are_looked_at_only_by_a_metric_that_needs_them() -> None:
    noise = images((1, 8, 8), count=40)
    evaluation = Evaluation.of(Source("noise", Split(noise.train.samples, flip=True), noise.test))
    evaluation.scores(noise.test.samples, 0, [FrechetDistance(), KernelDistance()])
    assert "mirrored" not in vars(evaluation)
    evaluation.scores(noise.test.samples, 0, [Memorisation()])
    assert "mirrored" in vars(evaluation)


def test_scores_in_features_that_the_discriminator_learned_from_say_so() -> None:
    source = images((1, 16, 16), count=40)
    evaluation = Evaluation.of(source, Request("pixels"))
    samples = source.train.samples[:20]
    told = evaluation.scores(samples, 0, [FrechetDistance(), SlicedWasserstein()], learned_from="pixels")
    other = evaluation.scores(samples, 0, [FrechetDistance(), SlicedWasserstein()], learned_from="efficientnet")
    assert [FLATTERED in score.warning for score in told] == [score.metric == "frechet-distance" for score in told]
    assert not any(FLATTERED in score.warning for score in other)
