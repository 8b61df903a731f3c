"""How images of any size and kind become samples of one shape: the choices, and nothing else."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeGuard

from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass

SMALLEST, LARGEST = 8, 4096

Share = Annotated[float, Field(ge=0, le=1)]
Side = Annotated[int, Field(ge=SMALLEST, le=LARGEST)]


def _sides(size: object) -> object:
    """64, "64", "48x64" (height x width) or [48, 64] as (H, W)."""
    if size is None or size == "stored":
        return size
    parts: Sequence[object] = size.lower().split("x") if isinstance(size, str) else size if _is_pair(size) else [size]
    sides = [int(text) for part in parts if (text := str(part).strip()).isdecimal() and len(text) <= len(str(LARGEST))]
    if len(parts) != len(sides) or len(sides) not in (1, 2) or not all(SMALLEST <= side <= LARGEST for side in sides):
        raise ValueError(f"a size is {SMALLEST} to {LARGEST} pixels, as 64, or height x width, as 48x64")
    return (sides[0], sides[-1])


def _is_pair(size: object) -> TypeGuard[Sequence[object]]:
    return isinstance(size, list | tuple)


@dataclass(frozen=True)
class Preparation:
    """How image files become samples.

    Attributes:
        size: (H, W) in pixels, written 64 or 48x64; None takes the largest of 8, 16, 32 ... 256 that three in four
            images reach, but not more than `largest`; `stored` the one that all files have.
        largest: the largest size that is chosen without being asked for.
        crop: `centre` cuts the longer side, `fit` adds borders, `stretch` does neither, `random` cuts at a place that
            is a function of the file's content. Resizing is by Lanczos in each case.
        channels: 1 (gray) or 3 (colour); None takes 1 where every image is gray.
        alpha: transparency over `white`, or one more channel to `keep`.
        labels: `auto` takes the subfolders of a folder for classes if all images lie in such; `none` never does.
        broken: the largest share of files that may be unreadable; they are skipped, counted and listed.
        boxes: whether to cut out the boxes of Pascal-VOC annotations, where there are any.
        margin: by how much of its sides a box is widened, on each side.
        smallest_box: the shortest side in pixels that a box must have, also when it is cut at the image's border.
        longest_box: the largest ratio of a box's sides.
        split: whether there must be images for training and for testing, as there need not be to judge them.
        flip: whether training mirrors half of the images, left to right.
    """

    size: Annotated[tuple[int, int] | Literal["stored"] | None, BeforeValidator(_sides)] = None
    largest: Side = 64
    crop: Literal["centre", "fit", "stretch", "random"] = "centre"
    channels: Literal[1, 3] | None = None
    alpha: Literal["white", "keep"] = "white"
    labels: Literal["auto", "none"] = "auto"
    broken: Share = 0.2
    boxes: bool = True
    margin: Annotated[float, Field(ge=0, le=2)] = 0.0
    smallest_box: Annotated[int, Field(ge=1)] = 16
    longest_box: Annotated[float, Field(ge=1)] = 3.0
    split: bool = True
    flip: bool = False
