"""`zerosum sample`: samples of a trained generator."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from zerosum.cli._options import Device, Truncation


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
    by_class: Annotated[
        bool,
        typer.Option(
            "--by-class", help="One picture with a row for each class, of the same latents: --count is of each row."
        ),
    ] = False,
    kind: Annotated[
        Literal["png", "jpg", "webp", "gif"] | None,
        typer.Option("--format", help="Of the picture samples-SEED, where --out does not name a file."),
    ] = None,
    device: Device = "auto",
) -> None:
    """Draw samples from RUN's generator."""
    from zerosum.cli import _generators

    _generators.check(run)
    from zerosum.cli._progress import plain_console, show_progress
    from zerosum.export import samples
    from zerosum.export.layout import Layout
    from zerosum.generator.loading import load

    destination = out or Path(f"samples-{seed}.{kind or 'png'}")
    samples.check_destination(destination)
    _refuse_two_of({"--format": kind, "--out": out}, ", the end of --out is a format, too")
    _refuse_two_of({"--grid": grid, "--count": count})
    _refuse_two_of({"--by-class": by_class or None, "--grid": grid, "--label": label})
    layout = Layout.of(destination, count, grid, by_class=by_class)
    generator = load(run, device)
    generator.check_request(label, truncation)
    layout = layout.fit(generator)
    samples.check_shape(destination, generator.shape, layout.count, layout.columns)
    about = samples.describe_origin(generator, run, seed, label, truncation)
    what = samples.describe_file(destination, generator.shape, layout.count, layout.columns)
    batches = samples.select_shown(destination, layout.draw(generator, seed, label, truncation), generator.shown)
    with show_progress("drawing", plain_console()) as progress:
        watched = samples.watch(batches, layout.count, progress)
        samples.save_batches(watched, layout.count, destination, layout.columns, about)
    typer.echo(f"{what} (seed {seed}): {destination}")
    if by_class:
        typer.echo(f"A row for each class, from the top: {', '.join(generator.classes)}")
    if truncation is not None:
        typer.echo(f"Truncation: {generator.networks.describe_truncation(truncation)}")
    if samples.is_grid(destination, generator.shape, layout.count, layout.columns):
        typer.echo("For single files, --out a folder or a .zip; for the array, a .npz or .npy")


def _refuse_two_of(options: dict[str, object], aside: str = "") -> None:
    """Refuse more than one of the options that were given, those that are not None."""
    from zerosum.errors import InputError

    given = [name if value is True else f"{name} {value}" for name, value in options.items() if value is not None]
    if len(given) > 1:
        raise InputError(f"{given[0]} and {given[1]}: give one of them{aside}")
