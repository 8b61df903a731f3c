"""Samples as files: one grid, one array, or a folder of pictures; and reading such files back."""

import itertools
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zerosum import catalog
from zerosum.atomic import replacing, write_atomically
from zerosum.data import Progress, Source
from zerosum.data.generated import mark_png
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_any_count
from zerosum.errors import InputError
from zerosum.export import pictures


def check_destination(path: Path) -> None:
    """Refuse a destination that cannot take samples, before a generator is loaded.

    Raises:
        InputError: its parent is no folder, its extension is unknown, or it is a folder that holds something.
    """
    if path.suffix not in (".png", ".npz", ""):
        raise InputError(f"cannot write samples as {path.suffix}: use .png, .npz or a folder")
    check_parent(path)
    if path.suffix == "" and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} exists already: choose another --out")


def check_shape(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse a destination that cannot take samples of `shape`, (C, H, W) or (d,), before any is made.

    Raises:
        InputError: points should become a folder of pictures.
    """
    if path.suffix == "" and len(shape) != 3:
        raise InputError("points cannot be written as pictures: use --out samples.npz")


def check_picture(path: Path) -> None:
    """Refuse a destination for one picture that cannot be written, or is named as if it were something else.

    Raises:
        InputError: its parent is no folder, or its extension is not .png.
    """
    if path.suffix != ".png":
        raise InputError(f"cannot write a picture to {path}: its name must end in .png")
    check_parent(path)


def load(place: str, size: str | None = None, progress: Progress | None = None) -> Source:
    """Load generated samples from a folder or .zip of images, or an array: both splits of the source together.

    Images keep their size, which must be the same for all, unless a `size` is named.

    Raises:
        InputError: they cannot be read, or differ in their size.
    """
    values = {"size": size or "stored", "labels": "none", "boxes": False, "split": False}
    return open_any_count(place, catalog.build(Preparation, values), progress)


def check_parent(path: Path) -> None:
    """Refuse a file or folder whose parent is missing.

    Raises:
        InputError: its parent is no folder.
    """
    if not path.parent.is_dir():
        raise InputError(f"cannot write to {path}: {path.parent} is not a folder")


def save(samples: Tensor, path: Path, columns: int | None = None) -> None:
    """Write uint8 [N, C, H, W] or float32 [N, d] `samples` as the extension of `path` says; a grid in `columns`.

    Raises:
        InputError: nothing can be written there.
    """
    save_batches([samples], len(samples), path, columns)


def save_batches(batches: Iterable[Tensor], count: int, path: Path, columns: int | None = None) -> None:
    """Write `count` samples that come in `batches`, as `save` does; an array or a folder needs one batch at a time.

    If that fails, or a batch cannot be made, nothing is left behind.

    Raises:
        InputError: nothing can be written there.
    """
    try:
        if path.suffix == ".png":
            write_atomically(path, pictures.draw_samples(torch.cat(list(batches)), columns=columns))
        elif path.suffix == ".npz":
            _write_array(batches, count, path)
        else:
            _write_pictures(batches, path)
    except OSError as error:
        raise InputError(f"cannot write to {path}: {error.strerror or error}") from None


def _write_array(batches: Iterable[Tensor], count: int, path: Path) -> None:
    """Write the same bytes as `np.savez_compressed(path, samples=...)` of all batches, one batch after the other."""
    with (
        replacing(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("samples.npy", "w", force_zip64=True) as entry,
    ):
        for number, batch in enumerate(batches):
            array = batch.numpy()
            if number == 0:
                description = np.lib.format.header_data_from_array_1_0(array)
                layout = {"shape": (count, *array.shape[1:]), "fortran_order": False}
                np.lib.format.write_array_header_1_0(entry, description | layout)
            entry.write(array.tobytes())


def _write_pictures(batches: Iterable[Tensor], path: Path) -> None:
    """Write a PNG for each sample directly into the folder, which may exist already and not be replaceable."""
    is_new, number = not path.exists(), 0
    path.mkdir(exist_ok=True)
    try:
        for number, pixels in enumerate(itertools.chain.from_iterable(batches)):
            pictures.to_pillow(pixels).save(path / name_picture(number), **mark_png())
    except BaseException:
        for written in range(number + 1):
            (path / name_picture(written)).unlink(missing_ok=True)
        if is_new:
            path.rmdir()
        raise


def name_picture(number: int) -> str:
    """Return the file name of sample `number`, counted from 0, among files of one picture each."""
    return f"{number:06d}.png"
