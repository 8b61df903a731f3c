"""Scores class by class, where both sides have labels: what a mean over everything hides."""

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zerosum.data import Source, Split
from zerosum.errors import InputError
from zerosum.metrics import WARNINGS, Reference, Score
from zerosum.metrics.evaluation import SPLITS, Evaluation
from zerosum.metrics.features.given import GivenFeatures
from zerosum.metrics.frechet import FrechetDistance, distance_name
from zerosum.metrics.neighbours import LEAST, Neighbours
from zerosum.names import INTRA

NAMED = 10  # classes in a sentence, at most
UNKNOWN = -1  # the label of a sample whose class the real data do not have


@dataclass(frozen=True, eq=False)
class Labels:
    """The classes of generated samples.

    Attributes:
        numbers: into the real data's `class_names`, int64 [N]; -1 for a class that these do not have.
        strangers: how many samples there are of each class that the real data do not have.
    """

    numbers: Tensor
    strangers: Mapping[str, int]

    @classmethod
    def align(cls, labels: Tensor, names: Sequence[str], source: Source) -> "Labels":
        """Turn `labels` [N], numbers into `names`, into numbers into the classes of `source` that have these names.

        Raises:
            InputError: no sample is of a class of the source.
        """
        known = {name: label for label, name in enumerate(source.class_names)}
        numbers = torch.tensor([known.get(name, UNKNOWN) for name in names])[labels]
        if not bool((numbers != UNKNOWN).any()):
            theirs, ours = (name_some(each) for each in (names, source.class_names))
            raise InputError(f"no class of the samples ({theirs}) is one of {source.name} ({ours}): name them alike")
        counts = labels.bincount(minlength=len(names)).tolist()
        return cls(
            numbers, {name: count for name, count in zip(names, counts, strict=True) if count and name not in known}
        )


@dataclass(frozen=True)
class ClassScores:
    """What one class scores.

    Attributes:
        name: of the class.
        samples: the number of generated samples of it; `reals`, of real ones in the reference.
        scores: Fréchet distance, precision, recall, density and coverage of these; none where there are too few.
    """

    name: str
    samples: int
    reals: int
    scores: tuple[Score, ...]


@dataclass(frozen=True)
class ClassTable:
    """What all classes score.

    Attributes:
        classes: the classes of the real data, in their order.
        means: over the classes that have scores, each class counted alike; that of the Fréchet distance is the
            intra-FID where the features are Inception's 2,048. Their warnings say which classes are missing.
    """

    classes: tuple[ClassScores, ...]
    means: tuple[Score, ...]

    def map(self, function: Callable[[Score], Score]) -> "ClassTable":
        """Apply `function` to every score."""
        rows = (replace(row, scores=tuple(map(function, row.scores))) for row in self.classes)
        return ClassTable(tuple(rows), tuple(map(function, self.means)))


@dataclass(frozen=True, eq=False)
class ClassEvaluation:
    """Scores the samples of each class against the real ones of that class (Miyato & Koyama 2018, section 5.1).

    The features are those of `whole`, divided by the labels: nothing is extracted again. What real data score is that
    of real images of the class that are not in the reference.

    Attributes:
        whole: scores all classes together; its source has labels.
    """

    whole: Evaluation

    @functools.cached_property
    def _parts(self) -> list[Evaluation]:
        """Make an evaluation of each class, whose samples are their features."""
        source = self.whole.source
        return [self._divide(label, f"class {name} of {source.name}") for label, name in enumerate(source.class_names)]

    def _divide(self, label: int, name: str) -> Evaluation:
        """Make an evaluation of one class."""
        train, test = (Split(each.features[_of(each.labels, label)]) for each in (self.whole.train, self.whole.test))
        features = GivenFeatures(self.whole.features)
        return Evaluation(Source(name, train, test), features, self.whole.reference, self.whole.made_elsewhere)

    def measure(self, samples: Tensor, labels: Labels, seed: int, learned_from: str = "none") -> ClassTable:
        """Score generated `samples` class by class.

        Args:
            samples: uint8 [N, C, H, W] or float32 [N, d], in the order of the labels.
            labels: their classes.
            seed: of every choice.
            learned_from: the features that the samples' discriminator learned from, of which scores in them warn.

        Raises:
            InputError: no class has `LEAST` samples on both sides, or their features are not finite.
        """
        source, reference = self.whole.source, self.whole.reference
        counts = count_classes(labels, (self.whole.real(reference).labels,), source)
        check_counts(counts, source)
        features, rows = self.whole.extract(samples), []
        for label, (fakes, reals) in enumerate(counts):
            scores: Sequence[Score] = ()
            if min(fakes, reals) >= LEAST:
                chosen = features[labels.numbers == label]
                scores = self._parts[label].scores(chosen, seed, [FrechetDistance(), Neighbours()])
            rows.append(ClassScores(source.class_names[label], fakes, reals, tuple(scores)))
        doubts = list_doubts(rows, features.shape[1], distance_name(self.whole.features))
        if labels.strangers:
            named = name_some([f"{name} ({count:,})" for name, count in labels.strangers.items()])
            doubts[distance_name(self.whole.features)].append(
                f"left out: samples of classes not in {source.name}, {named}"
            )
        means = _average(rows, doubts, f"{SPLITS[reference]} of {source.name}, class by class")
        flattered = (self.whole.note_flattery(row.scores, learned_from) for row in rows)
        return ClassTable(
            tuple(replace(row, scores=tuple(scores)) for row, scores in zip(rows, flattered, strict=True)),
            tuple(self.whole.note_flattery(means, learned_from)),
        )


def count_classes(labels: Labels, reals: Iterable[Tensor | None], source: Source) -> list[tuple[int, int]]:
    """Count the samples, and the real ones by their labels, of each class of `source`."""
    size = len(source.class_names)
    known = [each for each in reals if each is not None]
    fakes = labels.numbers[labels.numbers != UNKNOWN].bincount(minlength=size)
    return list(zip(fakes.tolist(), torch.cat(known).bincount(minlength=size).tolist(), strict=True))


def check_labels(labels: Labels, source: Source, reference: Reference) -> None:
    """Refuse labels of samples of which no class can have a score, before any features are extracted.

    Raises:
        InputError: see there; the message names the class that has the most, and how many would do.
    """
    splits = {"test": (source.test,), "train": (source.train,), "all": (source.train, source.test)}[reference]
    check_counts(count_classes(labels, (split.labels for split in splits), source), source)


def check_counts(counts: Sequence[tuple[int, int]], source: Source) -> None:
    """Refuse counts of samples and real samples, for each class, none of which suffices on both sides.

    Raises:
        InputError: see there; the message names the class that has the most, and how many would do.
    """
    label = max(range(len(counts)), key=lambda each: min(counts[each]))
    samples, reals = counts[label]
    if min(samples, reals) < LEAST:
        raise InputError(
            f"--by-class: every class has too few images; {source.class_names[label]} has the most, {samples:,} "
            f"samples and {reals:,} in the reference of {source.name}: {LEAST} of each would do (--count, --reference)"
        )


def list_doubts(rows: Sequence[ClassScores], dimension: int, distance: str) -> dict[str, list[str]]:
    """Say which classes are missing, and of which scores the number of images is too small, by the figure it is about.

    `dimension` is the number of features, `distance` the name of the Fréchet distance in them.
    """
    doubts: dict[str, list[str]] = {distance: []}
    absent = [row.name for row in rows if row.samples == 0]
    rare = [f"{row.name} ({row.samples:,} and {row.reals:,})" for row in rows if row.samples and not row.scores]
    scored = [row for row in rows if row.scores]
    few = [row.name for row in scored if min(row.samples, row.reals) <= dimension]
    if absent:
        doubts[distance].append(f"no samples of {_classes(absent)}, so the means are without")
    if rare:
        doubts[distance].append(
            f"too few samples or real images of {_classes(rare)} for a score of their own, so the means are without: "
            f"{LEAST} of each would do"
        )
    if few:
        doubts[distance].append(
            f"{distance} of {_classes(few)}: no more images than the {dimension:,} features, so their number makes "
            f"most of the distance, of real data too: {dimension + 1:,} of each are the least that would do"
        )
    fooled = [row.name for row in scored if any(each.metric == "precision" and each.warning for each in row.scores)]
    if fooled:
        doubts["precision"] = [
            f"precision and density say little of {_classes(fooled)}: samples in the middle of the data, as mush is, "
            "have both without being near real ones, so look at their coverage and recall"
        ]
    return doubts


def name_some(names: Sequence[str]) -> str:
    """List names, the first ten of many."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _classes(names: Sequence[str]) -> str:
    return f"{'class' if len(names) == 1 else 'classes'} {name_some(names)}"


def _average(rows: Sequence[ClassScores], doubts: Mapping[str, list[str]], reference: str) -> list[Score]:
    """Average each figure over the classes that have scores."""
    scored = [row.scores for row in rows if row.scores]
    return [_mean(column, doubts.get(column[0].metric, ()), reference) for column in zip(*scored, strict=True)]


def _mean(scores: Sequence[Score], doubts: Iterable[str], reference: str) -> Score:
    """Average the same figure of several classes, whose samples are other ones, so that their errors are independent.

    The margins on each side add in quadrature: sqrt(sum of their squares) / number of classes. One that was cut off at
    0 counts as far as the other side.
    """
    count = len(scores)
    value = sum(each.value for each in scores) / count
    below = math.sqrt(sum(_measure_below(each) ** 2 for each in scores)) / count
    above = math.sqrt(sum((each.high - each.value) ** 2 for each in scores)) / count
    reals = [each.real for each in scores if each.real is not None]
    return replace(
        scores[0],
        metric=INTRA + scores[0].metric,
        value=value,
        low=max(0.0, value - below),
        high=value + above,
        real=sum(reals) / count if len(reals) == count else None,
        real_samples=sum(each.real_samples for each in scores) if len(reals) == count else 0,
        samples=sum(each.samples for each in scores),
        reference=reference,
        reference_samples=sum(each.reference_samples for each in scores),
        comparable=f"{scores[0].comparable} A mean over {count:,} classes, each counted alike.",
        warning=WARNINGS.join(doubts),
    )


def _measure_below(score: Score) -> float:
    """Return how far the interval would reach below the value, had it not been cut off at 0."""
    return score.value - score.low if score.low > 0 else max(score.value, score.high - score.value)


def _of(labels: Tensor | None, label: int) -> Tensor:
    assert labels is not None  # noqa: S101  # the caller's promise
    return labels == label
