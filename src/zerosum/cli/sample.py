"""`zerosum sample`: samples of a trained generator."""

from pathlib import Path
from typing import Annotated

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
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1_000_000, help="How many.")] = 64,
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
    device: Device = "auto",
) -> None:
    """Draw samples from RUN's generator."""
    from zerosum.cli import _generators

    _generators.check(run)
    from zerosum.cli._progress import plain_console, show_progress
    from zerosum.export import samples
    from zerosum.generator import load

    destination = out or Path(f"samples-{seed}.png")
    samples.check_destination(destination)
    generator = load(run, device)
    generator.check_request(label, truncation)
    samples.check_shape(destination, generator.shape, count)
    about = samples.describe_origin(generator, run, seed, label, truncation)
    what = samples.describe_file(destination, generator.shape, count)
    batches = generator.sample_batches(count, seed, label, truncation)
    batches = samples.select_shown(destination, batches, generator.shown)
    with show_progress("drawing", plain_console()) as progress:
        samples.save_batches(samples.watch(batches, count, progress), count, destination, about=about)
    typer.echo(f"{what} (seed {seed}): {destination}")
    if truncation is not None:
        typer.echo(f"Truncation: {generator.networks.describe_truncation(truncation)}")
    if samples.is_grid(destination, generator.shape, count):
        typer.echo("For single files, --out a folder or a .zip; for the array, a .npz or .npy")
