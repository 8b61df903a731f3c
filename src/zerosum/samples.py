"""Samples as files: one grid, one array, or a folder of pictures; and back, whoever made them."""

import itertools
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zerosum import catalog, pictures
from zerosum.data import Progress, Source, open_whole
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError
from zerosum.record import replacing, write_atomically


def check_destination(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse a destination that cannot take samples of `shape`, (C, H, W) or (d,), before any is made.

    Raises:
        InputError: its parent is no folder, its extension is unknown, it is a folder that holds something, or points
            should become a folder of pictures.
    """
    if path.suffix not in (".png", ".npz", ""):
        raise InputError(f"cannot write samples as {path.suffix}: use .png, .npz or a folder")
    check_parent(path)
    if path.suffix == "" and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} exists already: choose another --out")
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
    """Samples that something made: a folder or .zip of images, or an array; both splits of the source are meant.

    Images keep their size, which must be the same for all, unless a `size` is named.

    Raises:
        InputError: they cannot be read, or differ in their size.
    """
    values = {"size": size or "stored", "labels": "none", "boxes": False, "split": False}
    return open_whole(place, catalog.build(Preparation, values), progress)


def check_parent(path: Path) -> None:
    """Refuse a file or folder that would lie nowhere.

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
    write([samples], len(samples), path, columns)


def write(batches: Iterable[Tensor], count: int, path: Path, columns: int | None = None) -> None:
    """The same for `count` samples that come in `batches`, of which an array or a folder needs one at a time.

    If that fails, or a batch cannot be made, nothing is left behind.

    Raises:
        InputError: nothing can be written there.
    """
    try:
        if path.suffix == ".png":
            write_atomically(path, pictures.png(torch.cat(list(batches)), columns=columns))
        elif path.suffix == ".npz":
            _write_array(batches, count, path)
        else:
            _write_pictures(batches, path)
    except OSError as error:
        raise InputError(f"cannot write to {path}: {error.strerror or error}") from None


def _write_array(batches: Iterable[Tensor], count: int, path: Path) -> None:
    """What `np.savez_compressed(path, samples=...)` writes of them all, batch by batch."""
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
    """A PNG each, one by one in their place: the folder may be there already, and be one that cannot be exchanged."""
    is_new, number = not path.exists(), 0
    path.mkdir(exist_ok=True)
    try:
        for number, image in enumerate(itertools.chain.from_iterable(batches)):
            pictures.image(image).save(path / file_name(number))
    except BaseException:
        for written in range(number + 1):
            (path / file_name(written)).unlink(missing_ok=True)
        if is_new:
            path.rmdir()
        raise


def file_name(number: int) -> str:
    """What sample `number`, counted from 0, is called among files of one picture each."""
    return f"{number:06d}.png"
