"""Samples as files: one grid, one array, or a folder of pictures; and back, whoever made them."""

from pathlib import Path

import numpy as np
from torch import Tensor

from zerosum import pictures
from zerosum.data import Progress, Source, open_whole
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError
from zerosum.record import write_atomically


def check_destination(path: Path) -> None:
    """Refuse a destination that cannot be written, before any work is done.

    Raises:
        InputError: its parent is no folder, its extension is unknown, or it is a folder that holds something.
    """
    if path.suffix not in (".png", ".npz", ""):
        raise InputError(f"cannot write samples as {path.suffix}: use .png, .npz or a folder")
    check_parent(path)
    if path.suffix == "" and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} exists already: choose another --out")


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
    return open_whole(place, Preparation(size=size or "stored", labels="none", boxes=False, split=False), progress)  # type: ignore[arg-type]


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
        InputError: nothing can be written there, or points should become a folder of pictures.
    """
    try:
        if path.suffix == ".png":
            write_atomically(path, pictures.png(samples, columns=columns))
        elif path.suffix == ".npz":
            np.savez_compressed(path, samples=samples.numpy())
        elif samples.ndim != 4:
            raise InputError("points cannot be written as pictures: use --out samples.npz")
        else:
            path.mkdir(exist_ok=True)
            for number, image in enumerate(samples):
                pictures.image(image).save(path / file_name(number))
    except OSError as error:
        raise InputError(f"cannot write to {path}: {error.strerror}") from None


def file_name(number: int) -> str:
    """What sample `number`, counted from 0, is called among files of one picture each."""
    return f"{number:06d}.png"
