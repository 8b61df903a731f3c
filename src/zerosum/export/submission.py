"""Submissions to Kaggle's "Generative Dog Images": a .zip of colour PNGs of 64x64 pixels, in no folder."""

from pathlib import Path

from zerosum.data import Progress
from zerosum.errors import InputError
from zerosum.export import samples
from zerosum.generator import TrainedGenerator

SHAPE, COUNT = (3, 64, 64), 10_000


def check_destination(path: Path) -> None:
    """Refuse a destination that cannot be written, before any work is done.

    Raises:
        InputError: it is no .zip, its parent is no folder, or something is there already.
    """
    if path.suffix != ".zip":
        raise InputError(f"cannot write a submission as {path.name}: use a .zip, e.g. --out images.zip")
    samples.check_parent(path)
    if path.exists():
        raise InputError(f"{path} exists already: choose another --out")


def write(
    generator: TrainedGenerator,
    path: Path,
    count: int = COUNT,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    truncation: float | None = None,
    about: str = "",
) -> None:
    """Write `count` samples to `path`, all or nothing; the same seed gives the same bytes.

    Few samples are in memory at a time. `progress` is called after each batch; `about` goes into the pictures'
    metadata.

    Raises:
        InputError: the generator makes no colour images of 64x64, nothing can be written there, `count` is not
            positive, or `truncation` has no meaning for the latents.
    """
    if generator.shape != SHAPE:
        raise InputError(
            f"a submission is of samples of shape {list(SHAPE)}, but this generator's are {list(generator.shape)}: "
            "train one with --size 64 --set data.channels=3, or let 'zerosum sample RUN --out FOLDER' write pictures"
        )
    batches = samples.watch(generator.sample_batches(count, seed, truncation=truncation), count, progress)
    samples.save_batches(batches, count, path, about=about)
