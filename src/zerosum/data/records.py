"""Images as fixed records in a gzipped tar: the binary versions of CIFAR-10 and STL-10, read without unpacking."""

import tarfile
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from zerosum.data import Split
from zerosum.errors import InputError

Parts = tuple[Split, Split, tuple[str, ...]]  # what to train on, what to test with, the names of the labels

CIFAR10 = "cifar-10-batches-bin/"
CIFAR10_TRAIN = tuple(f"{CIFAR10}data_batch_{number}.bin" for number in range(1, 6))
CIFAR10_TEST, CIFAR10_NAMES = f"{CIFAR10}test_batch.bin", f"{CIFAR10}batches.meta.txt"

STL10 = tuple(f"stl10_binary/{name}.bin" for name in ("train_X", "train_y", "test_X", "test_y"))
STL10_NAMES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")


def cifar10(archive: Path) -> Parts:
    """Each record is a byte with the label and 3 x 32 x 32 bytes, row by row, one channel after the other.

    Raises:
        InputError: the archive is damaged, or lacks a file, or one of them does not consist of such records.
    """
    files = members(archive, (*CIFAR10_TRAIN, CIFAR10_TEST, CIFAR10_NAMES))
    names = tuple(files[CIFAR10_NAMES].decode("utf-8", "replace").split())

    def split(*batches: str) -> Split:
        records = np.concatenate([_rows(files[batch], (1 + 3 * 32 * 32,), f"{archive}, {batch}") for batch in batches])
        return _split(records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0], names, str(archive))

    return split(*CIFAR10_TRAIN), split(CIFAR10_TEST), names


def stl10(archive: Path) -> Parts:
    """Each image is 3 x 96 x 96 bytes, column by column; the labels, 1 to 10, are in files of their own.

    The unlabelled images come last in the archive and are not read, nor are the names of the classes after them.

    Raises:
        InputError: the archive is damaged, or lacks a file, or one of them does not consist of such records.
    """
    files = members(archive, STL10)

    def split(images: str, labels: str) -> Split:
        pixels = _rows(files[images], (3, 96, 96), f"{archive}, {images}").transpose(0, 1, 3, 2)
        numbers = np.frombuffer(files[labels], np.uint8) - np.uint8(1)  # 0 becomes 255, and is refused
        return _split(pixels, numbers, STL10_NAMES, f"{archive}, {labels}")

    return split(*STL10[:2]), split(*STL10[2:]), STL10_NAMES


def members(archive: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The contents of the regular files `wanted`, by exact names. Reading stops where the last of them ends.

    Raises:
        InputError: it is no gzipped tar, or truncated or damaged before all of them have come, or it lacks one.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for member in tar:
                if member.name in wanted and member.isreg() and (file := tar.extractfile(member)):
                    found[member.name] = file.read()
                if len(found) == len(wanted):
                    break
    except (tarfile.TarError, EOFError, zlib.error, ValueError, OSError) as error:  # tarfile documents only the first
        raise InputError(f"{archive} is truncated or damaged: {' '.join(str(error).split())}") from None
    if missing := [name for name in wanted if name not in found]:
        raise InputError(f"{archive} is truncated or damaged: it lacks {', '.join(missing)}")
    return found


def _rows(content: bytes, shape: tuple[int, ...], where: str) -> NDArray[np.uint8]:
    size = int(np.prod(shape))
    if not content or len(content) % size:
        raise InputError(f"{where}: {len(content)} bytes are no number of records of {size} bytes")
    return np.frombuffer(content, np.uint8).reshape(-1, *shape)


def _split(pixels: NDArray[np.uint8], labels: NDArray[np.uint8], names: tuple[str, ...], where: str) -> Split:
    """Pixels [N, C, H, W] with their labels [N] as a split of their own memory."""
    if len(labels) != len(pixels):
        raise InputError(f"{where}: {len(labels)} labels for {len(pixels)} images")
    if labels.max() >= len(names):
        raise InputError(f"{where}: there are labels beyond the {len(names)} classes")
    return Split(torch.from_numpy(pixels.copy(order="C")), torch.from_numpy(labels.astype(np.int64)))
