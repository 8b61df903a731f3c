"""Demonstrations: the claims of the theory, measured. One class in one file each; `zerosum theory NAME` shows one."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from zerosum.catalog import Component

Cell = str | float


@dataclass(frozen=True)
class Table:
    """Measured numbers at full precision; they are only rounded to be printed.

    Attributes:
        title: what it shows.
        columns: heading -> the format of its numbers, e.g. ".3f".
        rows: a cell for each column; text is printed as it is.
    """

    title: str
    columns: dict[str, str]
    rows: tuple[tuple[Cell, ...], ...]

    def column(self, heading: str) -> list[Cell]:
        """Return the cells below a heading, from top to bottom."""
        place = list(self.columns).index(heading)
        return [row[place] for row in self.rows]

    def format_rows(self) -> list[list[str]]:
        """Format the cells of each row as text."""
        formats = self.columns.values()
        return [
            [cell if isinstance(cell, str) else format(cell, spec) for cell, spec in zip(row, formats, strict=True)]
            for row in self.rows
        ]


@dataclass(frozen=True)
class Findings:
    """What a demonstration found.

    Attributes:
        opening: what was done, in a sentence or two.
        tables: the numbers.
        notes: what they say, a sentence or two each.
        picture: a PNG.
        movie: a GIF; None if there is none.
    """

    opening: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    picture: bytes
    movie: bytes | None = None


class Demonstration(Component, ABC, kind="demonstration"):
    """One claim of a paper, put to the test. The fields of a subclass are its settings.

    Attributes:
        claim: the claim, in one line.
        paper: where it is made.
    """

    claim: ClassVar[str]
    paper: ClassVar[str]

    @abstractmethod
    def show(self, seed: int) -> Findings:
        """Measure, and draw. The result is a function of `seed`."""
