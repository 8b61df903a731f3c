"""Score generated samples, whoever made them, against real data: what `zerosum evaluate` calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from torch import Tensor

from zerosum import catalog
from zerosum.data import Source
from zerosum.data.preparation import Preparation
from zerosum.data.readers import find_reader
from zerosum.errors import InputError
from zerosum.game.engine import Engine
from zerosum.generator import TrainedGenerator
from zerosum.metrics import Metric, Reference, Score
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request, find_extractor, inception
from zerosum.names import check_metric, check_pictures, is_metric
from zerosum.run.candidate import Candidate, Reporter, check_kind, may_know_data
from zerosum.run.real_data import SAY_WHICH, open_real_data


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """What an evaluation found.

    Attributes:
        scores: by the name of what was scored, in the order given.
        advice: what better features would need, a sentence; empty if these are the best.
        pairs: the samples nearest to training images, each followed by that image, uint8 [2 n, C, H, W], if asked for.
    """

    scores: dict[str, list[Score]]
    advice: str
    pairs: Tensor | None


def evaluate(
    what: str | Path | TrainedGenerator | Tensor | Sequence[str | Path | TrainedGenerator | Tensor],
    against: str | Path | None = None,
    *,
    metrics: Sequence[str] = (),
    features: str = "auto",
    weights: Path | None = None,
    download: bool = False,
    reference: str = "auto",
    count: int | None = None,
    size: str | None = None,
    seed: int = 1,
    truncation: float | None = None,
    pairs: int = 0,
    device: str = "auto",
    reporter: Reporter | None = None,
) -> EvaluationResult:
    """Score one thing or several against real data that their generator never saw.

    Args:
        what: a run's folder, a `generator.safetensors`, images made elsewhere (a folder, .zip, .npz or .npy), a
            TrainedGenerator, or samples (uint8 [N, C, H, W] or float32 [N, d]); or several of these.
        against: the real data; else those of the first run.
        metrics: the names of metrics; else all that have a meaning here.
        features: `auto` (the best that are here) or the name of features.
        weights: a file with the weights of Inception, or DINOv2's folder.
        download: whether such weights may be fetched.
        reference: compare with the `test` split, the `train` split, or `all`; `auto` is `test` for what was trained
            here, which never saw it, and `all` for images made elsewhere, which may have been learned from any.
        count: samples of each; else 2,500 to 10,000, or all that are there.
        size: resize images: `64`, or height x width; those made elsewhere, and the real ones beside them.
        seed: of the samples and of every choice that a metric makes.
        truncation: of the generators' latents, as `TrainedGenerator.sample` takes it; said in the protocol.
        pairs: how many of the samples nearest to training images to return; only for one thing at a time.
        device: where generators and features run.
        reporter: is told what happens.

    Raises:
        InputError: something does not exist, cannot be used, or cannot be compared.
    """
    reporter = reporter or Reporter()
    things = [what] if isinstance(what, str | Path | TrainedGenerator | Tensor) else list(what)
    names = [_name(thing, number) for number, thing in enumerate(things, start=1)]
    place = None if against is None else str(against)
    _check(names, reference, pairs, metrics)
    _check_places(things, place, size)
    _check_features(features, weights)
    on = Engine.choose(device).device
    candidates = [
        _open(name, thing, size, device, truncation, reporter) for name, thing in zip(names, things, strict=True)
    ]
    with reporter.phase("opening the real data") as progress:
        source = open_real_data(candidates, place, size, progress, reporter)
    if pairs and not source.is_images:
        raise InputError(f"--pairs is for images, and {source.name} has points")
    candidates = [
        Candidate.open(each.name, size, device, reporter, source.range) if each.reads_unlike(source) else each
        for each in candidates
    ]
    _tell(candidates, source if place is not None else None, reporter)
    candidates = _match(candidates, source)
    elsewhere = [isinstance(each.content, Tensor) for each in candidates]
    chosen = _choose_reference(reference, elsewhere, reporter)
    with reporter.phase("preparing the features") as progress:
        network = _choose_features(features, source, weights, download=download)
        request = Request(network, weights, download, on, progress)
        evaluation = Evaluation.of(source, request, chosen, made_elsewhere=all(elsewhere))
    measures = [find_metric(name) for name in metrics] or None
    found = {}
    for candidate in candidates:
        with reporter.phase(f"scoring {candidate.name}"):
            samples = candidate.samples(count, source, evaluation.features, seed)
            scores = evaluation.scores(samples, seed, measures, learned_from=candidate.learned_from)
        found[candidate.name] = [candidate.note_truncation(score) for score in scores]
    used = {score.features for scores in found.values() for score in scores}
    advice = evaluation.features.better if evaluation.features.name in used else ""
    return EvaluationResult(found, advice, evaluation.closest(samples, seed, pairs) if pairs else None)


def _open(
    name: str,
    thing: object,
    size: str | None,
    device: str,
    truncation: float | None,
    reporter: Reporter,
) -> Candidate:
    """Open one thing that is to be scored."""
    if isinstance(thing, TrainedGenerator | Tensor):
        candidate = Candidate(name, thing)
    else:
        candidate = Candidate.open(name, size, device, reporter)
    return candidate if truncation is None else candidate.truncate(truncation)


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


def _check(names: Sequence[str], reference: str, pairs: int, metrics: Sequence[str]) -> None:
    """Refuse what does not go together before anything is read.

    Raises:
        InputError: see there.
    """
    if not names:
        raise InputError("nothing to evaluate")
    known = "auto", *get_args(Reference)
    if reference not in known:
        raise InputError(f"--reference {reference!r}: choose one of: {', '.join(known)}")
    if len(set(names)) < len(names):
        raise InputError("the same name is given twice")
    if pairs and len(names) > 1:
        raise InputError("--pairs is for one thing at a time")
    for name in metrics:
        find_metric(name)


def _check_places(things: Sequence[object], against: str | None, size: str | None) -> None:
    """Refuse what is not there, and data or a size that cannot be, before anything is read.

    Raises:
        InputError: see there.
    """
    if size is not None:
        catalog.build(Preparation, {"size": size})
    places = [thing for thing in things if isinstance(thing, str | Path)]
    check_pictures(places)
    for place in places:
        check_kind(Path(place).expanduser())
    if against is not None:
        find_reader(against)
    elif not any(may_know_data(Path(place).expanduser()) for place in places):
        raise InputError(SAY_WHICH)


def _check_features(features: str, weights: Path | None) -> None:
    """Refuse features that do not exist, before anything is read.

    Raises:
        InputError: see there.
    """
    if features != "auto":
        find_extractor(features.partition(":")[0], Request(features, weights))


def _match(candidates: Sequence[Candidate], source: Source) -> list[Candidate]:
    """Bring the candidates to the channels of `source`.

    Raises:
        InputError: the shape of one is another even then.
    """
    matched = [candidate.match_channels(source.shape) for candidate in candidates]
    for each in matched:
        if each.shape != source.shape:
            raise InputError(
                f"{each.name} has samples of shape {list(each.shape)}, {source.name} of shape {list(source.shape)}: "
                "they cannot be compared"
            )
    return matched


def _choose_features(features: str, source: Source, weights: Path | None, *, download: bool) -> str:
    """Return the name of the features to ask for; empty for the best ones that need no weights from elsewhere."""
    if features != "auto":
        return features
    colour = source.is_images and source.shape[0] == 3
    present = inception.present() and source.stacked_from is None  # whose modes only their own classifier tells
    return "inception" if colour and (weights is not None or download or present) else ""


def find_metric(name: str) -> Metric:
    """Return the metric called `name`, with or without its dashes.

    Raises:
        InputError: there is none.
    """
    check_metric(name)
    return next(cls() for known, cls in catalog.choices(Metric).items() if is_metric(name, known))
