"""Choose the one size and the channels that all images of a pack get."""

from collections import Counter
from typing import NamedTuple

from zerosum.data.packs.annotations import Box
from zerosum.data.packs.collection import Item
from zerosum.data.packs.headers import Header
from zerosum.data.preparation import LARGEST, SMALLEST, Preparation
from zerosum.errors import InputError

SIZES = (256, 128, 64, 32, 16, 8)
REACHED_BY = 0.75  # the share of the images that must be at least as large as the chosen size
EXAMPLES = 3  # in an error message


class ImageShape(NamedTuple):
    """The shape of every image in a pack: `channels` of `size` (H, W)."""

    channels: int
    size: tuple[int, int]


class TooSmall(InputError):
    """Images that are all smaller than the size that was asked for.

    Attributes:
        largest: the largest of their shorter sides, in pixels.
    """

    def __init__(self, where: str, size: tuple[int, int], largest: int) -> None:
        """Say that no image in `where` is as large as `size` (H, W)."""
        super().__init__(
            f"{where}: all images are smaller than the size {size[0]}x{size[1]} that was asked for; the largest has a "
            f"shorter side of {largest} pixels"
        )
        self.largest = largest


def choose_shape(headers: list[tuple[Header, Item]], preparation: Preparation, where: str) -> ImageShape:
    """Return the size and the channels that were asked for; choose what was not by the headers of the files.

    Raises:
        TooSmall: all images are smaller than the size that was asked for.
        InputError: they do not have one size, which was asked for.
    """
    sides = sorted(_measure_shorter_side(header, item) for header, item in headers)
    size = _find_stored_size(headers, where) if preparation.size == "stored" else preparation.size
    if size is not None and sides[-1] < min(size):
        raise TooSmall(where, size, sides[-1])
    reached = sides[int(len(sides) * (1 - REACHED_BY))]
    side = next((each for each in SIZES if each <= min(reached, preparation.largest)), SIZES[-1])
    channels: int = preparation.channels or (1 if all(header.gray for header, _ in headers) else 3)
    if preparation.alpha == "keep" and any(header.transparent for header, _ in headers):
        channels += 1
    return ImageShape(channels, size or (side, side))


def _find_stored_size(headers: list[tuple[Header, Item]], where: str) -> tuple[int, int]:
    """Return the one size (H, W) that all files have."""
    sizes = Counter(header.size for header, _ in headers)
    if len(sizes) > 1:
        examples = ", ".join(f"{height}x{width}" for (height, width), _ in sizes.most_common(EXAMPLES))
        raise InputError(f"{where}: the images are of {len(sizes)} sizes, e.g. {examples}; say which one: --size HxW")
    (size,) = sizes
    if not all(SMALLEST <= side <= LARGEST for side in size):
        raise InputError(
            f"{where}: its images have {size[0]}x{size[1]} pixels; {SMALLEST} to {LARGEST} are possible: say --size"
        )
    return size


def _measure_shorter_side(header: Header, item: Item) -> int:
    """Measure the image, or the part of its box that lies inside it, in pixels."""
    height, width = header.size
    box = item.box or Box(0, 0, width, height)
    return min(min(box.right, width) - max(box.left, 0), min(box.bottom, height) - max(box.top, 0))
