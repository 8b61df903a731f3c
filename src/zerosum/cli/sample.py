"""`zerosum sample`: samples of a trained generator."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._options import Device


def sample(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or a generator.safetensors.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1_000_000, help="How many.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same samples.")] = 0,
    label: Annotated[str | None, typer.Option(help="Only of this class, if the generator was told classes.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .png (one grid), a .npz (the array), or a folder (a PNG each).")
    ] = None,
    device: Device = "auto",
) -> None:
    """Draw samples from RUN's generator."""
    from zerosum.run_folder import check_generator

    check_generator(run.expanduser())
    from zerosum.export import samples
    from zerosum.generator import load

    destination = out or Path(f"samples-{seed}.png")
    samples.check_destination(destination)
    generator = load(run, device)
    samples.check_shape(destination, generator.shape)
    samples.save_batches(generator.sample_batches(count, seed, label), count, destination)
    typer.echo(f"{count:,} samples (seed {seed}) in {destination}")
