"""Find the reader for what the user typed; each file reads one kind of data.

- Image files, which `packs` then decodes once (`files.py`): `folder.py`, `archive.py` (.zip), `hub.py` (the Hugging
  Face hub). `pack.py` reads what `zerosum pack` made of them, `remote.py` the same on another machine.
- Arrays, read as they are: `array.py` (.npy, .npz), `idx.py` (MNIST's format), `digits.py`.
- Standard sets by name: `standard.py` lists them, `download.py` fetches their files, `binaries.py` reads CIFAR-10 and
  STL-10.
- Made from other data or from nothing: `stacked.py` (three gray images as one), `toy.py` (known densities).
"""

import re
from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import torch

from zerosum import catalog
from zerosum.addresses import is_address
from zerosum.catalog import Component
from zerosum.data import LEAST, Progress, Source, TooFewSamples, hash_content
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError
from zerosum.names import BUILT_IN, no_such_data
from zerosum.strangers import is_model, name_kind

GLANCE = 64  # samples


class Reader(Component, ABC, kind="reader"):
    """Base class of readers, each of one kind of data. A new kind is one subclass in one file of this folder.

    Attributes:
        summary: the kind of data, in words for error messages.
        names: the built-in data that this reader answers to; written out, as `zerosum.names` reads them in the source.
        prefix: what is typed before other data that it is made from, if it is.
    """

    summary: ClassVar[str]
    names: ClassVar[tuple[str, ...]] = ()
    prefix: ClassVar[str] = ""

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
    if not (_has_spread(source.train.samples) and _has_spread(source.test.samples)):
        samples = torch.cat([source.train.samples, source.test.samples])
        different = {hash_content(sample.numpy().tobytes()) for sample in samples}
        raise TooFewSamples(data, len(samples), len(different))
    return source


def _has_spread(samples: torch.Tensor) -> bool:
    """Return whether there are `LEAST` samples, not all the same; look at many only if the first ones are."""
    parts = slice(1, 2), slice(2, GLANCE), slice(GLANCE, None)
    return len(samples) >= LEAST and any(bool((samples[part] != samples[0]).any()) for part in parts)


def make_absolute(data: str) -> str:
    """Make a path, alone or after a prefix, absolute, so that it means the same in any folder.

    The name of a built-in set stays a name; after a prefix it is marked as one. An address stays one.
    """
    if is_address(data):
        return data.rstrip("/")
    prefix, colon, place = data.partition(":")
    if prefix + colon == BUILT_IN:
        return place
    for before, rest in (("", data), (prefix + colon, place)):
        path = Path(rest).expanduser()
        if rest and path.exists():
            return f"{before}{path.resolve()}"
    before_data = any(colon and prefix + colon == reader.prefix for reader in make_readers())
    return f"{prefix}{colon}{BUILT_IN}{place}" if before_data and place in reader_names() else data


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
    reader, name = find_reader(data, recorded=recorded)
    if recorded or data not in reader_names() or name in reader.names:
        return reader.open(name, preparation, progress)
    aside = f"the built-in set of that name is {BUILT_IN}{data}"
    try:
        source = reader.open(data, preparation, progress)
    except InputError as error:
        raise InputError(f"{error}; {aside}") from None
    return replace(source, notes=(f"data: the path {Path('.', data).absolute()}; {aside}", *source.notes))


def reader_names() -> list[str]:
    """List the names of built-in data."""
    return [name for reader in make_readers() for name in reader.names]


def find_reader(data: str, *, recorded: bool = False) -> tuple[Reader, str]:
    """Find the reader for what the user typed, by names and magic numbers alone, and what to open by it.

    A path that exists comes before a built-in set of that name, unless `recorded`; `builtin:NAME` is always the set.

    Raises:
        InputError: nothing lies there, or no reader knows it.
    """
    known, name = make_readers(), data.removeprefix(BUILT_IN)
    built_in = next((reader for reader in known if name in reader.names), None)
    if built_in is not None and (recorded or name != data or not Path(data).exists()):
        return built_in, name
    if name != data:
        raise no_such_data(data, reader_names())
    found = next((reader for reader in known if data not in reader.names and reader.reads(data)), None)
    if found is not None:
        return found, data
    names = reader_names()
    aside = f"; the built-in set of that name is {BUILT_IN}{data}" if data in names else ""
    path = Path(data).expanduser()
    if not path.exists():
        raise no_such_data(data, names)
    if path.is_dir() and not any(path.iterdir()):
        raise InputError(f"the folder {data!r} is empty{aside}")
    if is_model(path):
        raise InputError(f"{data!r} is {name_kind(path)}: data are images or arrays (.npy, .npz), without objects")
    kinds = ", ".join(re.split(r" \(|:|, or ", reader.summary)[0] for reader in known)
    raise InputError(f"cannot tell what {data!r} is; zerosum reads {kinds}{aside}")
