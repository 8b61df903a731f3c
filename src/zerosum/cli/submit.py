"""`zerosum submit`: what the dog-picture competition takes."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._options import Device, Truncation


def submit(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run's folder, a generator.safetensors, hub:OWNER/NAME, or one that ships: digits, ring.",
        ),
    ],
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, help="How many; the competition asks for 10,000.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same file.")] = 0,
    truncation: Truncation = None,
    out: Annotated[Path, typer.Option(help="The .zip to write; it must not exist yet.")] = Path("images.zip"),
    device: Device = "auto",
) -> None:
    """Draw samples from RUN's generator for Kaggle's "Generative Dog Images": a .zip of PNGs of 64x64 pixels."""
    from zerosum.cli import _generators

    _generators.check(run)
    from zerosum.cli._progress import plain_console, show_progress
    from zerosum.export import samples, submission
    from zerosum.generator.loading import load

    submission.check_destination(out)
    generator = load(run, device)
    generator.check_request(None, truncation)
    about = samples.describe_origin(generator, run, seed, truncation=truncation)
    with show_progress("drawing", plain_console()) as progress:
        submission.write(generator, out, count, seed, progress, truncation=truncation, about=about)
    typer.echo(f"{count:,} images of 64x64 pixels (seed {seed}) in {out}")
    if truncation is not None:
        typer.echo(f"Truncation: {generator.networks.describe_truncation(truncation)}")
