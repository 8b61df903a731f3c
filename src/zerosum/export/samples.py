"""Samples as files: a picture, an array, an archive or a folder of pictures; and reading such files back."""

import itertools
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import Tensor

from zerosum import catalog
from zerosum.atomic import replacing, write_atomically
from zerosum.data import MODES, Progress, Source
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_any_count
from zerosum.data.values import Range
from zerosum.errors import InputError
from zerosum.export import pictures
from zerosum.generator import TrainedGenerator

ARRAYS, ARCHIVE, FOLDER = (".npy", ".npz"), ".zip", ""
DATE, READABLE, UNIX = (1980, 1, 1, 0, 0, 0), 0o644 << 16, 3  # the same at every time and on every system


def format_of(path: Path) -> str:
    """Return which format `path` asks for, its extension in small letters; FOLDER for one without, or a folder."""
    return FOLDER if path.is_dir() else path.suffix.lower()


def check_destination(path: Path) -> None:
    """Refuse a destination that cannot take samples, before a generator is loaded.

    Raises:
        InputError: its parent is no folder, its extension is unknown, or there is something that may not be replaced.
    """
    kind = format_of(path)
    if kind not in (*pictures.FORMATS, *ARRAYS, ARCHIVE, FOLDER):
        raise InputError(
            f"cannot write samples as {kind}: use {' '.join(pictures.FORMATS)} (one picture), "
            f"{' '.join(ARRAYS)} (the array), or {ARCHIVE} or a folder (a PNG each)"
        )
    check_free(path)


def check_shape(path: Path, shape: tuple[int, ...], count: int = 1, columns: int | None = None) -> None:
    """Refuse a destination that cannot take `count` samples of `shape`, (C, H, W) or (d,), before any is made.

    Raises:
        InputError: points should become files of one picture each, or a picture would be too large or lose its
            transparency.
    """
    kind = format_of(path)
    if kind in (ARCHIVE, FOLDER) and len(shape) != 3:
        raise InputError("points cannot be written as pictures: use --out samples.npz")
    if kind in (ARCHIVE, FOLDER) and shape[0] > max(MODES):
        raise InputError(
            f"a PNG holds up to {max(MODES)} channels, not {shape[0]}: use --out samples.npz for all of them, or "
            "--out samples.png to see three"
        )
    if kind in pictures.FORMATS and len(shape) == 3:
        check_transparency(kind, shape[0])
    if is_grid(path, shape, count, columns):
        _check_size(kind, count, shape, columns)


def check_transparency(kind: str, channels: int) -> None:
    """Refuse a format that would lose the transparency of 2 or 4 `channels`.

    Raises:
        InputError: it would.
    """
    if channels in (2, 4) and kind in (".jpg", ".jpeg", ".gif"):
        raise InputError(f"a {kind} cannot hold the transparency of these images: use .png or .webp")


def _check_size(kind: str, count: int, shape: tuple[int, ...], columns: int | None) -> None:
    """Refuse a grid that the format, or the programs that open it, cannot take."""
    height, width = pictures.Grid.of(count, shape[1], shape[2], columns).size
    if height * width > pictures.MOST_PIXELS or max(height, width) > pictures.MOST_SIDE[pictures.FORMATS[kind]]:
        raise InputError(
            f"a grid of {count:,} pictures would be of {height:,}x{width:,} pixels, too many for a {kind}: lower "
            "--count, or use a folder, a .zip or a .npz"
        )


def check_picture(path: Path) -> None:
    """Refuse a destination for one picture that cannot be written, or is named as if it were something else.

    Raises:
        InputError: its extension is not .png, its parent is no folder, or it would replace something else.
    """
    if path.suffix.lower() != ".png":
        raise InputError(f"cannot write a picture to {path}: its name must end in .png")
    check_free(path)


def check_free(path: Path) -> None:
    """Refuse to replace anything but a picture, a film or an .npz that zerosum wrote, or an empty folder.

    Raises:
        InputError: its parent is no folder, or something else is there.
    """
    check_parent(path)
    if not path.exists():
        return
    if path.is_dir():
        if path.suffix.lower() in (*pictures.FORMATS, *ARRAYS):
            raise InputError(f"cannot write to {path}: it is a folder")
        if any(path.iterdir()):
            raise InputError(f"{path} exists already and is not empty: choose another --out")
    elif path.suffix.lower() == ARCHIVE or not pictures.is_ours(path):
        raise InputError(
            f"{path} exists already, and only pictures, films and .npz made by zerosum are replaced: choose another"
        )


def load(
    place: str,
    size: str | None = None,
    progress: Progress | None = None,
    values: Range | None = None,
    *,
    labelled: bool = False,
) -> Source:
    """Load generated samples from a folder or .zip of images, or an array: both splits of the source together.

    Images keep their size, which must be the same for all, unless a `size` is named. `values` become black and white,
    where they are no bytes; None finds out which. Classes of files are looked for only if `labelled`.

    Raises:
        InputError: they cannot be read, or differ in their size.
    """
    fields = {
        "size": size or "stored",
        "labels": "auto" if labelled else "none",
        "boxes": False,
        "split": False,
        "range": values,
    }
    return open_any_count(place, catalog.build(Preparation, fields), progress)


def select_shown(path: Path, batches: Iterator[Tensor], shown: Sequence[int] | None) -> Iterator[Tensor]:
    """Select the channels of `batches` that a picture shows, if `path` is one; arrays and files keep all."""
    if format_of(path) not in pictures.FORMATS:
        return batches
    return (pictures.select_shown(batch, shown) for batch in batches)


def check_parent(path: Path) -> None:
    """Refuse a file or folder whose parent is missing.

    Raises:
        InputError: its parent is no folder.
    """
    if not path.parent.is_dir():
        raise InputError(f"cannot write to {path}: {path.parent} is not a folder")


def describe_origin(
    generator: TrainedGenerator, run: Path, seed: int, label: str | None = None, truncation: float | None = None
) -> str:
    """Return what a file's metadata say of samples: the run, its step, the seed, and the class and truncation if any.

    `run` is where the generator was loaded from.
    """
    values = {
        "run": name_origin(run),
        "step": generator.metadata.get("step"),
        "seed": seed,
        "class": label,
        "truncation": truncation,
    }
    return "; ".join(f"{name} {value}" for name, value in values.items() if value is not None)


def name_origin(run: Path) -> str:
    """Return the name of a run's folder or of a generator's file; one in a run's folder is named after that."""
    place = run.expanduser().resolve()
    beside = place.parent if (place.parent / "run.json").exists() else place.with_suffix("")
    return place.name if place.is_dir() else beside.name


def describe_file(path: Path, shape: tuple[int, ...], count: int, columns: int | None = None) -> str:
    """Say what `save` makes of `count` samples of `shape` there: pictures and their size, a grid and its, an array."""
    kind = format_of(path)
    if kind in ARRAYS:
        return f"an array of {' x '.join(f'{side:,}' for side in (count, *shape))}"
    if len(shape) != 3:
        return f"{count:,} {'point' if count == 1 else 'points'} in one plot"
    colours = ", in 256 colours" if kind == ".gif" and shape[0] > 1 else ""
    what = f"{count:,} {'picture' if count == 1 else 'pictures'} of {shape[1]}x{shape[2]}{colours}"
    if kind in (ARCHIVE, FOLDER):
        return f"{what}, a PNG each"
    if not is_grid(path, shape, count, columns):
        return what
    grid = pictures.Grid.of(count, shape[1], shape[2], columns)
    enlarged = f", enlarged {grid.factor} times," if grid.factor > 1 else ""
    return f"{what}{enlarged} in one grid of {grid.rows:,}x{grid.columns:,}"


def is_grid(path: Path, shape: tuple[int, ...], count: int, columns: int | None = None) -> bool:
    """Tell whether `save` lays the samples out in one picture."""
    return format_of(path) in pictures.FORMATS and len(shape) == 3 and (count > 1 or columns is not None)


def save(samples: Tensor, path: Path, columns: int | None = None, about: str = "") -> None:
    """Write uint8 [N, C, H, W] or float32 [N, d] `samples` as the extension of `path` says; a grid in `columns`.

    Raises:
        InputError: nothing can be written there.
    """
    save_batches([samples], len(samples), path, columns, about)


def save_batches(
    batches: Iterable[Tensor], count: int, path: Path, columns: int | None = None, about: str = ""
) -> None:
    """Write `count` samples that come in `batches`, as `save` does; all but one picture needs one batch at a time.

    `about` goes into the files' metadata. If that fails, or a batch cannot be made, nothing is left behind.

    Raises:
        InputError: nothing can be written there.
    """
    kind = format_of(path)
    try:
        if kind in pictures.FORMATS:
            picture = pictures.draw_samples(torch.cat(list(batches)), columns=columns)
            write_atomically(path, pictures.encode(picture, about, pictures.FORMATS[kind]))
        elif kind == ".npy":
            with replacing(path) as file:
                _write_array(batches, count, file)
        elif kind == ".npz":
            _write_compressed_array(batches, count, path, about)
        elif kind == ARCHIVE:
            write_archive(batches, path, about)
        else:
            _write_pictures(batches, path, about)
    except OSError as error:
        raise InputError(f"cannot write to {path}: {error.strerror or error}") from None


def watch(batches: Iterable[Tensor], count: int, progress: Progress | None) -> Iterator[Tensor]:
    """Yield the batches, and tell `progress` of the `count` samples when each has been dealt with."""
    done = 0
    for batch in batches:
        yield batch
        done += len(batch)
        if progress is not None:
            progress("drawing", done, count)


def _write_array(batches: Iterable[Tensor], count: int, file: IO[bytes]) -> None:
    """Write the same bytes as `np.save` of all batches, one batch after the other."""
    for number, batch in enumerate(batches):
        array = batch.numpy()
        if number == 0:
            description = np.lib.format.header_data_from_array_1_0(array)
            layout = {"shape": (count, *array.shape[1:]), "fortran_order": False}
            np.lib.format.write_array_header_1_0(file, description | layout)
        file.write(array.tobytes())


def _write_compressed_array(batches: Iterable[Tensor], count: int, path: Path, about: str) -> None:
    """Write what `np.savez_compressed(path, samples=...)` of all batches does, with a comment."""
    with (
        replacing(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.comment = pictures.describe(about).encode()
        with archive.open("samples.npy", "w", force_zip64=True) as entry:
            _write_array(batches, count, entry)


def write_archive(batches: Iterable[Tensor], path: Path, about: str) -> None:
    """Write a .zip with a PNG for each sample, in no folder; the same samples give the same bytes."""
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        archive.comment = pictures.describe(about).encode()
        for number, pixels in enumerate(itertools.chain.from_iterable(batches)):
            archive.writestr(_make_entry(number), pictures.encode(pictures.to_pillow(pixels), about))


def _make_entry(number: int) -> zipfile.ZipInfo:
    """Describe the entry of picture `number`: not compressed, as PNGs are already, and without a folder."""
    entry = zipfile.ZipInfo(name_picture(number), DATE)
    entry.external_attr, entry.create_system = READABLE, UNIX
    return entry


def _write_pictures(batches: Iterable[Tensor], path: Path, about: str) -> None:
    """Write a PNG for each sample directly into the folder, which may exist already and not be replaceable."""
    is_new, number = not path.exists(), 0
    path.mkdir(exist_ok=True)
    try:
        for number, pixels in enumerate(itertools.chain.from_iterable(batches)):
            (path / name_picture(number)).write_bytes(pictures.encode(pictures.to_pillow(pixels), about))
    except BaseException:
        for written in range(number + 1):
            (path / name_picture(written)).unlink(missing_ok=True)
        if is_new:
            path.rmdir()
        raise


def name_picture(number: int) -> str:
    """Return the file name of sample `number`, counted from 0, among files of one picture each."""
    return f"{number:06d}.png"
