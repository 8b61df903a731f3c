"""Score generated samples, whoever made them, against real data: what `zerosum evaluate` calls."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from zerosum import catalog
from zerosum.data import Progress, Source
from zerosum.data.packs.shape import TooSmall
from zerosum.data.preparation import Preparation
from zerosum.data.readers import find_reader, make_absolute, open_source
from zerosum.data.values import USUAL, Range
from zerosum.errors import InputError, did_you_mean
from zerosum.export import samples as sample_files
from zerosum.game.engine import Engine
from zerosum.game.recipe import from_json
from zerosum.generator import TrainedGenerator, load
from zerosum.metrics import Metric, Reference, Score
from zerosum.metrics.evaluation import Evaluation, sample_count
from zerosum.metrics.features import FeatureExtractor, Request, find_extractor, inception
from zerosum.names import check_pictures
from zerosum.run.recorded import open_recorded
from zerosum.run_folder import Line, RunFolder, list_runs, name_runs
from zerosum.strangers import is_model, name_kind

LEAST = 2
SMALLEST_SIDE = 8  # to which photos are brought
ELSEWHERE = {
    "fid": "the Fréchet distance in Inception's features: --metric frechet-distance --features inception",
    "kid": "the kernel distance in Inception's features: --metric kernel-distance --features inception",
    "is": "the Inception score: --metric inception-score --features inception",
    "precision": "measured with recall, density and coverage: --metric neighbours",
    "recall": "measured with precision, density and coverage: --metric neighbours",
}


class Reporter:
    """Is told what an evaluation does; this one keeps it to itself."""

    def phase(self, what: str) -> AbstractContextManager[Progress | None]:
        """Enter while `what` is done; the value is told how far files and downloads are."""
        return nullcontext()

    def note(self, text: str) -> None:
        """Take note of something that the scores' reader should know."""

    def files(self, source: Source) -> None:
        """Take note of which files of `source` were used and which were left out."""


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


@dataclass(frozen=True, eq=False)
class Candidate:
    """One thing to be scored.

    Attributes:
        name: as the user gave it.
        content: a generator, or samples: uint8 [N, C, H, W] or float32 [N, d].
        run: what `run.json` says, of a run or of a generator in its folder.
        truncation: of the generator's latents.
        range: the values of images made elsewhere that became black and white; None if they were bytes.
        notes: what was assumed of them.
    """

    name: str
    content: TrainedGenerator | Tensor
    run: Line | None = None
    truncation: float | None = None
    range: Range | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def open(
        cls, name: str, size: str | None, device: str, reporter: Reporter, values: Range | None = None
    ) -> "Candidate":
        """Open what the user named: a run, a generator, or images, brought to `size` if given.

        `values` become black and white in images that are no bytes; None finds out which.

        Raises:
            InputError: it is none of them, or cannot be used.
        """
        path = Path(name).expanduser()
        if (path / "run.json").exists():
            generator, run = load(path, device), RunFolder.open(path).describe()
            if generator.metadata["step"] < run["steps"]:
                reporter.note(f"{name}: after {generator.metadata['step']:,} of {run['steps']:,} iterations")
            return cls(name, generator, run)
        if path.suffix == ".safetensors":
            return cls(name, load(path, device), _run_beside(path))
        with reporter.phase(f"opening {name}") as progress:
            source = sample_files.load(name, size, progress, values)
        images = torch.cat([source.train.samples, source.test.samples])
        if len(images) < LEAST:
            raise InputError(f"{name} holds {len(images)} sample: at least {LEAST} are needed for a score")
        if source.files is not None and len(images) < source.files.read_bytes().count(b"\n"):
            reporter.files(source)
            return cls(name, images, range=source.range)
        return cls(name, images, range=source.range, notes=source.notes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return tuple(self.content.shape[1:]) if isinstance(self.content, Tensor) else self.content.shape

    def samples(self, count: int | None, source: Source, features: FeatureExtractor, seed: int) -> Tensor:
        """Generate `count` samples, or draw a random part of those that are there; None takes a fitting number, or all.

        Raises:
            InputError: there are fewer.
        """
        if not isinstance(self.content, Tensor):
            return self.content.sample(count or sample_count(source, features), seed, truncation=self.truncation)
        if count is None:
            return self.content
        if count > len(self.content):
            raise InputError(f"{self.name} has {len(self.content):,} samples, not the {count:,} that were asked for")
        rows = np.ascontiguousarray(self.content.numpy()).reshape(len(self.content), -1)
        keys = [hashlib.blake2b(b"%d " % seed + row.tobytes()).digest() for row in rows]  # independent of the order
        return self.content[sorted(range(len(keys)), key=keys.__getitem__)[:count]]

    def truncate(self, truncation: float) -> "Candidate":
        """Sample from truncated latents.

        Raises:
            InputError: these are samples already, or `truncation` has no meaning for the generator's latents.
        """
        if isinstance(self.content, Tensor):
            raise InputError(f"--truncation is for generators, and {self.name} holds samples that are made already")
        self.content.networks.check_truncation(truncation)
        return replace(self, truncation=truncation)

    def note_truncation(self, score: Score) -> Score:
        """Add to the protocol of a score what was done to the latents, if anything was."""
        if self.truncation is None or isinstance(self.content, Tensor):
            return score
        rule = self.content.networks.describe_truncation(self.truncation)
        return replace(score, comparable=f"{score.comparable} Truncated samples: {rule}.")

    def reads_unlike(self, source: Source) -> bool:
        """Return whether values that are no bytes were read in another range than those of `source`, both unusual."""
        ranges = self.range, source.range
        return None not in ranges and self.range != source.range and not any(each in USUAL for each in ranges)

    def match_channels(self, shape: tuple[int, ...]) -> "Candidate":
        """Turn gray images into colour ones, or colour ones without colour into gray ones, if `shape` asks for it."""
        if isinstance(self.content, Tensor) and len(shape) == len(self.shape) == 3:
            colour = self.content.expand(-1, 3, -1, -1) if self.shape[0] == 1 else self.content
            if shape[0] == 3:
                return replace(self, content=colour)
            if shape[0] == 1 and self.shape[0] == 3 and bool((self.content == self.content[:, :1]).all()):
                return replace(self, content=self.content[:, :1])
        return self


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
    _check(names, reference, pairs, metrics)
    _check_places(things, None if against is None else str(against), size)
    _check_features(features, weights)
    Engine.choose(device)
    candidates = [
        Candidate(name, thing)
        if isinstance(thing, TrainedGenerator | Tensor)
        else Candidate.open(name, size, device, reporter)
        for name, thing in zip(names, things, strict=True)
    ]
    if truncation is not None:
        candidates = [each.truncate(truncation) for each in candidates]
    with reporter.phase("opening the real data") as progress:
        source = _real_data(candidates, None if against is None else str(against), size, progress, reporter)
    candidates = [
        Candidate.open(each.name, size, device, reporter, source.range) if each.reads_unlike(source) else each
        for each in candidates
    ]
    for each in candidates:
        for note in each.notes:
            reporter.note(f"{each.name}: {note.partition(';')[0]}")  # no flag of this command overrules it
    for note in source.notes if against is not None else ():
        reporter.note(note)
    if pairs and not source.is_images:
        raise InputError(f"--pairs is for images, and {source.name} has points")
    candidates = [candidate.match_channels(source.shape) for candidate in candidates]
    _check_shapes(candidates, source)
    with reporter.phase("preparing the features") as progress:
        request = Request(
            _choose_features(features, source, weights, download=download),
            weights,
            download,
            Engine.choose(device).device,
            progress,
        )
        made_elsewhere = all(isinstance(each.content, Tensor) for each in candidates)
        chosen = _choose_reference(reference, made_elsewhere=made_elsewhere)
        evaluation = Evaluation.of(source, request, chosen, made_elsewhere=made_elsewhere)
    measures = [find_metric(name) for name in metrics] or None
    found = {}
    for candidate in candidates:
        with reporter.phase(f"scoring {candidate.name}"):
            samples = candidate.samples(count, source, evaluation.features, seed)
            scores = evaluation.scores(samples, seed, measures)
        found[candidate.name] = [candidate.note_truncation(score) for score in scores]
    used = {score.features for scores in found.values() for score in scores}
    advice = evaluation.features.better if evaluation.features.name in used else ""
    return EvaluationResult(found, advice, evaluation.closest(samples, seed, pairs) if pairs else None)


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


def _choose_reference(reference: str, *, made_elsewhere: bool) -> Reference:
    """Return the reference that was asked for, or the one that nothing to be scored has an advantage in."""
    named: Reference | None = next((each for each in get_args(Reference) if each == reference), None)
    return named or ("all" if made_elsewhere else "test")


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
        _check_kind(Path(place).expanduser())
    if against is not None:
        find_reader(against)
    elif not any(_may_know_data(Path(place).expanduser()) for place in places):
        raise InputError("say which real data to compare with: --against DATA")


def _check_kind(path: Path) -> None:
    """Refuse a folder of runs, and a file with the weights of another program.

    Raises:
        InputError: see there; the message says what to give instead.
    """
    if runs := list_runs(path):
        raise InputError(f"{path} holds runs, {name_runs(runs)}: name those to evaluate")
    if is_model(path):
        generator = path.suffix == ".safetensors"
        instead = (
            "or its generator.safetensors" if generator else ", a generator.safetensors, or the images that it made"
        )
        raise InputError(f"{path} is {name_kind(path)}: give a run's folder{' ' if generator else ''}{instead}")


def _may_know_data(path: Path) -> bool:
    """Return whether it is a run, or lies in one, whose data are known."""
    return (path / "run.json").exists() or (path.suffix == ".safetensors" and _run_beside(path) is not None)


def _check_features(features: str, weights: Path | None) -> None:
    """Refuse features that do not exist, before anything is read.

    Raises:
        InputError: see there.
    """
    if features != "auto":
        find_extractor(features.partition(":")[0], Request(features, weights))


def _check_shapes(candidates: Sequence[Candidate], source: Source) -> None:
    for each in candidates:
        if each.shape != source.shape:
            raise InputError(
                f"{each.name} has samples of shape {list(each.shape)}, {source.name} of shape {list(source.shape)}: "
                "they cannot be compared"
            )


def _choose_features(features: str, source: Source, weights: Path | None, *, download: bool) -> str:
    """Return the name of the features to ask for; empty for the best ones that need no weights from elsewhere."""
    if features != "auto":
        return features
    colour = source.is_images and source.shape[0] == 3
    present = inception.present() and source.stacked_from is None  # whose modes only their own classifier tells
    return "inception" if colour and (weights is not None or download or present) else ""


def _run_beside(generator: Path) -> Line | None:
    """Return what is known of the run in whose folder that file lies, if it lies in one."""
    try:
        return RunFolder.open(generator.parent).describe()
    except InputError:
        return None


def _real_data(
    candidates: Sequence[Candidate],
    against: str | None,
    size: str | None,
    progress: Progress | None,
    reporter: Reporter,
) -> Source:
    """Open the real data: those named, images prepared as those to be scored are; else those of the first run.

    Raises:
        InputError: nothing says which data, or they cannot be used.
    """
    if against is None:
        run = next((each.run for each in candidates if each.run is not None), None)
        if run is None:
            raise InputError("say which real data to compare with: --against DATA")
        elsewhere = "say which real data to compare with, --against DATA"
        source = open_recorded(run, from_json(run["recipe"]).data, elsewhere, progress)
        if source.fingerprint != run["fingerprint"]:
            raise InputError(
                f"the data at {run['data']} have changed since the run began, and its test samples may be others: say "
                "which real data to compare with: --against DATA"
            )
        return source
    same = (each.run for each in candidates if each.run is not None and each.run["data"] == make_absolute(against))
    run = next(same, None)
    if run is not None:
        return open_source(against, from_json(run["recipe"]).data, progress)
    first = candidates[0]
    if len(first.shape) != 3 or min(first.shape[1:]) < SMALLEST_SIDE:
        return open_source(against, progress=progress)
    channels, height, width = first.shape
    values = {"size": (height, width), "channels": channels if channels in (1, 3) else None}
    try:
        source = open_source(against, catalog.build(Preparation, values), progress)
    except TooSmall as error:
        raise InputError(
            f"{first.name} has images of {height}x{width}, and no image in {against} is as large (the largest has a "
            f"shorter side of {error.largest} pixels): --size {error.largest} brings both to one size"
        ) from None
    if size is None and source.files is not None and _was_resized(source):
        reporter.note(f"{against}: brought to {height}x{width}, the size of {first.name}; --size chooses another one")
    return source


def _was_resized(source: Source) -> bool:
    """Return whether a file of `source` is stored in another size than its samples have."""
    assert source.files is not None  # noqa: S101  # the caller's promise
    with source.files.open(encoding="utf-8") as lines:
        stored = (json.loads(line).get("stored") for line in lines)
        return any(each is not None and tuple(each[:2]) != source.shape[1:] for each in stored)


def find_metric(name: str) -> Metric:
    """Return the metric called `name`, with or without its dashes.

    Raises:
        InputError: there is none.
    """
    known = catalog.choices(Metric)
    for called, cls in known.items():
        if name.lower() in (called, called.replace("-", "")):
            return cls()
    if name.lower() in ELSEWHERE:
        raise InputError(f"{name} is {ELSEWHERE[name.lower()]}")
    raise InputError(f"unknown metric {name!r}: {did_you_mean(name, known)}")
