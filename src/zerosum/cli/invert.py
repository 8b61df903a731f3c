"""`zerosum invert`: the latent of a picture."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._options import Device


def invert(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run's folder, a generator.safetensors, hub:OWNER/NAME, or one that ships: digits.",
        ),
    ],
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="An image file of any size and kind.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed finds the same latent.")] = 0,
    label: Annotated[str | None, typer.Option(help="Only of this class, if the generator was told classes.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The .png to write, both side by side; default: PICTURE-inverted.png, in the current folder."
        ),
    ] = None,
    latents: Annotated[Path | None, typer.Option(help="Also write the latent (and class) to this .npy.")] = None,
    device: Device = "auto",
) -> None:
    """Find the sample of RUN's generator that is nearest to PICTURE, and say how near it is.

    A generator makes what it learned: of another kind of picture, or of one whose kind it lost, the nearest is far.
    """
    from zerosum.cli import _generators
    from zerosum.errors import InputError

    _generators.check(run)
    if not picture.is_file():
        raise InputError(f"no picture at {picture}: {'it is a folder' if picture.is_dir() else 'no such file'}")
    from zerosum.export import samples

    destination = out or Path(f"{picture.stem}-inverted.png")
    samples.check_picture(destination)
    if destination.exists() and destination.samefile(picture):
        raise InputError(f"{destination} is the picture that is looked for: choose another --out")
    if latents is not None:
        if samples.format_of(latents) != ".npy":
            raise InputError(f"cannot write a latent to {latents}: its name must end in .npy")
        samples.check_free(latents)
    import torch

    from zerosum.cli._progress import plain_console, show_progress
    from zerosum.explore.inversion import invert as search
    from zerosum.explore.inversion import read_picture
    from zerosum.generator.loading import load

    generator = load(run, device)
    generator.check_request(label, None)
    target = read_picture(picture, generator.shape)
    with show_progress("searching", plain_console()) as progress:
        found = search(generator, target, seed, label, progress)
    about = samples.describe_origin(generator, run, seed, label)
    samples.save(torch.stack([target, found.sample]), destination, 2, about)
    if latents is not None:
        samples.save(found.latent[None], latents, about=about)
    height, width = generator.shape[1:]
    typer.echo(
        f"{picture} at {height} x {width} pixels, and the nearest sample that was found beside it: {destination}"
    )
    typer.echo(f"Error     {found.error_in_words}")
    typer.echo(f"Latent    {found.length_in_words}")
    if latents is not None:
        typer.echo(f"          written to {latents}")
