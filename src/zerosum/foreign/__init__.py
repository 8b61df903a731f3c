"""Read the log of a training that another program did: which of its numbers are known here, and what cannot be said.

Each file reads one kind of log. All are read as streams of `Chunk`s; `points.py` brings them to at most 10,000 points,
so that memory does not grow with the file.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from zerosum import catalog
from zerosum.catalog import Component
from zerosum.errors import InputError
from zerosum.strangers import name_kind

HEAD = 1_000_000  # bytes that are looked at to tell what a file is
LOOKED_AT = 400  # of its first lines
ROWS = 20_000  # of a chunk
ACCEPTED = (
    "a CSV with a header, JSON lines (also StyleGAN's stats.jsonl), TensorBoard's event files or a folder of them, or "
    "what a loop printed (d_loss: 0.7, g_loss: 0.9)"
)
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrainingLog:
    """What a log of another program says in words that are known here.

    Attributes:
        path: of the file or folder.
        kind: what it is, e.g. `StyleGAN stats.jsonl`.
        steps: int64 [n], rising; `notes` say what they count if that was guessed.
        columns: float64 [n] each, by zerosum's names: `discriminator_loss`, `generator_loss`, `penalty`, `d_real` and
            `d_fake` (D(x), D(G(z)) in [0, 1]), `d_fake_after` (after G's update), `real_logit`, `fake_logit`,
            `real_accuracy`, `fake_accuracy` (shares that D takes for what they are), `accuracy` (of both), `fid` ...
            NaN where nothing was logged or what was logged is not finite.
        unknown: names of columns that are not known here.
        notes: what was guessed or done, and what cannot be said, each one line.
    """

    path: Path
    kind: str
    steps: NDArray[np.int64]
    columns: Mapping[str, Floats]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.steps)


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows of a log, as they are.

    Attributes:
        lines: int64 [rows], where each is in the file, counted from 1.
        columns: the values, float64 [rows], and where there are any, bool [rows], by the log's own names.
        restarts: the rows before which the log's header came again.
    """

    lines: NDArray[np.int64]
    columns: Mapping[str, tuple[Floats, NDArray[np.bool_]]]
    restarts: tuple[int, ...] = ()

    @classmethod
    def of_rows(cls, rows: Sequence[tuple[int, Mapping[str, float]]]) -> "Chunk":
        """Make a chunk of rows that say which of the values they have: (line, values by name)."""
        names = list(dict.fromkeys(name for _, row in rows for name in row))
        if rows and all(len(row) == len(names) for _, row in rows):  # as nearly always; it is three times as fast
            pick = itemgetter(*names) if len(names) > 1 else (lambda row: (row[names[0]],))
            table = np.array([pick(row) for _, row in rows], np.float64).reshape(len(rows), -1)
            there = np.ones(len(rows), np.bool_)
            columns = {name: (table[:, place], there) for place, name in enumerate(names)}
        else:
            columns = {name: _column([row.get(name) for _, row in rows]) for name in names}
        return cls(np.array([line for line, _ in rows], np.int64), columns)


def _column(given: Sequence[float | None]) -> tuple[Floats, NDArray[np.bool_]]:
    there = np.array([value is not None for value in given])
    return np.array([np.nan if value is None else value for value in given], np.float64), there


class LogReader(Component, ABC, kind="kind of log"):
    """Base class of readers, each of one kind of log. A new kind is one subclass in one file of this folder.

    Attributes:
        title: the kind of log, in words.
        unit: what its lines are called in notes.
        generic: whether it is asked only if no other reader knows the file.
    """

    title: ClassVar[str]
    unit: ClassVar[str] = "line"
    generic: ClassVar[bool] = False

    def __init__(self) -> None:
        """Have nothing to note yet."""
        self.notes = list[str]()

    @abstractmethod
    def reads(self, path: Path, head: Sequence[str]) -> bool:
        """Return whether the file is of this kind, by its name and its first lines; a folder has none."""

    @abstractmethod
    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Read it in chunks, and add to `notes` what was guessed.

        Raises:
            InputError: it is of this kind but cannot be used.
        """


def read_log(path: str | Path) -> TrainingLog:
    """Read the log at `path`, a file or a folder of TensorBoard's event files.

    Raises:
        InputError: there is nothing, it is no log of a known kind, or nothing in it belongs to a GAN's training.
    """
    from zerosum.foreign.points import Assembly

    path = Path(path).expanduser()
    if not path.exists():
        raise InputError(f"no log at {path}: no such file or folder")
    if (path / "run.json").exists():
        raise InputError(f"{path} is a run of zerosum, which knows more than its logs: give it as RUN, without --log")
    try:
        head = [] if path.is_dir() else look(path)
        reader = find_reader(path, head)
        assembly = Assembly(reader.unit)
        for chunk in reader.chunks(path):
            assembly.add(chunk)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    steps, columns, notes = assembly.finish(str(path), ACCEPTED)
    return TrainingLog(path, reader.title, steps, columns, assembly.unknown, (*reader.notes, *notes))


def find_reader(path: Path, head: Sequence[str]) -> LogReader:
    """Find the reader for a file that begins with the lines `head`.

    Raises:
        InputError: there is none.
    """
    readers = sorted((reader() for reader in catalog.choices(LogReader).values()), key=lambda each: each.generic)
    found = next((reader for reader in readers if reader.reads(path, head)), None)
    if found is None:
        what = "has no event files" if path.is_dir() else "is no log that is known here"
        raise InputError(f"{path} {what}: --log takes {ACCEPTED}")
    return found


def look(path: Path) -> list[str]:
    """Return the first lines of a file of text; none of TensorBoard's event files.

    Raises:
        InputError: it is empty, or no text.
    """
    if is_event_file(path):
        return []
    with path.open("rb") as file:
        begin = file.read(HEAD)
    if not begin.strip():
        raise InputError(f"{path} is empty: --log takes {ACCEPTED}")
    text = begin.decode(encoding_of(path), errors="replace")
    kind = name_kind(path)
    if kind or "\0" in text:
        raise InputError(f"{path} is {kind or 'no text'}, not a log: --log takes {ACCEPTED}")
    lines = text.splitlines()
    if len(begin) == HEAD and len(lines) < 2:
        raise InputError(f"{path} has a line of more than {HEAD:,} bytes: --log takes {ACCEPTED}")
    return [line for line in lines[:LOOKED_AT] if line.strip()]


def is_event_file(path: Path) -> bool:
    """Whether a file is one of TensorBoard's, by its name."""
    return "tfevents" in path.name and path.is_file()


def encoding_of(path: Path) -> str:
    """Return the encoding of a text: UTF-16, as some shells of Windows write, if its first bytes say so, else UTF-8."""
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def lines_of(path: Path) -> Iterator[str]:
    """Read the lines of a text, with their ends; a carriage return, as of a progress bar, ends a line too."""
    with path.open(encoding=encoding_of(path), errors="replace") as file:
        yield from file


def parse_number(text: str) -> float | None:
    """Read a number as programs write it: also `nan`, `-inf`, `50%` (0.5) and `tensor(0.5)`; None if it is none."""
    text = text.strip().removeprefix("tensor(").split(",")[0].rstrip(")")
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None
