"""Scores class by class: each against its own class, with the floor of that class, and the mean over the classes."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import linalg

from tests.unit.metrics.sets import normal
from zerosum.data import Source, Split
from zerosum.errors import InputError
from zerosum.metrics import Reference
from zerosum.metrics.by_class import ClassEvaluation, ClassTable, Labels, check_labels
from zerosum.metrics.conditions import Condition
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request

NAMES = ("cat", "dog", "eel")
SIZE = 60  # of each class, in each split and among the samples


def clouds(seed: int, shifts: tuple[float, ...], sizes: tuple[int, ...] = (SIZE,) * 3) -> Split:
    """Draw a cloud of points in the plane for each class, and shuffle them."""
    points = [
        normal(size, 2, seed + place, shift=shift)
        for place, (shift, size) in enumerate(zip(shifts, sizes, strict=True))
    ]
    labels = torch.cat([torch.full((size,), place) for place, size in enumerate(sizes)])
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    return Split(torch.cat(points)[order], labels[order])


REAL = Source("zoo", clouds(10, (0, 5, 10)), clouds(20, (0, 5, 10)), NAMES)
FAKE = clouds(30, (0, 7, 10))


def measure(
    fake: Split, source: Source = REAL, reference: Reference = "test", names: tuple[str, ...] = NAMES, seed: int = 1
) -> ClassTable:
    assert fake.labels is not None
    evaluation = Evaluation.of(source, Request("coordinates"), reference, made_elsewhere=reference == "all")
    return ClassEvaluation(evaluation).measure(fake.samples, Labels.align(fake.labels, names, source), seed)


def fid_by_hand(one: np.ndarray, other: np.ndarray) -> float:
    """Compute Heusel et al.'s eq. 6 with SciPy's matrix root."""
    gap = one.mean(0) - other.mean(0)
    left, right = np.cov(one.T), np.cov(other.T)
    return float(gap @ gap + np.trace(left + right - 2 * linalg.sqrtm(left @ right).real))


def scaled(split: Split, label: int) -> np.ndarray:
    """The features of a class, as `coordinates` has them: over the deviation of all training samples."""
    assert split.labels is not None
    deviation = REAL.train.samples.double().numpy().std(0, ddof=1)
    return np.asarray(split.samples.double().numpy()[split.labels.numpy() == label] / deviation)


def test_each_class_is_compared_with_its_own_real_samples_and_its_own_floor() -> None:
    table = measure(FAKE)
    assert [(row.name, row.samples, row.reals) for row in table.classes] == [(name, SIZE, SIZE) for name in NAMES]
    for label, row in enumerate(table.classes):
        distance, precision = row.scores[0], row.scores[1]
        assert distance.metric == "frechet-distance"
        real = scaled(REAL.test, label)
        assert distance.value == pytest.approx(fid_by_hand(scaled(FAKE, label), real), rel=1e-5)
        assert distance.real == pytest.approx(fid_by_hand(scaled(REAL.train, label), real), rel=1e-5)
        assert (distance.reference, distance.samples, distance.real_samples) == (
            f"test split of class {row.name} of zoo",
            SIZE,
            SIZE,
        )
        gaps = np.linalg.norm(real[:, None] - real[None], axis=2)
        radii = np.sort(gaps, axis=1)[:, 5]  # the fifth neighbour; the first column is the sample itself
        inside = (np.linalg.norm(scaled(FAKE, label)[:, None] - real[None], axis=2) < radii).any(1)
        assert precision.value == pytest.approx(inside.mean(), abs=1e-9)


def test_the_mean_counts_each_class_alike_and_its_errors_add_in_quadrature() -> None:
    table = measure(FAKE)
    columns = list(zip(*(row.scores for row in table.classes), strict=True))
    assert [score.metric for score in table.means] == [
        "intra-frechet-distance",
        "intra-precision",
        "intra-recall",
        "intra-density",
        "intra-coverage",
    ]
    for mean, column in zip(table.means, columns, strict=True):
        assert mean.value == pytest.approx(np.mean([each.value for each in column]))
        assert mean.real == pytest.approx(np.mean([each.real for each in column]))
        margin = math.sqrt(sum((each.high - each.value) ** 2 for each in column)) / 3
        assert mean.high - mean.value == pytest.approx(margin)
        assert mean.samples == 3 * SIZE
        assert "A mean over 3 classes, each counted alike." in mean.comparable
        assert mean.low <= mean.value <= mean.high
    assert table.means[0].low >= 0
    assert table.means[0].reference == "test split of zoo, class by class"


def test_an_interval_cut_off_at_nothing_does_not_make_that_of_the_mean_narrower() -> None:
    same = measure(clouds(40, (0, 5, 10)))
    distances = [row.scores[0] for row in same.classes]
    assert any(each.low == 0 for each in distances)
    widths = [each.high - each.value for each in distances]
    below = same.means[0].value - same.means[0].low
    assert below == pytest.approx(min(same.means[0].value, math.hypot(*widths) / 3))


def test_a_class_that_is_confused_with_another_shows_only_here() -> None:
    """Cats called dogs and dogs called cats: as a whole the samples are real."""
    swapped = Split(REAL.test.samples, torch.tensor([1, 0, 2])[REAL.test.labels])
    whole = Evaluation.of(REAL, Request("coordinates")).scores(swapped.samples, 1)[0]
    table = measure(swapped)
    assert whole.value == pytest.approx(0, abs=1e-6)
    values = [row.scores[0].value for row in table.classes]
    assert min(values[:2]) > 1
    assert values[2] == pytest.approx(0, abs=1e-6)


def test_labels_are_matched_by_their_names_and_strangers_are_counted() -> None:
    names, table = ("yak", "eel", "dog", "cat"), torch.tensor([3, 2, 1])
    renamed = Split(FAKE.samples, table[FAKE.labels])
    expected = measure(FAKE)
    assert [row.scores for row in measure(renamed, names=names).classes] == [row.scores for row in expected.classes]
    some_yaks = Split(FAKE.samples, torch.where(torch.arange(len(FAKE)) < 9, 0, renamed.labels))
    found = measure(some_yaks, names=names)
    assert "left out: samples of classes not in zoo, yak (9)" in found.means[0].warning
    assert sum(row.samples for row in found.classes) == 3 * SIZE - 9
    with pytest.raises(InputError, match=r"no class of the samples \(a, b, c\) is one of zoo \(cat, dog, eel\)"):
        measure(FAKE, names=("a", "b", "c"))


def test_classes_that_are_absent_or_rare_are_said_with_the_number_that_would_do() -> None:
    table = measure(clouds(30, (0, 5, 10), (SIZE, 0, 49)))
    assert [bool(row.scores) for row in table.classes] == [True, False, False]
    warning = table.means[0].warning
    assert "no samples of class dog, so the means are without" in warning
    assert "class eel (49 and 60) for a score of their own, so the means are without: 50 of each would do" in warning
    assert "A mean over 1 classes" in table.means[0].comparable
    enough = measure(clouds(30, (0, 5, 10), (SIZE, SIZE, 50)))
    assert all(row.scores for row in enough.classes)
    assert enough.means[0].warning == ""


def test_no_class_that_suffices_is_refused_before_any_features() -> None:
    few = clouds(30, (0, 5, 10), (10, 30, 20))
    words = "every class has too few images; dog has the most, 30 samples and 60 in the reference of zoo: 50 of each"
    with pytest.raises(InputError, match=words):
        measure(few)
    with pytest.raises(InputError, match=words):
        check_labels(Labels.align(few.labels, NAMES, REAL), REAL, "test")
    words = "dog has the most, 30 samples and 120 in the reference"
    with pytest.raises(InputError, match=words):
        check_labels(Labels.align(few.labels, NAMES, REAL), REAL, "all")


def test_a_distance_of_no_more_images_than_features_is_doubted_by_class() -> None:
    def split(seed: int) -> Split:
        return Split(normal(2 * SIZE, 64, seed), torch.arange(2 * SIZE) % 2)

    source = Source("wide", split(1), split(2), ("a", "b"))
    table = measure(split(3), source, names=("a", "b"))
    assert "frechet-distance of classes a, b: no more images than the 64 features" in table.means[0].warning
    assert "65 of each are the least that would do" in table.means[0].warning


def test_conditions_may_be_about_every_mean_and_know_it_by_its_name_in_inceptions_features() -> None:
    for mean in measure(FAKE).means:
        condition = Condition.parse(f"{mean.metric}>=0", ["mifid"], by_class=True)
        assert condition.find([mean], "fakes") is mean
        assert condition.holds(mean)
    distance = measure(FAKE).means[0]
    assert Condition.parse("intra-frechet-distance>1", by_class=True).concerns(replace(distance, metric="intra-fid"))


def test_without_training_samples_of_a_class_there_is_no_floor() -> None:
    source = Source("zoo", clouds(10, (0, 5, 10), (SIZE, 1, SIZE)), REAL.test, NAMES)
    table = measure(FAKE, source)
    assert [row.scores[0].real is None for row in table.classes] == [False, True, False]
    assert (table.means[0].real, table.means[0].real_samples) == (None, 0)


def test_images_made_elsewhere_are_compared_with_both_splits_of_the_class() -> None:
    source = Source("zoo", clouds(10, (0, 5, 10), (100, 80, 60)), REAL.test, NAMES)
    table = measure(FAKE, source, reference="all")
    for row, reals in zip(table.classes, (160, 140, 120), strict=True):
        assert row.scores[0].reference_samples == row.reals == reals
        assert row.scores[0].real_samples == SIZE
    assert table.means[0].reference == "whole of zoo, class by class"


def test_neither_the_order_of_the_samples_nor_that_of_the_reference_matters() -> None:
    order = torch.randperm(3 * SIZE, generator=torch.Generator().manual_seed(5))
    turned = Split(FAKE.samples[order], FAKE.labels[order])
    for one, other in zip(measure(FAKE).means, measure(turned).means, strict=True):
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high), rel=1e-9)
