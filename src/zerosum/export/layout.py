"""How many samples `sample` draws, and how they lie in a picture."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from zerosum.errors import InputError
from zerosum.export import pictures
from zerosum.export.samples import format_of
from zerosum.generator import TrainedGenerator

COUNT, COUNT_BY_CLASS = 64, 8


@dataclass(frozen=True)
class Layout:
    """How many samples are drawn, and how they lie in a picture.

    Attributes:
        count: of the samples; by class, of each row, until `fit` knows the classes.
        columns: of the grid; None lets it be about square.
        grid: what the user typed for it, if anything.
        by_class: whether each class has a row, of the same latents.
    """

    count: int
    columns: int | None = None
    grid: str | None = None
    by_class: bool = False

    @classmethod
    def of(cls, path: Path, count: int | None, grid: str | None, *, by_class: bool) -> "Layout":
        """Read what the user typed, before a generator is loaded.

        Raises:
            InputError: the grid is none, or there is to be no picture at `path` to lay them out in.
        """
        if grid is not None:
            rows, columns = _parse_grid(grid, path)
            return cls(rows * columns, columns, grid)
        if by_class and format_of(path) not in pictures.FORMATS:
            raise InputError(f"--by-class: {path} is no picture; use {' '.join(pictures.FORMATS)}")
        return cls(count or (COUNT_BY_CLASS if by_class else COUNT), by_class=by_class)

    def fit(self, generator: TrainedGenerator) -> "Layout":
        """Return the layout for the classes of `generator`, and refuse one that its samples do not have.

        Raises:
            InputError: they are points, which have no grid, or the generator was told no classes.
        """
        if len(generator.shape) != 3 and (self.grid or self.by_class):
            asked = "--by-class" if self.by_class else f"--grid {self.grid}"
            raise InputError(f"{asked}: these samples are points, which become one plot: use --count")
        if not self.by_class:
            return self
        if not generator.classes:
            raise InputError(
                "--by-class: this generator was told no classes: train on labelled images, by a recipe like "
                "compact-conditional"
            )
        return replace(self, count=self.count * len(generator.classes), columns=self.count)

    def draw(
        self, generator: TrainedGenerator, seed: int, label: str | None = None, truncation: float | None = None
    ) -> Iterator[Tensor]:
        """Draw the samples; by class, those of a column have the same latent, but for the class."""
        if not self.by_class or self.columns is None:
            yield from generator.sample_batches(self.count, seed, label, truncation)
            return
        for each in generator.classes:
            yield from generator.sample_batches(self.columns, seed, each, truncation)


def _parse_grid(text: str, path: Path) -> tuple[int, int]:
    """Read the rows and columns of a grid, as 8x8, that is to become the picture at `path`.

    Raises:
        InputError: they are no such numbers, or no picture is asked for.
    """
    if format_of(path) not in pictures.FORMATS:
        raise InputError(f"--grid {text}: {path} is no picture; use {' '.join(pictures.FORMATS)}")
    found = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", text.lower())
    if found is None:
        raise InputError(f"--grid {text}: write rows x columns, as 8x8, each from 1 to 9999")
    return int(found[1]), int(found[2])
