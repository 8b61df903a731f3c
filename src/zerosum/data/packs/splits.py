"""Divide decoded images into those to train on and those to test with."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zerosum.data import select_test
from zerosum.data.packs.collection import Item
from zerosum.data.packs.duplicates import group_duplicates


class Decoded(NamedTuple):
    """What remains of an image once its pixels are written.

    Attributes:
        item: where it comes from.
        thumbnail: gray, uint8 [16, 17].
        pixels: the hash of its pixels.
        file: the hash of its file.
    """

    item: Item
    thumbnail: NDArray[np.uint8]
    pixels: int
    file: int


class Division(NamedTuple):
    """How N images are divided.

    Attributes:
        testing: whether each is for testing, bool [N].
        leaders: the index of the first image that is nearly the same as each, often its own, int64 [N].
    """

    testing: NDArray[np.bool_]
    leaders: NDArray[np.int64]

    @property
    def order(self) -> NDArray[np.int64]:
        """The indices of the images as they are stored: those to train on, then those to test with."""
        return np.concatenate([np.flatnonzero(~self.testing), np.flatnonzero(self.testing)])


def divide(images: list[Decoded]) -> Division:
    """Divide the images into those to train on and those to test with.

    Where all images lie in folders named after splits, the folders decide. Elsewhere the hash of the file decides, and
    every image that is nearly or exactly the same as one for testing is for testing too. The boxes of a photo stay
    together.
    """
    pixels = np.array([image.pixels for image in images])
    files = np.array([image.file for image in images])
    thumbnails = np.stack([image.thumbnail for image in images])
    leaders = _add_identical(group_duplicates(thumbnails), thumbnails, pixels)
    if all(image.item.testing is not None for image in images):
        return Division(np.array([image.item.testing for image in images], np.bool_), leaders)
    testing = select_test(files)
    while True:
        before = testing.sum()
        for group in (leaders, pixels, files):
            testing = np.isin(group, group[testing])
        if testing.sum() == before:
            return Division(testing, leaders)


def _add_identical(
    leaders: NDArray[np.int64], thumbnails: NDArray[np.uint8], pixels: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Add images with the same pixels to the groups, which are copies however many there are."""
    _, first, inverse = np.unique(pixels, return_index=True, return_inverse=True)
    firsts = first[inverse]
    same = (thumbnails[firsts] == thumbnails).all((1, 2))  # as different pixels may have the same hash
    return np.where(same & (leaders == np.arange(len(leaders))), leaders[firsts], leaders)
