"""Score generated samples, whoever made them, against real data: what `zerosum evaluate` calls."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, get_args

from torch import Tensor

from zerosum import catalog
from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.evaluation.candidate import Candidate, Reporter, check_kind, match_shape
from zerosum.evaluation.options import EvaluationOptions
from zerosum.evaluation.overlap import describe_overlap, warn_of
from zerosum.evaluation.protocols import score_by_protocol
from zerosum.evaluation.real_data import open_real_data
from zerosum.evaluation.refusals import check_features, check_names, check_places, check_protocol_fits, find_metric
from zerosum.evaluation.statistics import check_reference_file, score_against, write_reference
from zerosum.game.engine import Engine
from zerosum.generator import TrainedGenerator
from zerosum.metrics import Metric, Reference, Score
from zerosum.metrics.by_class import ClassEvaluation, ClassTable, check_labels
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.examples import Examples
from zerosum.metrics.features import Request, inception
from zerosum.metrics.moments import Moments, holds_moments
from zerosum.names import check_pictures

Thing = str | Path | TrainedGenerator | Tensor
Things = Thing | Sequence[Thing]


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """What an evaluation found.

    Attributes:
        scores: by the name of what was scored, in the order given.
        advice: what better features would need, a sentence; empty if these are the best.
        pairs: the samples nearest to training images, each followed by that image, uint8 [2 n, C, H, W], if asked for.
        against: the name of the real data; empty if their statistics were given.
        examples: images to look at, by the name of what was scored, if asked for.
        classes: what each class scores, by the name of what was scored, if asked for; the means are in `scores` too.
    """

    scores: dict[str, list[Score]]
    advice: str
    pairs: Tensor | None
    against: str = ""
    examples: dict[str, Examples] = field(default_factory=dict)
    classes: dict[str, ClassTable] = field(default_factory=dict)


def evaluate(
    what: Things,
    against: str | Path | None = None,
    *,
    reporter: Reporter | None = None,
    **options: Any,
) -> EvaluationResult:
    """Score one thing or several against real data that their generator never saw.

    Args:
        what: a run's folder, a `generator.safetensors` or the name of one that ships, images made elsewhere (a folder,
            .zip, .npz or .npy), a TrainedGenerator, or samples (uint8 [N, C, H, W] or float32 [N, d]); or several of
            these.
        against: the real data; else those of the first run, or of the first generator that ships.
        reporter: is told what happens.
        options: the fields of `EvaluationOptions`, e.g. `metrics=["mifid"]`.

    Raises:
        InputError: something does not exist, cannot be used, or cannot be compared.
    """
    reporter, asked = reporter or Reporter(), catalog.build(EvaluationOptions, options)
    place, protocol = None if against is None else str(against), asked.find_protocol()
    candidates = open_candidates(what, place, asked, reporter)
    measures = [find_metric(name) for name in asked.metrics] or None
    if place is not None and holds_moments(Path(place).expanduser()):
        _tell(candidates, None, reporter)
        found, features = score_against(Path(place).expanduser(), candidates, asked, measures, reporter)
        return EvaluationResult(found, features.better, None)
    if protocol is not None and place is not None:
        _tell(candidates, None, reporter)
        chosen_by = measures or [find_metric(name) for name in protocol.metrics]
        found, features = score_by_protocol(place, candidates, asked, chosen_by, reporter)
        return EvaluationResult(found, features.better, None)
    candidates, evaluation = open_sides(candidates, place, asked, reporter)
    by_class = ClassEvaluation(evaluation) if asked.by_class else None
    scored = dict[str, Scored]()
    for candidate in candidates:
        with reporter.phase(f"scoring {candidate.name}") as progress:
            evaluation.watch(progress)
            scored[candidate.name] = _score(candidate, evaluation, by_class, measures, asked)
    used = {score.features for each in scored.values() for score in each.scores}
    return EvaluationResult(
        scores={name: each.scores for name, each in scored.items()},
        advice=evaluation.features.better if evaluation.features.name in used else "",
        pairs=next((each.pairs for each in scored.values()), None),
        against=evaluation.source.name,
        examples={name: each.examples for name, each in scored.items() if each.examples is not None},
        classes={name: each.classes for name, each in scored.items() if each.classes is not None},
    )


class Scored(NamedTuple):
    """What was found of one candidate; None of what was not asked for."""

    scores: list[Score]
    classes: ClassTable | None
    examples: Examples | None
    pairs: Tensor | None


def _score(
    candidate: Candidate,
    evaluation: Evaluation,
    by_class: ClassEvaluation | None,
    measures: list[Metric] | None,
    asked: EvaluationOptions,
) -> Scored:
    """Score one candidate."""
    source, labels = evaluation.source, None
    if by_class is not None:
        labels = candidate.find_labels(asked.count, source, evaluation.features, asked.seed)
        check_labels(labels, source, evaluation.reference)
    samples = candidate.samples(asked.count, source, evaluation.features, asked.seed)
    evaluation.extract(samples, keep=candidate.on_disk)
    scores = evaluation.scores(samples, asked.seed, measures, learned_from=candidate.learned_from)
    if isinstance(candidate.content, Tensor):
        scores = warn_of(describe_overlap(samples, source), scores)
    table = None
    if by_class is not None and labels is not None:
        table = by_class.measure(samples, labels, asked.seed, candidate.learned_from)
        scores += table.means
        table = table.map(candidate.note_truncation)
    return Scored(
        [candidate.note_truncation(score) for score in scores],
        table,
        evaluation.examples(samples, asked.seed, asked.examples) if asked.examples else None,
        evaluation.closest(samples, asked.seed, asked.pairs) if asked.pairs else None,
    )


def open_candidates(what: Things, place: str | None, asked: EvaluationOptions, reporter: Reporter) -> list[Candidate]:
    """Open what is to be scored, after everything that can be refused before was.

    Raises:
        InputError: something does not exist, cannot be used, or does not go together.
    """
    things = [what] if isinstance(what, str | Path | TrainedGenerator | Tensor) else list(what)
    names = [_name(thing, number) for number, thing in enumerate(things, start=1)]
    check_names(names, asked)
    check_places(things, place, asked)
    check_features(asked)
    check_protocol_fits(asked, place)
    return [_open(name, thing, asked, reporter) for name, thing in zip(names, things, strict=True)]


def open_sides(
    candidates: Sequence[Candidate], place: str | None, asked: EvaluationOptions, reporter: Reporter
) -> tuple[list[Candidate], Evaluation]:
    """Open the real data, at `place` or those of the first run, and the features; make both sides comparable.

    Raises:
        InputError: something cannot be used or compared.
    """
    with reporter.phase("opening the real data") as progress:
        source = open_real_data(candidates, place, asked.size, progress, reporter)
    for option in () if source.is_images else asked.showing:
        raise InputError(f"{option} is for images, and {source.name} has points")
    if asked.by_class:
        _check_classes(candidates, source)
    candidates = [
        Candidate.open(each.name, asked.size, asked.device, reporter, source.range, labelled=asked.by_class)
        if each.reads_unlike(source)
        else each
        for each in candidates
    ]
    _tell(candidates, source if place is not None else None, reporter)
    candidates = match_shape(candidates, source.shape, source.name)
    elsewhere = [isinstance(each.content, Tensor) for each in candidates]
    chosen = _choose_reference(asked.reference, elsewhere, reporter)
    with reporter.phase("preparing the features") as progress:
        on = Engine.choose(asked.device).device
        request = Request(_choose_features(asked, source), asked.weights, asked.download, on, progress)
        return candidates, Evaluation.of(source, request, chosen, made_elsewhere=all(elsewhere))


def save_reference(
    what: str | Path | Sequence[str | Path],
    path: str | Path,
    against: str | None = None,
    *,
    reporter: Reporter | None = None,
    **options: Any,
) -> Moments:
    """Write the statistics of real images, for `evaluate(against=path)`: mean and covariance of their features.

    Args:
        what: the real images: a folder, .zip, .npz or .npy.
        path: an .npz that does not exist.
        against: nothing; other data cannot be compared with in the same call.
        reporter: is told what happens.
        options: of `EvaluationOptions` features, weights, download, count, size, seed and device.

    Raises:
        InputError: something does not exist, or cannot be used or written.
    """
    asked = catalog.build(EvaluationOptions, options)
    places = [what] if isinstance(what, str | Path) else list(what)
    if len(places) != 1:
        raise InputError(f"--save-reference measures one set of images, not {len(places)}")
    if against is not None:
        raise InputError("--save-reference measures the real images themselves: leave out --against")
    others = ("--metric", asked.metrics), ("--truncation", asked.truncation), ("--by-class", asked.by_class)
    needless = [name for name, value in others if value]
    for name in (*needless, *asked.showing):
        raise InputError(f"--save-reference compares nothing: leave out {name}")
    check_reference_file(Path(path).expanduser())
    check_pictures(places)
    check_kind(Path(places[0]).expanduser())
    check_features(asked)
    return write_reference(str(places[0]), Path(path).expanduser(), asked, reporter or Reporter())


def _open(name: str, thing: object, asked: EvaluationOptions, reporter: Reporter) -> Candidate:
    """Open one thing that is to be scored."""
    if isinstance(thing, TrainedGenerator | Tensor):
        candidate = Candidate(name, thing)
    else:
        candidate = Candidate.open(name, asked.size, asked.device, reporter, labelled=asked.by_class)
    return candidate if asked.truncation is None else candidate.truncate(asked.truncation)


def _check_classes(candidates: Sequence[Candidate], source: Source) -> None:
    """Refuse real data and samples without classes, before any features.

    Raises:
        InputError: see there.
    """
    if not source.classes:
        raise InputError(
            f"--by-class: the real data {source.name} have no classes: put the images of each into a folder of its "
            "name, or give a file of labels"
        )
    for each in candidates:
        each.check_classes()


def _tell(candidates: Sequence[Candidate], named: Source | None, reporter: Reporter) -> None:
    """Tell what was assumed of the candidates, and of the real data if they were `named`."""
    for each in candidates:
        for note in each.notes:
            reporter.note(f"{each.name}: {note.partition(';')[0]}")  # no flag of this command overrules it
    for note in () if named is None else named.notes:
        reporter.note(note)


def _choose_reference(reference: str, elsewhere: Sequence[bool], reporter: Reporter) -> Reference:
    """Return the reference that was asked for, or the one in which nothing has an advantage.

    Some of the candidates may have been made `elsewhere`, from any real sample.
    """
    named: Reference | None = next((each for each in get_args(Reference) if each == reference), None)
    if named is None and any(elsewhere) and not all(elsewhere):
        reporter.note(
            "compared with the test split, which images made elsewhere may have been learned from: by themselves they "
            "are compared with all real samples, and copies of any are found"
        )
    return named or ("all" if all(elsewhere) else "test")


def _name(thing: object, number: int) -> str:
    if isinstance(thing, str | Path):
        return str(thing)
    return f"{'generator' if isinstance(thing, TrainedGenerator) else 'samples'} {number}"


def _choose_features(asked: EvaluationOptions, source: Source) -> str:
    """Return the name of the features to ask for; empty for the best ones that need no weights from elsewhere."""
    if asked.features != "auto":
        return asked.features
    colour = source.is_images and source.shape[0] == 3
    present = inception.present() and source.stacked_from is None  # whose modes only their own classifier tells
    return "inception" if colour and (asked.weights is not None or asked.download or present) else ""
