"""`zerosum sample`: samples of a trained generator."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from zerosum.cli._options import Device, Truncation

COUNT = 64


def sample(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run's folder, a generator.safetensors, hub:OWNER/NAME, or one that ships: digits, ring.",
        ),
    ],
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, max=1_000_000, help="How many; default: 64.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same samples.")] = 0,
    label: Annotated[str | None, typer.Option(help="Only of this class, if the generator was told classes.")] = None,
    truncation: Truncation = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A .png, .jpg, .webp or .gif (one picture: a grid, or with --count 1 the sample itself), a .npz or "
            ".npy (the array), a .zip or a folder (a PNG each); default: samples-SEED.png."
        ),
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(metavar="ROWSxCOLUMNS", help="One picture of so many rows and columns, instead of --count."),
    ] = None,
    kind: Annotated[
        Literal["png", "jpg", "webp", "gif"] | None,
        typer.Option("--format", help="Of the picture samples-SEED, where --out does not name a file."),
    ] = None,
    device: Device = "auto",
) -> None:
    """Draw samples from RUN's generator."""
    from zerosum.cli import _generators
    from zerosum.errors import InputError

    _generators.check(run)
    from zerosum.cli._progress import plain_console, show_progress
    from zerosum.export import samples
    from zerosum.generator import load

    if kind is not None and out is not None:
        raise InputError(f"--format {kind} and --out {out}: give one of them, the end of --out is a format, too")
    destination = out or Path(f"samples-{seed}.{kind or 'png'}")
    samples.check_destination(destination)
    rows, columns = (None, None) if grid is None else samples.parse_grid(grid, destination)
    if rows is not None and columns is not None:
        if count is not None:
            raise InputError(f"--grid {grid} and --count {count}: give one of them")
        count = rows * columns
    count = count or COUNT
    generator = load(run, device)
    if grid is not None and len(generator.shape) != 3:
        raise InputError(f"--grid {grid}: these samples are points, which become one plot: use --count")
    generator.check_request(label, truncation)
    samples.check_shape(destination, generator.shape, count, columns)
    about = samples.describe_origin(generator, run, seed, label, truncation)
    what = samples.describe_file(destination, generator.shape, count, columns)
    batches = generator.sample_batches(count, seed, label, truncation)
    batches = samples.select_shown(destination, batches, generator.shown)
    with show_progress("drawing", plain_console()) as progress:
        samples.save_batches(samples.watch(batches, count, progress), count, destination, columns, about)
    typer.echo(f"{what} (seed {seed}): {destination}")
    if truncation is not None:
        typer.echo(f"Truncation: {generator.networks.describe_truncation(truncation)}")
    if samples.is_grid(destination, generator.shape, count, columns):
        typer.echo("For single files, --out a folder or a .zip; for the array, a .npz or .npy")
