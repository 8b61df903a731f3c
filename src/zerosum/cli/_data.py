"""What `train` and `data` share: opening DATA for a recipe, and saying what was done with its files."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console

from zerosum import recipes
from zerosum.cli._progress import shown
from zerosum.data import Source, open_source
from zerosum.data.preparation import Preparation
from zerosum.engine import Engine
from zerosum.errors import InputError
from zerosum.recipes import Recipe

LARGEST_ON_GPUS = 256
SHOWN = 3


def opened(data: str, recipe: str, changes: Sequence[str], device: str, console: Console) -> tuple[Source, Recipe]:
    """The data, and the recipe for it with the `changes`, those of `data` in force before the data are read.

    Raises:
        InputError: no such recipe or field, or the data cannot be used.
    """
    named = None if recipe == "auto" else recipes.find(recipe)
    draft = named or Recipe("auto")
    for assignment in changes:
        if assignment.startswith("data."):
            draft = recipes.change(draft, assignment)
    preparation = draft.data
    if preparation.size is None and Engine.choose(device).device.type != "cpu":
        preparation = replace(preparation, largest=max(preparation.largest, LARGEST_ON_GPUS))
    with shown("opening", console) as progress:
        source = open_source(data, preparation, progress)
    for assignment in changes:
        if assignment.startswith("data.flip") and not source.is_images:
            raise InputError(f"{assignment} is about images, and {source.name} has points")
        if assignment.startswith("data.") and not assignment.startswith("data.flip") and source.files is None:
            raise InputError(f"{assignment} is about image files, and {source.name} has none")
    tell_files(source, console)
    if source.files is None:  # then the rest says nothing, and the run must not say that it was done
        preparation = Preparation(flip=preparation.flip and source.is_images)
    else:  # a resumed run must not choose again
        preparation = replace(preparation, size=(source.shape[1], source.shape[2]))
    chosen = replace(named or recipes.named(recipe, source), data=preparation)
    for assignment in changes:
        if not assignment.startswith("data."):
            chosen = recipes.change(chosen, assignment)
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
