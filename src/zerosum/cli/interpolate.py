"""`zerosum interpolate`: from one sample to another."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._options import Device


def interpolate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or a generator.safetensors.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many journeys, one below the other.")] = 8,
    steps: Annotated[int, typer.Option(min=2, help="Samples on each journey, both ends included.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same journeys.")] = 0,
    label: Annotated[str | None, typer.Option(help="Only of this class, if the generator was told classes.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .png (one row a journey), a .npz (the array), or a folder (a PNG each).")
    ] = None,
    device: Device = "auto",
) -> None:
    """Travel through RUN's latent space: rows of samples between pairs of latent points."""
    from zerosum.run_folder import check_generator

    check_generator(run.expanduser())
    from zerosum.export import samples
    from zerosum.generator import load

    destination = out or Path(f"interpolation-{seed}.png")
    samples.check_destination(destination)
    generator = load(run, device)
    samples.check_shape(destination, generator.shape)
    samples.save(generator.interpolate(count, steps, seed, label), destination, columns=steps)
    typer.echo(f"{count:,} journeys of {steps} steps (seed {seed}) in {destination}")
