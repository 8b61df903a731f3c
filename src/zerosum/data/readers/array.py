"""Read NumPy arrays, .npy and .npz: images or points, with labels and a test split if the names say so."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.data import Progress, Source, Split
from zerosum.data.packs.splits import divide_samples
from zerosum.data.preparation import SMALLEST, Preparation
from zerosum.data.readers import Reader
from zerosum.data.values import FAINT, Extent, Range, Undecided, choose_range, count_outside, describe, measure, scale
from zerosum.errors import InputError

SAMPLES = ("images", "x", "data", "samples", "arr_0")
LABELS = ("labels", "y", "targets", "target")
TRAIN, TEST = ("train_{}", "{}_train"), ("test_{}", "{}_test")
BEGINNINGS = b"\x93", b"P", b"\x80"  # of arrays, archives and pickles
LONG = 4  # times as long as wide: images that may be series
ALPHA = 0.9  # the share of a last channel that is 0 or 255, from which on it is alpha
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
        names = _find_names(arrays, path)
        where = [f"{path}, {samples!r}" for samples, _ in names]
        read = to_samples([arrays[samples] for samples, _ in names], where, preparation)
        parts = [
            Split(samples, None if key is None else to_labels(arrays[key], len(samples), f"{path}, {key!r}"))
            for samples, (_, key) in zip(read.samples, names, strict=True)
        ]
        (train, test), notes = (
            (parts, ()) if len(parts) == 2 else divide_samples(parts[0], "arrays train_images and test_images")
        )
        if train.samples.shape[1:] != test.samples.shape[1:]:
            raise InputError(f"{path}: training samples are {_describe(train)}, but test samples {_describe(test)}")
        if names[0][0] not in NAMES:
            notes = (f"the only array, {names[0][0]!r}, is taken for the samples", *notes)
        source = Source(
            path.stem, train, test, notes=(*read.notes, *notes), range=read.range, heeded=read.heeded, shown=read.shown
        )
        if train.labels is None or test.labels is None:
            return replace(source, train=Split(train.samples), test=Split(test.samples))
        return replace(source, class_names=name_classes(train, test, str(path)))


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


class Reading(NamedTuple):
    """Samples, as they were read from arrays.

    Attributes:
        samples: of each array.
        notes: what was assumed.
        range: the values that became black and white; None if they were bytes, or are points.
        heeded: the fields of the preparation that arrays like these heed.
        shown: the channels that pictures show, if not all.
    """

    samples: list[Tensor]
    notes: tuple[str, ...] = ()
    range: Range | None = None
    heeded: tuple[str, ...] = ()
    shown: tuple[int, ...] | None = None


def to_samples(arrays: Sequence[NDArray[Any]], where: Sequence[str], preparation: Preparation) -> Reading:
    """Convert arrays of one data set to samples: images as uint8 [N, C, H, W], points as float32 [N, d].

    Images may be [N, H, W], [N, H, W, C] or [N, C, H, W] with any number of channels C, of numbers in any range:
    `values.py` says which become black and white, in all arrays the same.

    Raises:
        InputError: another shape, no samples, values that are not finite numbers, or two plausible readings.
    """
    for array, name in zip(arrays, where, strict=True):
        _check(array, name)
    if any(array.ndim == 2 for array in arrays):
        notes = _note_points(arrays[0])
        return Reading([torch.from_numpy(array.astype(np.float32)) for array in arrays], notes)
    pixels, known, said_of_values = _to_bytes(arrays, where[0], preparation)
    axes = [_find_channels(array, name, preparation) for array, name in zip(pixels, where, strict=True)]
    samples = [torch.from_numpy(np.array(_lead_channels(*pair))) for pair in zip(pixels, axes, strict=True)]
    shown, said_of_channels = _choose_shown(samples, where[0], preparation)
    said_of_layout = _note_layout(arrays[0], samples[0])
    heeded = ("range", "shown", "alpha", *(["layout"] if arrays[0].ndim == 4 else []))
    return Reading(samples, (*said_of_layout, *said_of_values, *said_of_channels), known, heeded, shown)


def _check(array: NDArray[Any], where: str) -> None:
    """Refuse what are no samples."""
    if array.dtype.kind not in "uifb":
        raise InputError(f"{where}: samples must be numbers, not {array.dtype}")
    if array.ndim not in (2, 3, 4) or 0 in array.shape:
        raise InputError(
            f"{where}: cannot train on an array of shape {list(array.shape)}: samples are [N, d], "
            "[N, H, W], [N, H, W, C] or [N, C, H, W], and none of the sizes may be zero"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"{where}: {int((~np.isfinite(array)).sum())} values are NaN or infinite")
    short, long = sorted(array.shape[1:3]) if array.ndim == 3 else (SMALLEST, SMALLEST)
    if short < SMALLEST and long >= 2 * short:
        count, length = len(array), short * long
        what = f"holds no images (of {SMALLEST}x{SMALLEST} pixels at least) but, it seems, series of {short} channels"
        out = f"as points of {length} numbers they can be trained: np.save('points.npy', x.reshape({count}, {length}))"
        raise InputError(
            f"{where}: an array of shape {list(array.shape)} {what} and {long} steps, which no network here is made "
            f"for; {out}, where x is that array"
        )


def _note_points(array: NDArray[Any]) -> tuple[str, ...]:
    """Say how points could be made images, if they look like flattened ones."""
    length = array.shape[1]
    for channels in (1, 3):
        side = math.isqrt(length // channels)
        if side >= SMALLEST and channels * side * side == length:
            ends = {1: [f"{side}, {side}"], 3: [f"{side}, {side}, 3", f"3, {side}, {side}"]}[channels]
            forms = " or ".join(f"x.reshape({len(array)}, {end})" for end in ends)
            return (f"read as points of {length} numbers; if they are images of {side}x{side}, save {forms}",)
    return ()


def _find_channels(array: NDArray[np.uint8], where: str, preparation: Preparation) -> int | None:
    """Find the axis of the channels, 1 or 3; None if there is none.

    They are fewer than rows and columns, or rows and columns are equal.

    Raises:
        InputError: either axis may be.
    """
    if array.ndim == 3:
        return None
    if preparation.layout != "auto":
        return 1 if preparation.layout == "channels-first" else 3
    first, middle, last = array.shape[1:]
    if first < min(middle, last) or (middle == last != first):
        return 1
    if last < min(first, middle) or (first == middle != last):
        return 3
    raise InputError(
        f"{where}: images of shape {[first, middle, last]} may be {first} channels of {middle}x{last} or {last} of "
        f"{first}x{middle}: say which, --set data.layout=channels-first or --set data.layout=channels-last"
    )


def _lead_channels(array: NDArray[np.uint8], axis: int | None) -> NDArray[np.uint8]:
    return array[:, None] if axis is None else np.moveaxis(array, axis, 1)


def _note_layout(array: NDArray[Any], samples: Tensor) -> tuple[str, ...]:
    """Say how an array was read, unless it holds gray or colour images of usual shapes."""
    count, channels, height, width = samples.shape
    if array.ndim == 3 and max(height, width) >= LONG * min(height, width):
        points = f"x.reshape({count}, {height * width})"
        return (f"read as gray images of {height}x{width}; if they are series, points are what works: save {points}",)
    if array.ndim == 3 or channels in (1, 3):
        return ()
    shape = list(array.shape)
    return (f"an array of shape {shape} is read as {channels} channels of {height}x{width}; data.layout overrules",)


def _to_bytes(
    arrays: Sequence[NDArray[Any]], where: str, preparation: Preparation
) -> tuple[list[NDArray[np.uint8]], Range | None, tuple[str, ...]]:
    """Convert values of any range to bytes; return them, the range if they were no bytes, and what is said of it.

    Raises:
        InputError: two ranges are plausible.
    """
    given, least = preparation.range, FAINT if preparation.split else 2  # samples of a bad generator may be faint
    if given is None and all(array.dtype == np.uint8 for array in arrays) and max(map(np.max, arrays)) >= least:
        return list(arrays), None, ()
    extent = reduce(Extent.__or__, map(measure, arrays))
    try:
        known = given or choose_range(extent)
    except Undecided as error:
        raise InputError(f"{where}: {error}") from None
    outside = sum(count_outside(array, known) for array in arrays)
    note = describe(known, extent, outside, str(arrays[0].dtype), given=given is not None)
    return [scale(array, known) for array in arrays], known, (note,)


def _choose_shown(
    samples: list[Tensor], where: str, preparation: Preparation
) -> tuple[tuple[int, ...] | None, tuple[str, ...]]:
    """Choose the channels that pictures show, None for all, and say so; of two or four the last may be alpha.

    Raises:
        InputError: nothing tells whether one is alpha.
    """
    count, shown = samples[0].shape[1], preparation.shown
    if shown is not None or count in (1, 3) or not preparation.split:
        return shown, ()
    first = tuple(range(3 if count > 3 else 1))
    listed = ",".join(map(str, first))
    alone = f"of {count} channels, counted from 0, pictures show {listed}; data.shown overrules"
    if count not in (2, 4):
        return first, (alone,)
    solid = _share_of_extremes(samples)
    if preparation.alpha == "keep" or solid >= ALPHA:
        return None, (f"the last of {count} channels is alpha in pictures; data.shown={listed} leaves it out",)
    if solid <= 1 - ALPHA:
        return first, (alone,)
    raise InputError(
        f"{where}: the last of {count} channels, of which {solid:.0%} is black or white, may be alpha or one like the "
        f"others: say which, --set data.alpha=keep or --set data.shown={listed} (for pictures)"
    )


def _share_of_extremes(samples: list[Tensor]) -> float:
    """Measure which share of the last channel is 0 or 255."""
    last = [each[:, -1] for each in samples]
    return sum(int(((each == 0) | (each == 255)).sum()) for each in last) / sum(each.numel() for each in last)


def _load(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"x": loaded}
            meant = [key for key in loaded.files if key.lower() in NAMES] or loaded.files
            if meant == loaded.files and {"mu", "sigma"} <= set(loaded.files):
                raise InputError(
                    f"{path} holds mu and sigma, the mean and covariance of features (a reference for FID) and no "
                    "samples: give the images that they were computed from"
                )
            return {key.lower(): loaded[key] for key in meant}
    except (MemoryError, InputError):
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception as error:  # numpy's parsers raise almost anything on damaged bytes, tokenize.TokenError included
        if "pickle" in str(error).lower() and not path.read_bytes()[:1].startswith(BEGINNINGS):
            raise InputError(f"{path} is no file of NumPy's, whatever its name says") from None
        if "pickle" in str(error).lower():
            raise InputError(f"{path} holds Python objects, which are never loaded: save plain numbers") from None
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} is truncated or damaged: {reason}") from None


def _find_names(arrays: Mapping[str, NDArray[Any]], path: Path) -> list[tuple[str, str | None]]:
    """Find the names of the samples and of their labels, of the training split and, if there is one, the test split.

    Raises:
        InputError: there are no samples to train with, or several arrays and none is called so.
    """

    def find(patterns: tuple[str, ...]) -> tuple[str, str | None] | None:
        def first(words: tuple[str, ...]) -> str | None:
            return next((name for p in patterns for word in words if (name := p.format(word)) in arrays), None)

        samples = first(SAMPLES)
        return None if samples is None else (samples, first(LABELS))

    train, test = find(TRAIN) or find(("{}",)), find(TEST)
    if train is None and test is not None:
        raise InputError(f"{path} holds {', '.join(arrays)}, samples to test with and none to train with")
    if train is None and len(arrays) != 1:
        raise InputError(f"{path} holds {', '.join(arrays) or 'nothing'}: name the samples one of {', '.join(SAMPLES)}")
    train = train or (next(iter(arrays)), None)
    return [train] if test is None else [train, test]


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
