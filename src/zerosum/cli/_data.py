"""What `train` and `data` share: opening DATA for a recipe, and saying what was done with its files."""

import itertools
import json
from collections.abc import Sequence

from rich.console import Console

from zerosum.cli._progress import shown
from zerosum.data import Source
from zerosum.recipes import Recipe
from zerosum.training import prepared

SHOWN = 3


def opened(data: str, recipe: str, changes: Sequence[str], device: str, console: Console) -> tuple[Source, Recipe]:
    """The data, and the recipe for them with the `changes`; what was done with files is said.

    Raises:
        InputError: no such recipe or field, or the data cannot be used.
    """
    with shown("opening", console) as progress:
        source, chosen = prepared(data, recipe, changes, device, progress)
    tell_files(source, console)
    return source, chosen


def tell_files(source: Source, console: Console) -> None:
    """One line on how many files were used, and one on those that were not."""
    if source.files is None:
        return
    with source.files.open(encoding="utf-8") as file:  # those left out come first
        left_out = list(itertools.takewhile(lambda line: "skipped" in line, map(json.loads, file)))
    broken = sum(line["broken"] for line in left_out)
    used = source.stacked_from or source
    console.print(
        f"{len(used.train) + len(used.test):,} images used, {len(left_out):,} left out ({broken:,} of them broken);"
        f" what was done with each file: {source.files}",
        soft_wrap=True,
    )
    for line in left_out[:SHOWN]:
        console.print(f"  left out {line['file']}: {line['skipped']}", soft_wrap=True)
    if len(left_out) > SHOWN:
        console.print(f"  ... and {len(left_out) - SHOWN:,} more")
