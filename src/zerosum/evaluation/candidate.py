"""What is scored: a generator, or samples whoever made them; and who is told what happens to them."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zerosum.data import Progress, Source
from zerosum.data.values import USUAL, Range
from zerosum.errors import InputError
from zerosum.export import samples as sample_files
from zerosum.generator import TrainedGenerator
from zerosum.generator.loading import load
from zerosum.metrics import Score
from zerosum.metrics.by_class import Labels
from zerosum.metrics.evaluation import sample_count
from zerosum.metrics.features import FeatureExtractor
from zerosum.places import SHIPS, find_shipped
from zerosum.run_description import Line
from zerosum.run_folder import RunFolder, list_runs, name_runs
from zerosum.strangers import is_model, name_kind
from zerosum.types import Shape

LEAST = 2
RESIZER = "by Lanczos, antialiased"  # as data/packs/decode.py resizes files


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
class Candidate:
    """One thing to be scored.

    Attributes:
        name: as the user gave it.
        content: a generator, or samples: uint8 [N, C, H, W] or float32 [N, d].
        run: what `run.json` says, of a run or of a generator in its folder.
        truncation: of the generator's latents.
        range: the values of images made elsewhere that became black and white; None if they were bytes.
        notes: what was assumed of them.
        labels: the classes of samples, int64 [N], numbers into `class_names`; None if they have none, or nobody asked.
        class_names: their names.
        on_disk: whether they are samples that lie in files, so that they may be scored again.
        trained_on: the built-in data of a generator that ships with zerosum; empty for others.
    """

    name: str
    content: TrainedGenerator | Tensor
    run: Line | None = None
    truncation: float | None = None
    range: Range | None = None
    notes: tuple[str, ...] = ()
    labels: Tensor | None = None
    class_names: tuple[str, ...] = ()
    on_disk: bool = False
    trained_on: str = ""

    @classmethod
    def open(
        cls,
        name: str,
        size: str | None,
        device: str,
        reporter: Reporter,
        values: Range | None = None,
        *,
        labelled: bool = False,
    ) -> "Candidate":
        """Open what the user named: a run, a generator, or images, brought to `size` if given.

        `values` become black and white in images that are no bytes; None finds out which. Classes of images are looked
        for only if `labelled`.

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
        if find_shipped(path) is not None:
            reporter.note(f"{name}: {SHIPS}")
            generator = load(path, device)
            return cls(name, generator, trained_on=generator.metadata["data"])
        with reporter.phase(f"opening {name}") as progress:
            source = sample_files.load(name, size, progress, values, labelled=labelled)
        images = torch.cat([source.train.samples, source.test.samples])
        known = [split.labels for split in (source.train, source.test) if split.labels is not None]
        labels = torch.cat(known) if labelled and source.classes else None
        if len(images) < LEAST:
            raise InputError(f"{name} holds {len(images)} sample: at least {LEAST} are needed for a score")
        if size is not None and source.files is not None and was_resized(source):
            reporter.note(f"{name}: brought to {images.shape[2]}x{images.shape[3]} ({RESIZER})")
        notes = source.notes
        if source.files is not None and len(images) < source.files.read_bytes().count(b"\n"):
            reporter.files(source)
            notes = ()
        return cls(name, images, None, None, source.range, notes, labels, source.class_names, on_disk=True)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return tuple(self.content.shape[1:]) if isinstance(self.content, Tensor) else self.content.shape

    @property
    def learned_from(self) -> str:
        """The features that the discriminator of a generator learned from, if any."""
        return "none" if isinstance(self.content, Tensor) else self.content.networks.features

    def samples(self, count: int | None, source: Source, features: FeatureExtractor, seed: int) -> Tensor:
        """Generate `count` samples, or draw a random part of those that are there; None takes a fitting number, or all.

        Raises:
            InputError: there are fewer.
        """
        if not isinstance(self.content, Tensor):
            return self.content.sample(count or sample_count(source, features), seed, truncation=self.truncation)
        return self.content if count is None else self.content[self._draw(self.content, count, seed)]

    def find_labels(self, count: int | None, source: Source, features: FeatureExtractor, seed: int) -> Labels:
        """Find the classes of what `samples` returns, among those of `source`.

        Raises:
            InputError: the samples have no classes, none of which the source has, or there are fewer than `count`.
        """
        if not isinstance(self.content, Tensor):
            labels = self.content.sample_labels(count or sample_count(source, features), seed)
            return Labels.align(labels, list(self.content.classes), source)
        self.check_classes()
        assert self.labels is not None  # noqa: S101  # checked above
        labels = self.labels if count is None else self.labels[self._draw(self.content, count, seed)]
        return Labels.align(labels, self.class_names, source)

    def check_classes(self) -> None:
        """Refuse samples without classes.

        Raises:
            InputError: see there; the message says how they could have some.
        """
        if isinstance(self.content, Tensor) and self.labels is None:
            raise InputError(
                f"--by-class: {self.name} has no classes: put the images of each into a folder of its name, or labels "
                "into the .npz"
            )
        if not isinstance(self.content, Tensor) and not self.content.classes:
            raise InputError(
                f"--by-class: the generator {self.name} was not told classes (networks.condition), so its samples have "
                "none"
            )

    def _draw(self, content: Tensor, count: int, seed: int) -> list[int]:
        """Draw the places of `count` samples, whatever their order.

        Raises:
            InputError: there are fewer.
        """
        if count > len(content):
            raise InputError(f"{self.name} has {len(content):,} samples, not the {count:,} that were asked for")
        rows = np.ascontiguousarray(content.numpy()).reshape(len(content), -1)
        keys = [hashlib.blake2b(b"%d " % seed + row.tobytes()).digest() for row in rows]
        return sorted(range(len(keys)), key=keys.__getitem__)[:count]

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


def match_shape(candidates: Sequence[Candidate], shape: Shape, name: str) -> list[Candidate]:
    """Bring the candidates to the channels of the real data, which are called `name` and have samples of `shape`.

    Raises:
        InputError: the shape of one is another even then.
    """
    matched = [candidate.match_channels(shape) for candidate in candidates]
    for each in matched:
        if each.shape != shape:
            raise InputError(
                f"{each.name} has samples of shape {list(each.shape)}, {name} of shape {list(shape)}: "
                "they cannot be compared"
            )
    return matched


def was_resized(source: Source) -> bool:
    """Return whether a file of `source` is stored in another size than its samples have."""
    assert source.files is not None  # noqa: S101  # the caller's promise
    with source.files.open(encoding="utf-8") as lines:
        stored = (json.loads(line).get("stored") for line in lines)
        return any(each is not None and tuple(each[:2]) != source.shape[1:] for each in stored)


def check_kind(path: Path) -> None:
    """Refuse a folder of runs, and a file with the weights of another program.

    Raises:
        InputError: see there; the message says what to give instead.
    """
    if runs := list_runs(path):
        raise InputError(f"{path} holds runs, {name_runs(runs)}: name those to evaluate")
    if is_model(path):
        instead = " or its generator.safetensors"
        if path.suffix != ".safetensors":
            instead = ", a generator.safetensors, or the images that it made"
        raise InputError(f"{path} is {name_kind(path)}: give a run's folder{instead}")


def may_know_data(path: Path) -> bool:
    """Return whether it is a run, or lies in one, whose data are known, or names a generator that ships."""
    in_run = path.suffix == ".safetensors" and _run_beside(path) is not None
    return in_run or (path / "run.json").exists() or find_shipped(path) is not None


def _run_beside(generator: Path) -> Line | None:
    """Return what is known of the run in whose folder that file lies, if it lies in one."""
    try:
        return RunFolder.open(generator.parent).describe()
    except InputError:
        return None
