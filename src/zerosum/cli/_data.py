"""Open DATA for a recipe and say what was done with its files: what `train` and `data` share."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from zerosum.cli._progress import show_progress
from zerosum.data import Source
from zerosum.game.recipe import Recipe
from zerosum.recipes import auto
from zerosum.run.plan import open_for_recipe
from zerosum.run.start import Start

SHOWN = 3
ENOUGH = 1_000  # images for testing


def open_data(
    data: str, recipe: str, changes: Sequence[str], device: str, console: Console, start: Start | None = None
) -> tuple[Source, Recipe]:
    """Open the data, find their recipe (or `start`'s) with the `changes`, and say what was done with files.

    Raises:
        InputError: no such recipe or field, or the data cannot be used.
    """
    with show_progress("opening", console) as progress:
        source, chosen = open_for_recipe(data, recipe, changes, device, progress, start)
    tell_files(source, console)
    for expected in filter(None, (expect_of_scores(source), auto.expect(chosen, source))):
        console.print(expected, soft_wrap=True)
    return source, chosen


def add_size(changes: Sequence[str] | None, size: str | None) -> list[str]:
    """Return the changes of `--set`, and that of `--size` if it was given."""
    return [*(changes or ()), *([f"data.size={size}"] if size is not None else ())]


def count_epochs(recipe: Recipe, iterations: int, source: Source) -> float:
    """Return how often the discriminator sees each training sample in so many iterations."""
    return iterations * recipe.discriminator_steps * recipe.batch_size / len(source.train)


def describe_recipe(recipe: Recipe) -> str:
    """Return the recipe's name, with the width of its networks where they have one, and how large a frozen one sees."""
    width, seen = getattr(recipe.networks, "width", None), recipe.networks.feature_size
    seeing = "" if recipe.networks.features == "none" else f", whose frozen network sees {seen} pixels"
    return recipe.name if width is None else f"{recipe.name} of width {width}{seeing}"


def expect_of_scores(source: Source) -> str:
    """Say what scores can mean with so many images for testing; empty if these are enough, or points."""
    count = len(source.test)
    if not source.is_images or count >= ENOUGH:
        return ""
    margin = 98 / count**0.5  # 1.96 standard deviations of a share of a half, in points of a hundred
    return (
        f"scores: with {count:,} images for testing, shares such as coverage are sure to about {margin:.0f} points of "
        f"a hundred, and distances come out too large; with {ENOUGH:,} to {98 / ENOUGH**0.5:.0f} points"
    )


def tell_files(source: Source, console: Console) -> None:
    """Print how many files were used, the first of those that were not, and what was assumed."""
    if source.files is not None:
        _tell_counts(source, source.files, console)
    for note in source.notes:
        console.print(f"  {note}", soft_wrap=True)


def _tell_counts(source: Source, files: Path, console: Console) -> None:
    with files.open(encoding="utf-8") as file:  # those left out come first
        left_out = list(itertools.takewhile(lambda line: "skipped" in line, map(json.loads, file)))
    broken = sum(line["broken"] for line in left_out)
    used = source.stacked_from or source
    console.print(
        f"{len(used.train) + len(used.test):,} images used, {len(left_out):,} left out ({broken:,} of them broken);"
        f" what was done with each file: {files}",
        soft_wrap=True,
    )
    for line in left_out[:SHOWN]:
        console.print(f"  left out {line['file']}: {line['skipped']}", soft_wrap=True)
    if len(left_out) > SHOWN:
        console.print(f"  ... and {len(left_out) - SHOWN:,} more")
