"""Read idx files, plain or gzipped, the format of MNIST; a folder's images and labels are recognised by name."""

import gzip
import math
import re
import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zerosum.data import Progress, Source, Split
from zerosum.data.packs.splits import divide_samples
from zerosum.data.preparation import Preparation
from zerosum.data.readers import Reader
from zerosum.data.readers.array import name_classes, to_labels, to_samples
from zerosum.errors import InputError

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
FILE = re.compile(r"^(?P<split>.*?)[-._](?P<kind>images|labels)[-._]idx\d[-._]\w+?(\.gz)?$")
TRAIN_NAMES, TEST_NAMES = ("train",), ("t10k", "test")


class Idx(Reader, name="idx"):
    """A folder of idx files (`train-images-idx3-ubyte.gz` ...) or a single one."""

    summary: ClassVar[str] = "folders of idx files as MNIST's, or one such file (.gz or not)"

    def reads(self, data: str) -> bool:
        """Recognise the names of the files."""
        path = Path(data).expanduser()
        if path.is_dir():
            return any(FILE.match(entry.name) for entry in path.iterdir())
        return path.is_file() and bool(FILE.match(path.name) or re.search(r"idx\d|\.idx(\.gz)?$", path.name))

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Pair images with labels; `t10k` or `test` is the test split, and without one a fifth is kept for testing."""
        path = Path(data).expanduser()
        folder, only = (path, None) if path.is_dir() else (path.parent, path)
        files = _group_by_split(folder, only)
        train_name, test_name = _assign_roles(list(files), data)
        kinds = [files[name] for name in (train_name, test_name) if name is not None]
        images = [each["images"] for each in kinds]
        read_as = to_samples([read(file) for file in images], [str(file) for file in images], preparation)
        parts = [_add_labels(*pair) for pair in zip(read_as.samples, kinds, strict=True)]
        (train, test), notes = (parts, ()) if len(parts) == 2 else divide_samples(parts[0], "files train-* and t10k-*")
        if train.samples.shape[1:] != test.samples.shape[1:] or (train.labels is None) != (test.labels is None):
            raise InputError(f"{data}: the training and the test files do not hold samples of one kind")
        return Source(
            folder.resolve().name,
            train,
            test,
            name_classes(train, test, data),
            notes=(*read_as.notes, *notes),
            range=read_as.range,
            heeded=read_as.heeded,
            shown=read_as.shown,
        )


def _assign_roles(splits: list[str], data: str) -> tuple[str, str | None]:
    """Tell by the last word of their names which of the `splits` is to train with, and which, if any, to test with.

    Raises:
        InputError: there are other splits, as in a folder with several sets.
    """
    last = {split: re.split(r"[-._]", split)[-1] for split in splits}
    train = [split for split in splits if last[split] in TRAIN_NAMES]
    test = [split for split in splits if last[split] in TEST_NAMES]
    if len(splits) == 1:
        return splits[0], None
    if len(splits) != 2 or len(train) != 1 or len(test) != 1:
        raise InputError(
            f"{data} holds {', '.join(splits)}: leave one set in a folder, whose files begin with train and with t10k "
            "or test"
        )
    return train[0], test[0]


def _group_by_split(folder: Path, only: Path | None = None) -> dict[str, dict[str, Path]]:
    """Group the files by split and kind; for a single file, only those of its own split."""
    found: dict[str, dict[str, Path]] = {}
    for file in sorted(folder.iterdir()):
        if match := FILE.match(file.name):
            found.setdefault(match["split"], {})[match["kind"]] = file
    if only is not None:
        mine = FILE.match(only.name)
        found = {mine["split"]: found[mine["split"]]} if mine else {only.name: {"images": only}}
    for split, kinds in found.items():
        if "images" not in kinds:
            raise InputError(f"{folder}: there are labels but no images for {split!r}")
    return found


def _add_labels(samples: Tensor, kinds: dict[str, Path]) -> Split:
    if "labels" not in kinds:
        return Split(samples)
    return Split(samples, to_labels(read(kinds["labels"]), len(samples), str(kinds["labels"])))


def read(file: Path) -> NDArray[Any]:
    """Read the array in an idx file.

    Raises:
        InputError: it cannot be read, is not idx, or is shorter or longer than its header says.
    """
    try:
        raw = file.read_bytes()
        content = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise InputError(f"{file} is truncated or damaged: its gzip stream does not end as it should") from None
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES:
        raise InputError(f"{file} is not an idx file: wrong magic number {content[:4].hex(' ')}")
    sizes = content[4 : 4 + 4 * content[3]]
    shape = tuple(int(size) for size in np.frombuffer(sizes[: len(sizes) // 4 * 4], ">u4"))
    kind = np.dtype(TYPES[content[2]])
    body = content[4 + 4 * content[3] :]
    if len(shape) != content[3] or len(body) != math.prod(shape) * kind.itemsize:
        raise InputError(
            f"{file} is truncated or damaged: its header promises {list(shape)} values, it holds {len(body)} bytes"
        )
    return np.frombuffer(body, kind).reshape(shape)
