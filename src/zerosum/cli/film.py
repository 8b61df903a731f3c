"""`zerosum film`: how a run's samples changed while it trained."""

from pathlib import Path
from typing import Annotated

import typer

REST = 2.0  # seconds that the last picture stays


def film(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    seconds: Annotated[float, typer.Option(min=0.01, max=60, help="How long each picture stays.")] = 0.5,
    out: Annotated[Path, typer.Option(help="The .gif, .webp or .mp4 to write.")] = Path("training.gif"),
) -> None:
    """Make a film of RUN's training from the pictures in its folder samples/: the same latents through time.

    'zerosum interpolate' makes films that travel through the latents of a finished generator.
    """
    from zerosum.errors import InputError
    from zerosum.export import films
    from zerosum.run_folder import RunFolder

    if run.suffix == ".safetensors":
        raise InputError(f"{run} is a generator, which has no pictures of its training: name the run's folder")
    folder = RunFolder.open(run.expanduser())
    shown, frames = films.open_training(folder, 1 / seconds, REST)
    films.check_destination(out, shown)
    films.write(frames, shown, out, f"training of run {folder.path.resolve().name}")
    typer.echo(f"The training of {run} in {shown.frames:,} pictures: {out}")
    typer.echo(shown.describe())
