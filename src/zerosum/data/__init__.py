"""Data: where real samples come from, kept in two splits of which the players see only one.

`open_source` takes what a user types, finds the `Reader` that knows it, and returns a `Source`. Everything after that
sees arrays only: images as uint8 [N, C, H, W], points as float32 [N, d].
"""

import functools
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum import catalog, randomness
from zerosum.data.mixture import Mixture
from zerosum.data.pixels import to_float
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError, did_you_mean

TEST_FRACTION = 0.2
LEAST = 2  # samples of each split: one alone has no spread, and so no score
Progress = Callable[[str, int, int], None]


class Batch(NamedTuple):
    """Samples as the players see them: float32, images in [-1, 1]; and their labels, int64 [N], where there are any."""

    samples: Tensor
    labels: Tensor | None


@dataclass(frozen=True, eq=False)
class Split:
    """Samples of one split.

    Attributes:
        samples: uint8 [N, C, H, W] for images, float32 [N, d] for points.
        labels: int64 [N], or None.
        flip: whether half of a minibatch's images are mirrored, left to right.
    """

    samples: Tensor
    labels: Tensor | None = None
    flip: bool = False

    def __len__(self) -> int:
        """The number of samples."""
        return len(self.samples)

    def batch(self, indices: Tensor) -> Batch:
        """The samples at `indices` with their labels."""
        return self._batch(self._stored(indices), indices)

    def minibatch(
        self, size: int, number: int, seed: int, *, device: torch.device | None = None, labelled: bool = True
    ) -> Batch:
        """Minibatch `number` (from 0) of the endless stream that `shuffled` describes, on `device`, else on the CPU.

        Its labels come along only if they are wanted.
        """
        indices = shuffled(len(self), size, number, seed)
        chosen = self._stored(indices)
        if self.flip:
            mirrored = torch.rand(size, generator=randomness.generator(seed, number, "flip")) < 0.5
            chosen[mirrored] = chosen[mirrored].flip(3)
        return self._batch(chosen, indices, device, labelled=labelled)

    def _stored(self, indices: Tensor) -> Tensor:
        return self.samples.index_select(0, indices)  # thirty times as fast as [indices] for bytes

    def _batch(
        self, chosen: Tensor, indices: Tensor, device: torch.device | None = None, *, labelled: bool = True
    ) -> Batch:
        samples = _sent(chosen, device)  # as bytes, a quarter of what they are as floats
        labels = _sent(self.labels[indices], device) if labelled and self.labels is not None else None
        return Batch(to_float(samples) if samples.dtype == torch.uint8 else samples, labels)


def _sent(tensor: Tensor, device: torch.device | None) -> Tensor:
    """The tensor on `device`; a GPU copies it when it gets there, and nobody waits."""
    if device is None or device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def shuffled(count: int, size: int, number: int, seed: int) -> Tensor:
    """Indices of minibatch `number` in an endless shuffled stream in which every epoch shows each of `count` once."""
    first = number * size
    parts = []
    while size > 0:
        epoch, offset = divmod(first, count)
        part = _permutation(seed, epoch, count)[offset : offset + size]
        parts.append(part)
        first, size = first + len(part), size - len(part)
    return torch.cat(parts)


@functools.lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, count: int) -> Tensor:
    return torch.randperm(count, generator=randomness.generator(seed, epoch, "shuffle"))


@dataclass(frozen=True, eq=False)
class Source:
    """A data set, opened.

    Attributes:
        name: what it is called, e.g. in a run folder's name.
        train: what the discriminator learns from.
        test: what the players never see, and every score compares with.
        class_names: the names of the labels, in order; empty where there are none.
        density: the exact distribution of points, where it is known.
        digest: of every sample and label, where it was computed before.
        files: the list, one JSON object a line, of what was done with every image file, where there were files.
        stacked_from: the labelled images that the channels show, where samples are stacks of such.
    """

    name: str
    train: Split
    test: Split
    class_names: tuple[str, ...] = ()
    density: Mixture | None = None
    digest: str = ""
    files: Path | None = None
    stacked_from: "Source | None" = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample: (C, H, W) for images, (d,) for points."""
        return tuple(self.train.samples.shape[1:])

    @property
    def classes(self) -> int:
        """The number of classes; 0 where there are no labels."""
        return len(self.class_names) if self.train.labels is not None else 0

    @property
    def is_images(self) -> bool:
        """Whether samples are images rather than points."""
        return len(self.shape) == 3

    @functools.cached_property
    def fingerprint(self) -> str:
        """A digest of every sample and label: of the same data, read in the same way, it is the same anywhere."""
        if self.digest:
            return self.digest
        digest = hashlib.blake2b(digest_size=16)
        for split in (self.train, self.test):
            for tensor in (split.samples, split.labels):
                if tensor is not None:
                    digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
                    digest.update(np.ascontiguousarray(tensor.numpy()).data)
        return digest.hexdigest()


class Reader(ABC):
    """Knows one kind of data. A new kind is one subclass in one file of this folder."""

    summary: ClassVar[str]

    @abstractmethod
    def reads(self, data: str) -> bool:
        """Whether `data`, as the user typed it, is of this kind: a look at names and magic numbers, nothing more."""

    @abstractmethod
    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Read `data`; image files are prepared as `preparation` says, telling `progress` how far that is.

        Raises:
            InputError: it is of this kind but cannot be used.
        """

    def names(self) -> tuple[str, ...]:
        """Names of built-in data that this reader answers to."""
        return ()


def readers() -> list[Reader]:
    """One of each reader that exists."""
    return [reader() for reader in catalog.choices(Reader).values()]


def open_source(
    data: str | Path, preparation: Preparation | None = None, progress: Progress | None = None, *, noted: bool = False
) -> Source:
    """Open what the user named: a built-in set, or a path to data of a kind that some reader knows.

    What was `noted` of a run is what `absolute` makes of it: a name of a built-in set means that set, also where a
    folder of this name lies in the current one.

    Image files are prepared as `preparation` says, of which only `flip` is about other images too; `progress` is told
    what is done, how much of it, and of how much.

    Raises:
        InputError: nothing lies there, no reader knows it, the reader that does cannot use it, or it holds too little.
    """
    data = str(data)
    source = open_whole(data, preparation, progress, noted=noted)
    if preparation is not None and preparation.flip and source.is_images:
        source = replace(source, train=replace(source.train, flip=True))
    if min(len(source.train), len(source.test)) < LEAST:
        samples = torch.cat([source.train.samples, source.test.samples])
        if len(samples) > 1 and (samples == samples[0]).all():
            raise InputError(f"{data}: all {len(samples)} samples are the same: there is nothing to learn from them")
        raise too_few(data, len(samples))
    return source


def too_few(data: str, count: int) -> InputError:
    """That not all splits of `data` have enough samples."""
    return InputError(f"{data}: {count} usable samples are too few to train with some and test with others")


def absolute(data: str) -> str:
    """What the user typed, so that it means the same in any folder: a path, alone or after a prefix, made absolute.

    The name of built-in data stays a name, whatever lies in the current folder.
    """
    prefix, colon, place = data.partition(":")
    for before, rest in (("", data), (prefix + colon, place)):
        path = Path(rest).expanduser()
        if rest and path.exists() and not any(rest in reader.names() and reader.reads(rest) for reader in readers()):
            return f"{before}{path.resolve()}"
    return data


def open_whole(
    data: str, preparation: Preparation | None = None, progress: Progress | None = None, *, noted: bool = False
) -> Source:
    """What `open_source` opens, be it so little that a split is empty: to judge what was generated elsewhere.

    Raises:
        InputError: nothing lies there, no reader knows it, or the reader that does cannot use it.
    """
    try:
        return _read(data, preparation or Preparation(), progress, noted=noted)
    except OSError as error:
        raise InputError(f"{data} cannot be read: {error.strerror or error}") from None


def _read(data: str, preparation: Preparation, progress: Progress | None, *, noted: bool) -> Source:
    known = readers()
    for reader in known:
        if (noted and data in reader.names()) or reader.reads(data):
            return reader.open(data, preparation, progress)
    names = [name for reader in known for name in reader.names()]
    path = Path(data).expanduser()
    if not path.exists():
        raise InputError(
            f"no data at {data!r}: no such file or folder, and no built-in set ({did_you_mean(data, names)})"
        )
    if path.is_dir() and not any(path.iterdir()):
        raise InputError(f"the folder {data!r} is empty")
    kinds = "; ".join(reader.summary for reader in known)
    raise InputError(f"cannot tell what {data!r} is; zerosum reads {kinds}")


def split_by_content(samples: Tensor, labels: Tensor | None) -> tuple[Split, Split]:
    """Keep one sample in five for testing, chosen by its content, so that added samples move no old one."""
    rows: NDArray[np.uint8] = np.ascontiguousarray(samples.numpy()).reshape(len(samples), -1).view(np.uint8)
    test = torch.from_numpy(for_testing(np.array([content_number(row.tobytes()) for row in rows], np.int64)))

    def part(mask: Tensor) -> Split:
        return Split(samples[mask], None if labels is None else labels[mask])

    return part(~test), part(test)


def content_number(content: bytes) -> int:
    """A number of 32 bits that stands for a content."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=4).digest(), "little")


def for_testing(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of N samples are kept for testing, given the numbers of their contents: one in five, but `LEAST` of few."""
    smallest = np.sort(numbers)[:LEAST]
    return numbers < max(TEST_FRACTION * 2**32, 1 + max(smallest, default=0))
