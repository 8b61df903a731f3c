"""`zerosum interpolate`: from one sample to another, as rows of pictures or as a film."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._options import Device, Truncation

if TYPE_CHECKING:
    from zerosum.generator import TrainedGenerator

PICTURE_STEPS, FILM_STEPS = 10, 25
LEG_SECONDS = 1.0

Run = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="A run's folder, a generator.safetensors, hub:OWNER/NAME, or one that ships: digits, ring.",
    ),
]
Count = Annotated[
    int,
    typer.Option(
        "--count",
        "-n",
        min=1,
        help="How many journeys, one below the other; in a film, how many samples it passes before it repeats.",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        min=2, help="Samples on each journey, both ends included (default: 10); in a film, frames to each (25)."
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(min=0.01, max=600, help="In a film, from one sample to the next; default: 1."),
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="A .png or .jpg (one row a journey), a .gif, .webp or .mp4 (a film that ends where it begins), a "
        ".npz or .npy (the array), a .zip or a folder (a PNG each); default: interpolation-SEED.png."
    ),
]


def interpolate(
    run: Run,
    count: Count = 8,
    steps: Steps = None,
    seconds: Seconds = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same journeys.")] = 0,
    label: Annotated[str | None, typer.Option(help="Only of this class, if the generator was told classes.")] = None,
    truncation: Truncation = None,
    out: Out = None,
    device: Device = "auto",
) -> None:
    """Travel through RUN's latent space: rows of samples between pairs of latent points, or a film of a round trip."""
    from zerosum.cli import _generators
    from zerosum.errors import InputError

    _generators.check(run)
    from zerosum.cli._progress import plain_console, show_progress
    from zerosum.export import films, samples
    from zerosum.generator.loading import load

    destination = out or Path(f"interpolation-{seed}.png")
    filming = samples.format_of(destination) in films.FORMATS
    if seconds is not None and not filming:
        raise InputError(f"--seconds is for films, and {destination} is none: use {', '.join(films.FORMATS)}")
    if not filming:
        samples.check_destination(destination)
    generator = load(run, device)
    generator.check_request(label, truncation)
    about = samples.describe_origin(generator, run, seed, label, truncation)
    if filming:
        steps, seconds = steps or FILM_STEPS, seconds or LEG_SECONDS
        _write_film(generator, destination, count, steps, seconds, about, (seed, label, truncation))
    else:
        steps = steps or PICTURE_STEPS
        samples.check_shape(destination, generator.shape, count * steps, columns=steps)
        batches = generator.interpolate_batches(count, steps, seed, label, truncation)
        with show_progress("drawing", plain_console()) as progress:
            batches = samples.select_shown(destination, batches, generator.shown)
            batches = samples.watch(batches, count * steps, progress)
            samples.save_batches(batches, count * steps, destination, steps, about)
        rows = ", one below the other" if samples.is_grid(destination, generator.shape, count * steps, steps) else ""
        journeys_of = "journey of" if count == 1 else "journeys of"
        typer.echo(f"{count:,} {journeys_of} {steps} steps{rows} (seed {seed}): {destination}")
    if truncation is not None:
        typer.echo(f"Truncation: {generator.networks.describe_truncation(truncation)}")


def _write_film(
    generator: "TrainedGenerator",
    path: Path,
    count: int,
    steps: int,
    seconds: float,
    about: str,
    how: tuple[int, str | None, float | None],
) -> None:
    """Write the film of a walk through `count` latents, of the seed, the class and the truncation in `how`.

    Raises:
        InputError: the samples are no images, there is only one latent, or the film cannot be written.
    """
    from zerosum.cli._progress import plain_console, show_progress
    from zerosum.errors import InputError
    from zerosum.export import films, pictures, samples

    if len(generator.shape) != 3:
        raise InputError(f"{path.name} would be a film, and these samples are points: use .png, or 'zerosum film RUN'")
    if count < 2:
        raise InputError("a film leads from one sample to another: --count has to be at least 2")
    _, height, width = generator.shape
    factor = films.enlargement(height, width)
    film = films.Film(count * steps, height * factor, width * factor, steps / seconds)
    films.check_destination(path, film)
    with show_progress("drawing", plain_console()) as progress:
        batches = samples.watch(generator.walk(count, steps, *how), film.frames, progress)
        shown = (pictures.select_shown(batch, generator.shown) for batch in batches)
        frames = (pictures.to_pillow(pixels) for batch in shown for pixels in batch)
        films.write(films.enlarge(frames, factor), film, path, about)
    typer.echo(f"A film past {count:,} samples and back to the first (seed {how[0]}): {path}")
    enlarged = f", enlarged {factor} times" if factor > 1 else ""
    colours = ", in 256 colours each" if path.suffix.lower() == ".gif" and generator.shape[0] > 1 else ""
    typer.echo(f"{film.describe()}{enlarged}{colours}")
