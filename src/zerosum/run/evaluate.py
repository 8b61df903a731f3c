"""Score generated samples, whoever made them, against real data: what `zerosum evaluate` calls."""

import hashlib
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
from zerosum.data.preparation import Preparation
from zerosum.data.readers import make_absolute, open_source
from zerosum.errors import InputError, did_you_mean
from zerosum.export import samples as sample_files
from zerosum.game.engine import Engine
from zerosum.game.recipe import from_json
from zerosum.generator import TrainedGenerator, load
from zerosum.metrics import Metric, Reference, Score
from zerosum.metrics.evaluation import Evaluation, sample_count
from zerosum.metrics.features import Request, inception
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
    """

    name: str
    content: TrainedGenerator | Tensor
    run: Line | None = None

    @classmethod
    def open(cls, name: str, size: str | None, device: str, reporter: Reporter) -> "Candidate":
        """Open what the user named: a run, a generator, or images, brought to `size` if given.

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
        if not path.exists():
            raise InputError(f"no run and no images at {name}: no such file or folder")
        if runs := list_runs(path):
            raise InputError(f"{name} holds runs, {name_runs(runs)}: name those to evaluate")
        if is_model(path):
            raise InputError(
                f"{name} is {name_kind(path)}: give a run's folder, a generator.safetensors, or the images that it made"
            )
        with reporter.phase(f"opening {name}") as progress:
            source = sample_files.load(name, size, progress)
        images = torch.cat([source.train.samples, source.test.samples])
        if len(images) < LEAST:
            raise InputError(f"{name} holds {len(images)} sample: at least {LEAST} are needed for a score")
        if source.files is not None and len(images) < source.files.read_bytes().count(b"\n"):
            reporter.files(source)
        return cls(name, images)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return tuple(self.content.shape[1:]) if isinstance(self.content, Tensor) else self.content.shape

    def samples(self, count: int | None, source: Source, seed: int) -> Tensor:
        """Generate `count` samples, or draw a random part of those that are there; None takes a fitting number, or all.

        Raises:
            InputError: there are fewer.
        """
        if not isinstance(self.content, Tensor):
            return self.content.sample(count or sample_count(source), seed)
        if count is None:
            return self.content
        if count > len(self.content):
            raise InputError(f"{self.name} has {len(self.content):,} samples, not the {count:,} that were asked for")
        rows = np.ascontiguousarray(self.content.numpy()).reshape(len(self.content), -1)
        keys = [hashlib.blake2b(b"%d " % seed + row.tobytes()).digest() for row in rows]  # independent of the order
        return self.content[sorted(range(len(keys)), key=keys.__getitem__)[:count]]

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
    reference: str = "test",
    count: int | None = None,
    size: str | None = None,
    seed: int = 1,
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
        reference: compare with the `test` split, the `train` split, or `all`.
        count: samples of each; else 5,000 to 10,000, or all that are there.
        size: resize images made elsewhere: `64`, or height x width.
        seed: of the samples and of every choice that a metric makes.
        pairs: how many of the samples nearest to training images to return; only for one thing at a time.
        device: where generators and features run.
        reporter: is told what happens.

    Raises:
        InputError: something does not exist, cannot be used, or cannot be compared.
    """
    reporter = reporter or Reporter()
    things = [what] if isinstance(what, str | Path | TrainedGenerator | Tensor) else list(what)
    names = [_name(thing, number) for number, thing in enumerate(things, start=1)]
    chosen = _check(names, reference, pairs, metrics)
    candidates = [
        Candidate(name, thing)
        if isinstance(thing, TrainedGenerator | Tensor)
        else Candidate.open(name, size, device, reporter)
        for name, thing in zip(names, things, strict=True)
    ]
    with reporter.phase("opening the real data") as progress:
        source = _real_data(candidates, None if against is None else str(against), progress)
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
        evaluation = Evaluation.of(source, request, chosen)
    measures = [find_metric(name) for name in metrics] or None
    found = {}
    for candidate in candidates:
        with reporter.phase(f"scoring {candidate.name}"):
            samples = candidate.samples(count, source, seed)
            found[candidate.name] = evaluation.scores(samples, seed, measures)
    used = {score.features for scores in found.values() for score in scores}
    advice = evaluation.features.better if evaluation.features.name in used else ""
    return EvaluationResult(found, advice, evaluation.closest(samples, seed, pairs) if pairs else None)


def _name(thing: object, number: int) -> str:
    if isinstance(thing, str | Path):
        return str(thing)
    return f"{'generator' if isinstance(thing, TrainedGenerator) else 'samples'} {number}"


def _check(names: Sequence[str], reference: str, pairs: int, metrics: Sequence[str]) -> Reference:
    """Refuse what does not go together before anything is read; return the reference.

    Raises:
        InputError: see there.
    """
    if not names:
        raise InputError("nothing to evaluate")
    chosen: Reference | None = next((each for each in get_args(Reference) if each == reference), None)
    if chosen is None:
        raise InputError(f"--reference {reference!r}: choose one of: {', '.join(get_args(Reference))}")
    if len(set(names)) < len(names):
        raise InputError("the same name is given twice")
    if pairs and len(names) > 1:
        raise InputError("--pairs is for one thing at a time")
    for name in metrics:
        find_metric(name)
    return chosen


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


def _real_data(candidates: Sequence[Candidate], against: str | None, progress: Progress | None) -> Source:
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
    shape = candidates[0].shape
    if len(shape) != 3 or min(shape[1:]) < SMALLEST_SIDE:
        return open_source(against, progress=progress)
    channels = shape[0] if shape[0] in (1, 3) else None
    values = {"size": (shape[1], shape[2]), "channels": channels}
    return open_source(against, catalog.build(Preparation, values), progress)


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
