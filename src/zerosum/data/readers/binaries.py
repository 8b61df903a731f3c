"""Read the binary versions of CIFAR-10 and STL-10: records of fixed size in a gzipped tar, which is not unpacked."""

import tarfile
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from zerosum.data import Split
from zerosum.errors import InputError

Parts = tuple[Split, Split, tuple[str, ...]]  # to train on, to test with, the names of the labels

CIFAR10 = "cifar-10-batches-bin/"
CIFAR10_TRAIN = tuple(f"{CIFAR10}data_batch_{number}.bin" for number in range(1, 6))
CIFAR10_TEST, CIFAR10_NAMES = f"{CIFAR10}test_batch.bin", f"{CIFAR10}batches.meta.txt"

STL10 = tuple(f"stl10_binary/{name}.bin" for name in ("train_X", "train_y", "test_X", "test_y"))
STL10_NAMES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")


def read_cifar10(archive: Path) -> Parts:
    """Read CIFAR-10: each record is a byte with the label and 3 x 32 x 32 bytes, by channel, then by row.

    Raises:
        InputError: the archive is damaged, or lacks a file, or one of them does not consist of such records.
    """
    files = read_members(archive, (*CIFAR10_TRAIN, CIFAR10_TEST, CIFAR10_NAMES))
    names = tuple(files[CIFAR10_NAMES].decode("utf-8", "replace").split())

    def split(*batches: str) -> Split:
        records = np.concatenate(
            [_to_rows(files[batch], (1 + 3 * 32 * 32,), f"{archive}, {batch}") for batch in batches]
        )
        return _make_split(records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0], names, str(archive))

    return split(*CIFAR10_TRAIN), split(CIFAR10_TEST), names


def read_stl10(archive: Path) -> Parts:
    """Read STL-10: each image is 3 x 96 x 96 bytes, by channel, then by column; labels, 1 to 10, have their own files.

    The unlabelled images come last in the archive and are not read, nor are the names of the classes after them.

    Raises:
        InputError: the archive is damaged, or lacks a file, or one of them does not consist of such records.
    """
    files = read_members(archive, STL10)

    def split(images: str, labels: str) -> Split:
        pixels = _to_rows(files[images], (3, 96, 96), f"{archive}, {images}").transpose(0, 1, 3, 2)
        numbers = np.frombuffer(files[labels], np.uint8) - np.uint8(1)  # 0 becomes 255, and is refused
        return _make_split(pixels, numbers, STL10_NAMES, f"{archive}, {labels}")

    return split(*STL10[:2]), split(*STL10[2:]), STL10_NAMES


def read_members(archive: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """Read the regular files `wanted`, by exact names, and stop at the end of the last one.

    Raises:
        InputError: it is no gzipped tar, is truncated or damaged before the last one's end, or lacks one.
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


def _to_rows(content: bytes, shape: tuple[int, ...], where: str) -> NDArray[np.uint8]:
    size = int(np.prod(shape))
    if not content or len(content) % size:
        raise InputError(f"{where}: {len(content)} bytes are no number of records of {size} bytes")
    return np.frombuffer(content, np.uint8).reshape(-1, *shape)


def _make_split(pixels: NDArray[np.uint8], labels: NDArray[np.uint8], names: tuple[str, ...], where: str) -> Split:
    """Copy pixels [N, C, H, W] and labels [N] into a split."""
    if len(labels) != len(pixels):
        raise InputError(f"{where}: {len(labels)} labels for {len(pixels)} images")
    if labels.max() >= len(names):
        raise InputError(f"{where}: there are labels beyond the {len(names)} classes")
    return Split(torch.from_numpy(pixels.copy(order="C")), torch.from_numpy(labels.astype(np.int64)))
