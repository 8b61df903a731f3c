"""`zerosum bench`: what a recipe costs on this machine."""

from typing import Annotated

import typer

from zerosum.cli._options import Changes, Data, DataDir, Device, RecipeName, Size

IMAGES = 1_000_000


def bench(
    data: Data,
    recipe: RecipeName = "auto",
    changes: Changes = None,
    size: Size = None,
    device: Device = "auto",
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="To play for, twice: as it is, and by parts.")] = 5,
    against: Annotated[
        str | None, typer.Option(metavar="textbook", help="Time a tutorial's loop with the same networks too.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Measure how fast the recipe trains on DATA here, and where the time goes. Nothing is written or kept."""
    from rich.table import Table

    from zerosum import names
    from zerosum.errors import InputError

    if against not in (None, "textbook"):
        raise InputError(f"--against {against}: there is one loop to compare with, 'textbook'")
    names.check_training(data, changes or (), recipe)
    from zerosum.cli._data import add_size, describe_recipe, open_data
    from zerosum.cli._progress import plain_console
    from zerosum.run.occasions import measure_occasions
    from zerosum.run.probe import probe
    from zerosum.run.speed import measure_speed, time_textbook

    console = plain_console()
    source, chosen = open_data(data, recipe, add_size(changes, size), device, console)
    found = probe(chosen, source, device)
    speed = measure_speed(chosen, source, found.engine, seconds)
    console.print(
        f"{describe_recipe(chosen)} on samples of shape {list(source.shape)} in batches of {chosen.batch_size}, "
        f"on {found.engine.describe()}\n"
        f"{speed.images_per_second:,.0f} images/s ({1 / speed.seconds:.3g} iterations/s): {IMAGES:,} images take "
        f"{_in_words(IMAGES / speed.images_per_second)}, the recipe's {chosen.steps:,} iterations "
        f"{_in_words(chosen.steps * speed.seconds)}\n"
        f"{speed.flops / 1e9:.3g} GFLOP an iteration, {speed.flops / speed.seconds / 1e9:.0f} GFLOP/s: "
        f"{speed.share_of_peak:.0%} of the {speed.peak / 1e9:.0f} that matrices or convolutions reach here at best in "
        f"{found.engine.precision}",
        soft_wrap=True,
    )
    table = Table("part", "ms", "share", box=None, pad_edge=False)
    whole = sum(speed.parts.values())
    for name, part in speed.parts.items():
        table.add_row(name, f"{1000 * part:.2f}", f"{part / whole:.1%}")
    console.print(table)
    console.print(measure_occasions(chosen, source, found.engine).describe(), soft_wrap=True)
    for timing in found.timings:
        console.print(timing.describe())
    if against is not None:
        images = time_textbook(chosen, source, found.engine.threads or 1, seconds)
        console.print(
            f"a tutorial's loop with these networks, in float32, from memory: {images:,.0f} images/s; "
            f"this is {speed.images_per_second / images:.2f} times as fast",
            soft_wrap=True,
        )


def _in_words(seconds: float) -> str:
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} seconds"
