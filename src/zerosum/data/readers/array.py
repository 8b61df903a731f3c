"""Read NumPy arrays, .npy and .npz: images or points, with labels and a test split if the names say so."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.data import Progress, Source, Split, split_by_content
from zerosum.data.preparation import Preparation
from zerosum.data.readers import Reader
from zerosum.errors import InputError

SAMPLES = ("images", "x", "data", "samples", "arr_0")
LABELS = ("labels", "y", "targets", "target")
TRAIN, TEST = ("train_{}", "{}_train"), ("test_{}", "{}_test")
NAMES = {pattern.format(word) for pattern in ("{}", *TRAIN, *TEST) for word in (*SAMPLES, *LABELS)}


class Array(Reader, name="array"):
    """`.npy` (samples) or `.npz` (`images`/`x`, `labels`/`y`, or `train_images`, `x_test` and the like)."""

    summary: ClassVar[str] = ".npy and .npz arrays"

    def reads(self, data: str) -> bool:
        """Recognise the file's extension."""
        return Path(data).suffix.lower() in (".npy", ".npz") and Path(data).expanduser().is_file()

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Read the arrays; object arrays are refused, as loading them would run code from the file."""
        path = Path(data).expanduser()
        arrays = _load(path)
        signed = any(_may_be_signed(array) for array in arrays.values())
        train = _find_split(arrays, TRAIN, path, signed=signed) or _find_split(arrays, ("{}",), path, signed=signed)
        test = _find_split(arrays, TEST, path, signed=signed)
        if train is None and test is not None:
            raise InputError(f"{path} holds {', '.join(arrays)}, samples to test with and none to train with")
        train = train or _take_only_array(arrays, path)
        if test is None:
            train, test = split_by_content(train.samples, train.labels)
        if train.samples.shape[1:] != test.samples.shape[1:]:
            raise InputError(f"{path}: training samples are {_describe(train)}, but test samples {_describe(test)}")
        if train.labels is None or test.labels is None:
            return Source(path.stem, Split(train.samples), Split(test.samples))
        return Source(path.stem, train, test, name_classes(train, test, str(path)))


def name_classes(train: Split, test: Split, where: str) -> tuple[str, ...]:
    """Name the classes by the numbers from 0 to the largest label; return no names if there are no labels.

    Raises:
        InputError: there are more than samples.
    """
    if train.labels is None or test.labels is None:
        return ()
    labels, count = torch.cat([train.labels, test.labels]), len(train) + len(test)
    classes = int(labels.max()) + 1 if len(labels) else 0
    if classes > count:
        raise InputError(f"{where}: a label is {classes - 1}, of {count} samples: number the classes 0, 1, 2 ...")
    return tuple(str(label) for label in range(classes))


def _may_be_signed(array: NDArray[Any]) -> bool:
    """Return whether the array may be pixels in [-1, 1]; then those of the other split have the same scale."""
    return array.dtype.kind == "f" and array.ndim > 2 and array.size > 0 and float(array.min()) < 0


def to_samples(array: NDArray[Any], where: str, *, signed: bool = False) -> Tensor:
    """Convert an array to samples: images as uint8 [N, C, H, W], points as float32 [N, d].

    Images may be [N, H, W], [N, H, W, C] or [N, C, H, W] with 1 to 4 channels; whole numbers in 0..255, or only 0 and
    1; or fractions in [0, 1] or, if any is negative or `signed`, in [-1, 1].

    Raises:
        InputError: another shape, another range, no samples, or values that are not finite numbers.
    """
    if array.dtype.kind not in "uifb":
        raise InputError(f"{where}: samples must be numbers, not {array.dtype}")
    if array.ndim not in (2, 3, 4) or 0 in array.shape:
        raise InputError(
            f"{where}: cannot train on an array of shape {list(array.shape)}: samples are [N, d], "
            "[N, H, W], [N, H, W, C] or [N, C, H, W], and none of the sizes may be zero"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"{where}: {int((~np.isfinite(array)).sum())} values are NaN or infinite")
    if array.ndim == 2:
        return torch.from_numpy(array.astype(np.float32))
    return torch.from_numpy(np.array(_move_channels_first(_to_bytes(array, where, signed=signed), where)))


def _move_channels_first(array: NDArray[np.uint8], where: str) -> NDArray[np.uint8]:
    if array.ndim == 3:
        return array[:, None]
    if array.shape[3] <= 4:
        return array.transpose(0, 3, 1, 2)
    if array.shape[1] <= 4:
        return array
    raise InputError(f"{where}: images of shape {list(array.shape[1:])} have more than 4 channels")


def _to_bytes(array: NDArray[Any], where: str, *, signed: bool) -> NDArray[np.uint8]:
    low, high = float(array.min()), float(array.max())
    if array.dtype == np.uint8 and high > 1:
        return array
    if array.dtype.kind == "f" and low >= -1 and high <= 1:
        scaled = (array + 1) * 127.5 if signed or low < 0 else array * 255
    elif low >= 0 and high <= 255:
        scaled = array.astype(np.float32) * (255 if high == 1 else 1)
    else:
        raise InputError(f"{where}: pixels from {low:g} to {high:g} fit neither 0..255, [0, 1] nor [-1, 1]")
    return scaled.round().astype(np.uint8)


def _load(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"x": loaded}
            meant = [key for key in loaded.files if key.lower() in NAMES] or loaded.files
            return {key.lower(): loaded[key] for key in meant}
    except MemoryError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception as error:  # numpy's parsers raise almost anything on damaged bytes, tokenize.TokenError included
        if "pickle" in str(error).lower():
            raise InputError(f"{path} holds Python objects, which are never loaded: save plain numbers") from None
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} is truncated or damaged: {reason}") from None


def _find_split(
    arrays: dict[str, NDArray[Any]], patterns: tuple[str, ...], path: Path, *, signed: bool
) -> Split | None:
    """Find the samples, with their labels, under any of the names that the `patterns` give."""

    def find(words: tuple[str, ...]) -> str | None:
        return next((name for p in patterns for word in words if (name := p.format(word)) in arrays), None)

    found = find(SAMPLES)
    if found is None:
        return None
    samples, key = to_samples(arrays[found], f"{path}, {found!r}", signed=signed), find(LABELS)
    return Split(samples, None if key is None else to_labels(arrays[key], len(samples), f"{path}, {key!r}"))


def _take_only_array(arrays: dict[str, NDArray[Any]], path: Path) -> Split:
    if len(arrays) != 1:
        raise InputError(f"{path} holds {', '.join(arrays) or 'nothing'}: name the samples one of {', '.join(SAMPLES)}")
    ((name, array),) = arrays.items()
    return Split(to_samples(array, f"{path}, {name!r}"))


def to_labels(array: NDArray[Any], count: int, where: str) -> Tensor:
    """Convert the labels of `count` samples to int64 [count].

    Raises:
        InputError: they are not whole numbers from 0 on, or not as many as the samples.
    """
    array = array.reshape(-1) if array.ndim == 2 and array.shape[1] == 1 else array
    if array.ndim != 1 or len(array) != count:
        raise InputError(f"{where}: labels of shape {list(array.shape)} for {count} samples")
    if array.dtype.kind not in "uib":
        raise InputError(f"{where}: labels must be whole numbers from 0 on, not {array.dtype}")
    if array.min() < 0:
        raise InputError(f"{where}: labels must be whole numbers from 0 on, and one is {array.min()}")
    return torch.from_numpy(array.astype(np.int64))


def _describe(split: Split) -> str:
    return str(list(split.samples.shape[1:]))
