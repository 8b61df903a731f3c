"""`zerosum data`: what is in there, and what training would see."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._options import Data, DataDir, Preparing, Size

if TYPE_CHECKING:
    from zerosum.data import Source
    from zerosum.game.recipe import Recipe
    from zerosum.run_description import Line

SHEET = 100
CLASSES_SHOWN = 12


def data(
    data: Data,
    changes: Preparing = None,
    size: Size = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.01, max=1e6, help="Say what train would choose for so many minutes on this machine."),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write a picture of the first hundred training samples to this .png.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Say what DATA holds and which recipe `train` would choose. DATA is only read."""
    from rich.table import Table

    from zerosum import names

    names.check_training(data, changes or ())
    from zerosum.cli._data import add_size, open_data
    from zerosum.cli._progress import plain_console
    from zerosum.export import pictures, samples

    if sheet is not None:
        samples.check_picture(sheet)
    console = plain_console()
    source, recipe = open_data(data, "auto", add_size(changes, size), "auto", console)
    recipe.networks.check(source.shape)
    table = Table(show_header=False)
    kind = "images" if source.is_images else "points"
    table.add_row("name", source.name)
    table.add_row("samples", f"{kind}, {' x '.join(str(side) for side in source.shape)}")
    table.add_row("to train on", f"{len(source.train):,}")
    lines = [] if source.files is None else _used(source.files)
    by_folder = any(line["by"] == "folder" for line in lines)
    table.add_row("kept for testing", f"{len(source.test):,}{', as their folders say' if by_folder else ''}")
    if source.train.labels is not None:
        table.add_row("classes", _classes(source))
    if lines:
        table.add_row("stored as", _stored(lines))
        table.add_row("near-duplicates", _duplicates(lines))
    table.add_row("fingerprint", source.fingerprint)
    table.add_row("recipe", recipe.name if minutes is None else _plan(recipe, source, minutes))
    console.print(table)
    if sheet is not None:
        samples.save(pictures.select_shown(source.train.samples[:SHEET], recipe.data.shown), sheet)
        console.print(f"The first {min(SHEET, len(source.train))} training samples: {sheet}", soft_wrap=True)


def _plan(recipe: "Recipe", source: "Source", minutes: float) -> str:
    """Say what so many minutes of this machine buy."""
    from zerosum import catalog
    from zerosum.cli._data import count_epochs, describe_recipe
    from zerosum.run.plan import Plan
    from zerosum.run.probe import probe

    plan = catalog.build(Plan, {"minutes": minutes})
    chosen = plan.fit(recipe, source)
    found = probe(chosen, source, "auto", lasts=plan.training_seconds)
    iterations = int(plan.training_seconds / found.seconds)
    speed = chosen.batch_size * chosen.discriminator_steps / found.seconds
    return (
        f"{describe_recipe(chosen)}: {minutes:g} minutes at {speed:,.0f} images/s, of which scores "
        f"take a part, are some {iterations:,} iterations, {count_epochs(chosen, iterations, source):.3g} epochs"
    )


def _classes(source: "Source") -> str:
    """Format the number of classes, and of training samples of each."""
    assert source.train.labels is not None  # noqa: S101  # the caller's promise
    counts = source.train.labels.bincount(minlength=source.classes).tolist()
    words = [f"{name}: {count:,}" for name, count in zip(source.class_names, counts, strict=True)]
    more = f" and {len(words) - CLASSES_SHOWN} more" if len(words) > CLASSES_SHOWN else ""
    return f"{len(words)} ({', '.join(words[:CLASSES_SHOWN])}{more})"


def _used(files: Path) -> "list[Line]":
    """Read what the list of files says of the images that are used."""
    import json

    with files.open(encoding="utf-8") as lines:
        return [line for line in map(json.loads, lines) if "used" in line]


def _stored(lines: "list[Line]") -> str:
    """Format the sizes and the modes of the files."""
    from collections import Counter
    from statistics import median

    heights, widths, modes = zip(*(line["stored"] for line in lines), strict=True)
    sides = [min(pair) for pair in zip(heights, widths, strict=True)]
    kinds = ", ".join(f"{count:,} {mode}" for mode, count in Counter(modes).most_common())
    shapes = len(set(zip(heights, widths, strict=True)))
    return (
        f"{kinds}; {shapes:,} sizes, the shorter side {min(sides)} to {max(sides)}, half at least {median(sides):.0f}"
    )


def _duplicates(lines: "list[Line]") -> str:
    """Count images that look like an earlier one, and test images that look like a training image; give an example."""
    alike = [(line["file"], line["same_as"]) for line in lines if "same_as" in line]
    if not alike:
        return "none found"
    trained_on = {line.get("same_as", line["file"]): line["file"] for line in lines if line["used"] == "train"}
    groups = ((line["file"], line.get("same_as", line["file"])) for line in lines if line["used"] == "test")
    leaks = [(file, trained_on[group]) for file, group in groups if group in trained_on]
    one, other = (leaks or alike)[0]
    leak = f"; {len(leaks):,} images for testing look like one to train on" if leaks else ""
    return f"{len(alike):,}{leak}, e.g. {one} looks like {other}"
