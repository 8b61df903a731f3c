"""Demonstrations: the claims of the theory, measured. One class in one file each; `zerosum theory NAME` shows one."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

Cell = str | float


@dataclass(frozen=True)
class Table:
    """Measured numbers, as they are; they are only rounded to be printed.

    Attributes:
        title: what it shows.
        columns: heading -> how its numbers are written, as for `format`, e.g. ".3f".
        rows: a cell for each column; text is printed as it is.
    """

    title: str
    columns: dict[str, str]
    rows: tuple[tuple[Cell, ...], ...]

    def column(self, heading: str) -> list[Cell]:
        """The cells below a heading, from top to bottom."""
        place = list(self.columns).index(heading)
        return [row[place] for row in self.rows]

    def written(self) -> list[list[str]]:
        """The rows as text."""
        formats = self.columns.values()
        return [
            [cell if isinstance(cell, str) else format(cell, spec) for cell, spec in zip(row, formats, strict=True)]
            for row in self.rows
        ]


@dataclass(frozen=True)
class Shown:
    """What a demonstration found.

    Attributes:
        opening: what was done, in a sentence or two.
        tables: the numbers.
        remarks: what they say, a sentence or two each.
        picture: a PNG.
        movie: a GIF, where it moves.
    """

    opening: str
    tables: tuple[Table, ...]
    remarks: tuple[str, ...]
    picture: bytes
    movie: bytes | None = None


class Demonstration(ABC):
    """One claim of a paper, put to the test. The fields of a subclass are its settings.

    Attributes:
        claim: the claim, in one line.
        paper: where it is made.
    """

    claim: ClassVar[str]
    paper: ClassVar[str]

    @abstractmethod
    def show(self, seed: int) -> Shown:
        """Measure, and draw. The result is a function of `seed`."""
