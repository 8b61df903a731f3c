"""Find the reader for what the user typed; each file reads one kind of data.

- Image files, which `packs` then decodes once: `folder.py`, `archive.py` (.zip), `hub.py` (the Hugging Face hub).
- Arrays, read as they are: `array.py` (.npy, .npz), `idx.py` (MNIST's format), `digits.py`.
- Standard sets by name: `standard.py` lists them, `download.py` fetches their files, `binaries.py` reads CIFAR-10 and
  STL-10.
- Made from other data or from nothing: `stacked.py` (three gray images as one), `toy.py` (known densities).
"""

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import torch

from zerosum import catalog
from zerosum.catalog import Component
from zerosum.data import LEAST, Progress, Source, TooFewSamples
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError, did_you_mean
from zerosum.strangers import is_model, name_kind


class Reader(Component, ABC, kind="reader"):
    """Base class of readers, each of one kind of data. A new kind is one subclass in one file of this folder.

    Attributes:
        summary: the kind of data, in words for error messages.
        names: the built-in data that this reader answers to.
    """

    summary: ClassVar[str]
    names: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def reads(self, data: str) -> bool:
        """Return whether `data`, as the user typed it, is of this kind, by names and magic numbers alone."""

    @abstractmethod
    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Read `data`; prepare image files by `preparation` and report to `progress`.

        Raises:
            InputError: it is of this kind but cannot be used.
        """


def make_readers() -> list[Reader]:
    """Make one of each reader that exists."""
    return [reader() for reader in catalog.choices(Reader).values()]


def open_source(
    data: str | Path,
    preparation: Preparation | None = None,
    progress: Progress | None = None,
    *,
    recorded: bool = False,
) -> Source:
    """Open what the user named: a built-in set, or a path to data of a kind that some reader knows.

    Args:
        data: as the user typed it.
        preparation: how to prepare image files; only `flip` concerns other images too.
        progress: called with the work in progress, how much of it is done, and the total.
        recorded: whether `data` is `make_absolute`'s result from a run's record: then the name of a built-in set means
            that set, even if the current folder has a folder of that name.

    Raises:
        InputError: nothing lies there, no reader knows it, the reader that does cannot use it, or it holds too few
            samples.
    """
    data = str(data)
    source = open_any_count(data, preparation, progress, recorded=recorded)
    if preparation is not None and preparation.flip and source.is_images:
        source = replace(source, train=replace(source.train, flip=True))
    if min(len(source.train), len(source.test)) < LEAST:
        samples = torch.cat([source.train.samples, source.test.samples])
        if len(samples) > 1 and (samples == samples[0]).all():
            raise InputError(f"{data}: all {len(samples)} samples are the same: there is nothing to learn from them")
        raise TooFewSamples(data, len(samples))
    return source


def make_absolute(data: str) -> str:
    """Make a path, alone or after a prefix, absolute, so that it means the same in any folder.

    The name of built-in data stays a name, whatever lies in the current folder.
    """
    known = make_readers()
    prefix, colon, place = data.partition(":")
    for before, rest in (("", data), (prefix + colon, place)):
        path = Path(rest).expanduser()
        if rest and path.exists() and not any(rest in reader.names and reader.reads(rest) for reader in known):
            return f"{before}{path.resolve()}"
    return data


def open_any_count(
    data: str, preparation: Preparation | None = None, progress: Progress | None = None, *, recorded: bool = False
) -> Source:
    """Open data as `open_source` does, but accept any number of samples, to score what was generated elsewhere.

    Raises:
        InputError: nothing lies there, no reader knows it, or the reader that does cannot use it.
    """
    try:
        return _read(data, preparation or Preparation(), progress, recorded=recorded)
    except OSError as error:
        raise InputError(f"{data} cannot be read: {error.strerror or error}") from None


def _read(data: str, preparation: Preparation, progress: Progress | None, *, recorded: bool) -> Source:
    known = make_readers()
    found = [reader for reader in known if recorded and data in reader.names]
    found = found or [reader for reader in known if reader.reads(data)]
    if found:
        return found[0].open(data, preparation, progress)
    names = [name for reader in known for name in reader.names]
    path = Path(data).expanduser()
    if not path.exists():
        raise InputError(
            f"no data at {data!r}: no such file or folder, and no built-in set ({did_you_mean(data, names)})"
        )
    if path.is_dir() and not any(path.iterdir()):
        raise InputError(f"the folder {data!r} is empty")
    if is_model(path):
        raise InputError(f"{data!r} is {name_kind(path)}: data are images or arrays (.npy, .npz), without objects")
    kinds = "; ".join(reader.summary for reader in known)
    raise InputError(f"cannot tell what {data!r} is; zerosum reads {kinds}")
