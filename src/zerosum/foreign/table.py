"""Tables with a header: CSV, also with semicolons or tabs."""

import contextlib
import csv
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from zerosum.errors import InputError
from zerosum.foreign import ACCEPTED, ROWS, Chunk, Floats, LogReader, lines_of, parse_number
from zerosum.foreign.spellings import recognise

DELIMITERS = ",;\t"


class Table(LogReader, name="csv"):
    """A row of names, then rows of numbers; a cell may be blank."""

    title: ClassVar[str] = "CSV"
    generic: ClassVar[bool] = True

    def reads(self, path: Path, head: Sequence[str]) -> bool:
        """Recognise a line of names, one of which is known or whose next line has as many cells."""
        return bool(split_header(head))

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Read some thousand rows at a time; rows of another length are left out and counted."""
        lines = lines_of(path)
        first_line, first = next((number, line) for number, line in enumerate(lines, start=1) if line.strip())
        delimiter = find_delimiter(first)
        header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter))]
        left_out, kept, begin = 0, 0, 0
        while texts := list(itertools.islice(lines, ROWS)):
            rows = _parse_rows(texts, header, delimiter)
            left_out += rows.left_out
            kept += len(rows.chunk.lines)
            yield replace(rows.chunk, lines=rows.chunk.lines + begin + first_line)
            begin += len(texts)
        if left_out > kept:
            raise InputError(
                f"{path} is mixed: {left_out:,} of its {left_out + kept:,} rows have not the {len(header)} cells of "
                f"its header: --log takes {ACCEPTED}"
            )
        if left_out:
            self.notes.append(f"{left_out:,} rows are left out: they have not the {len(header)} cells of the header")


def split_header(head: Sequence[str]) -> list[str]:
    """Return the names in the first line, if it is a header of a table; else none."""
    if not head:
        return []
    delimiter = find_delimiter(head[0])
    names = [name.strip() for name in next(csv.reader([head[0]], delimiter=delimiter))]
    is_names = all(parse_number(name) is None and ": " not in name and "{" not in name for name in names)
    known = any(recognise(name) for name in names)
    if not is_names or len(head) < 2 or (len(names) == 1 and not known):
        return []
    second = next(csv.reader([head[1]], delimiter=delimiter))
    numbers = [parse_number(cell) for cell in second]
    return names if len(second) == len(names) and (known or any(each is not None for each in numbers)) else []


def find_delimiter(line: str) -> str:
    """Return what separates cells: whatever of `DELIMITERS` there is most of."""
    return max(DELIMITERS, key=line.count)


def parse_column(cells: Sequence[str]) -> tuple[Floats, NDArray[np.bool_]]:
    """Parse cells to values, and where there are any."""
    try:
        return np.array(list(map(float, cells))), np.ones(len(cells), np.bool_)
    except ValueError:
        given = [parse_number(cell) for cell in cells]
        there = np.array([value is not None for value in given])
        return np.array([np.nan if value is None else value for value in given], np.float64), there


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of a table; their lines are counted from 1. `left_out` counts those of another length."""

    chunk: Chunk
    left_out: int = 0


def _parse_rows(texts: Sequence[str], header: Sequence[str], delimiter: str) -> _Rows:
    """Parse lines of a table: all at once if they hold numbers only, else cell by cell."""
    there = np.ones(len(texts), np.bool_)
    with contextlib.suppress(ValueError):
        if all(text.strip() for text in texts):
            numbers = np.loadtxt(texts, delimiter=delimiter, ndmin=2, comments=None, quotechar='"')
            if numbers.shape == (len(texts), len(header)):
                columns = {name: (numbers[:, header.index(name)], there) for name in header}
                return _Rows(Chunk(np.arange(1, len(texts) + 1), columns))
    try:
        rows = list(csv.reader(texts, delimiter=delimiter))
    except csv.Error as error:
        raise InputError(f"the table cannot be read: {error}") from None
    again = [place for place, row in enumerate(rows) if [cell.strip() for cell in row] == header]
    repeated = set(again)
    places = [place for place, row in enumerate(rows) if len(row) == len(header) and place not in repeated]
    cells = list(zip(*(rows[place] for place in places), strict=True)) or [()] * len(header)
    restarts = tuple(each for each in np.searchsorted(places, again).tolist() if each < len(places))
    chunk = Chunk(
        np.array(places, np.int64) + 1, {name: parse_column(cells[header.index(name)]) for name in header}, restarts
    )
    return _Rows(chunk, sum(1 for row in rows if row) - len(places) - len(again))
