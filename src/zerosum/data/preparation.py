"""The options by which images of any size, kind and range become samples of one shape."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeGuard

from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass

from zerosum.types import Count, Fraction

SMALLEST, LARGEST = 8, 4096  # pixels of a side
LABEL_FILES = (".json", ".csv", ".tsv")


def _parse_size(size: object) -> object:
    """Convert 64, "64", "48x64" (height x width) or [48, 64] to (H, W)."""
    if size is None or size == "stored":
        return size
    parts: Sequence[object] = size.lower().split("x") if isinstance(size, str) else size if _is_pair(size) else [size]
    sides = [int(text) for part in parts if (text := str(part).strip()).isdecimal() and len(text) <= len(str(LARGEST))]
    if len(parts) != len(sides) or len(sides) not in (1, 2) or not all(SMALLEST <= side <= LARGEST for side in sides):
        raise ValueError(f"a size is {SMALLEST} to {LARGEST} pixels, as 64, or height x width, as 48x64")
    return (sides[0], sides[-1])


def _is_pair(size: object) -> TypeGuard[Sequence[object]]:
    return isinstance(size, list | tuple)


def _parse_range(values: object) -> object:
    """Convert "0..4095" or [0, 4095] to (LOW, HIGH)."""
    if values is None:
        return None
    parts: Sequence[object] = values.split("..") if isinstance(values, str) else values if _is_pair(values) else []
    try:
        low, high = (float(str(part)) for part in parts)
    except ValueError:
        low, high = math.nan, math.nan
    if not -math.inf < low < high < math.inf:
        raise ValueError("a range is LOW..HIGH, two finite numbers of which the first is smaller, as 0..4095 or -1..1")
    return (low, high)


def _parse_channels(channels: object) -> object:
    """Convert "3,2,1" or [3, 2, 1], or one number, to a tuple of channels."""
    if channels is None:
        return None
    parts: Sequence[object] = (
        channels.split(",") if isinstance(channels, str) else channels if _is_pair(channels) else [channels]
    )
    numbers = [int(text) for part in parts if (text := str(part).strip()).isdecimal() and len(text) <= 4]
    if len(numbers) != len(parts) or len(numbers) not in (1, 3):
        raise ValueError("the channels that pictures show are one number or three, counted from 0, as 0 or 3,2,1")
    return tuple(numbers)


def _parse_labels(labels: object) -> object:
    """Make the path of a file absolute, so that a run finds it from any folder; refuse other words."""
    if isinstance(labels, str) and labels.endswith(LABEL_FILES):
        return str(Path(labels).expanduser().absolute())
    if labels not in ("auto", "folders", "none"):
        raise ValueError("labels are auto, folders, none, or a .json, .csv or .tsv file of names and labels")
    return labels


@dataclass(frozen=True)
class Preparation:
    """Options by which images of any kind become samples; arrays mind only `range`, `layout`, `shown` and `flip`.

    Attributes:
        size: (H, W) in pixels, written 64 or 48x64; None takes the largest of 8, 16, 32 ... 256 that three in four
            images reach, but not more than `largest`; `stored` takes the size that all files have.
        largest: the largest size that None may choose.
        crop: `centre` crops the longer side, `fit` adds borders, `stretch` does neither, `random` crops at a place that
            is a function of the file's content. Resizing is by Lanczos in each case.
        channels: 1 (gray) or 3 (colour); None takes 1 if every image is gray.
        alpha: `white` composes transparent images over white, `keep` keeps alpha as one more channel.
        range: (LOW, HIGH), written 0..4095: the values of gray files, or of arrays, that become black and white, one
            range for all of them. None finds it: `data/values.py` says how.
        pages: `auto` takes every page of a TIFF and the first frame of an animation, `first` and `all` what they say.
        masks: `auto` leaves out masks that lie with their images, `x_mask.png` beside `x.jpg` or `masks/x.png` beside
            `images/x.jpg`; `use` takes them for images.
        layout: where the channels of arrays of four dimensions are; `auto` tells it by the sizes.
        shown: one or three channels, counted from 0, written 3,2,1, that pictures show of images with others than 1
            or 3; None shows the first three.
        labels: what says the classes. `auto` takes a file of labels beside the images (StyleGAN's `dataset.json`,
            `labels.csv` ...), else the folders that all images lie in, unless they look like a camera's, like dates or
            a storage's; `folders` takes them whatever they are called, `none` nothing; or a .json or .csv file of names
            and labels.
        broken: the largest share of files that may be unreadable; they are skipped, counted and listed.
        boxes: whether to crop to the boxes of Pascal VOC annotations, if there are any.
        margin: the share of its width and height by which a box is widened, on each side.
        smallest_box: the least length in pixels of a box's shorter side, also after clipping at the image's border.
        longest_box: the largest ratio of a box's sides.
        split: whether images for training and for testing are required; to only score images, they are not.
        flip: whether training mirrors a random half of the images, left to right.
    """

    size: Annotated[tuple[int, int] | Literal["stored"] | None, BeforeValidator(_parse_size)] = None
    largest: Annotated[int, Field(ge=SMALLEST, le=LARGEST)] = 64
    crop: Literal["centre", "fit", "stretch", "random"] = "centre"
    channels: Literal[1, 3] | None = None
    alpha: Literal["white", "keep"] = "white"
    range: Annotated[tuple[float, float] | None, BeforeValidator(_parse_range)] = None
    pages: Literal["auto", "first", "all"] = "auto"
    masks: Literal["auto", "use"] = "auto"
    layout: Literal["auto", "channels-first", "channels-last"] = "auto"
    shown: Annotated[tuple[int, ...] | None, BeforeValidator(_parse_channels)] = None
    labels: Annotated[str, BeforeValidator(_parse_labels)] = "auto"
    broken: Fraction = 0.2
    boxes: bool = True
    margin: Annotated[float, Field(ge=0, le=2)] = 0.0
    smallest_box: Count = 16
    longest_box: Annotated[float, Field(ge=1)] = 3.0
    split: bool = True
    flip: bool = False
