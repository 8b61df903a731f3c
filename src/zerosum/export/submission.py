"""Submissions to Kaggle's "Generative Dog Images": a .zip of colour PNGs of 64x64 pixels, in no folder."""

import zipfile
from pathlib import Path

from zerosum.atomic import replacing
from zerosum.data import Progress
from zerosum.errors import InputError
from zerosum.export import pictures, samples
from zerosum.generator import TrainedGenerator

SHAPE, COUNT = (3, 64, 64), 10_000
DATE, READABLE, UNIX = (1980, 1, 1, 0, 0, 0), 0o644 << 16, 3  # the same at every time and on every system


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
    generator: TrainedGenerator, path: Path, count: int = COUNT, seed: int = 0, progress: Progress | None = None
) -> None:
    """Write `count` samples to `path`, all or nothing; the same seed gives the same bytes.

    Few samples are in memory at a time. `progress` is called after each batch.

    Raises:
        InputError: the generator makes no colour images of 64x64, nothing can be written there, or `count` is not
            positive.
    """
    if generator.shape != SHAPE:
        raise InputError(
            f"a submission is of samples of shape {list(SHAPE)}, but this generator's are {list(generator.shape)}: "
            "train one with --size 64 --set data.channels=3"
        )
    try:
        with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
            done = 0
            for batch in generator.sample_batches(count, seed):
                for pixels in batch:
                    archive.writestr(_make_entry(done), pictures.encode_png(pictures.to_pillow(pixels)))
                    done += 1
                if progress is not None:
                    progress("drawing", done, count)
    except OSError as error:
        raise InputError(f"cannot write to {path}: {error.strerror or error}") from None


def _make_entry(number: int) -> zipfile.ZipInfo:
    """Describe the entry of picture `number`: not compressed, as PNGs are already, and without a folder."""
    entry = zipfile.ZipInfo(samples.name_picture(number), DATE)
    entry.external_attr, entry.create_system = READABLE, UNIX
    return entry
