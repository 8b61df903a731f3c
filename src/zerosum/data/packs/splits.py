"""Divide decoded images into those to train on and those to test with."""

import hashlib
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from zerosum.atomic import replacing
from zerosum.data import (
    LEAST,
    MODES,
    Split,
    cache_folder,
    count_sides,
    divide_groups,
    hash_content,
    split_by_content,
)
from zerosum.data.packs.collection import Item
from zerosum.data.packs.duplicates import group_duplicates, make_thumbnail

Numbers = NDArray[np.int64]
Thumbnails = NDArray[np.uint8]
LARGEST_GROUP = 20  # images; more that look alike, if they are most of all, show one subject, and are no copies
FEWEST_GROUPS = 4
MANY = 2_000  # images whose comparison takes longer than the reading of what was found before


class Decoded(NamedTuple):
    """What remains of an image once its pixels are written.

    Attributes:
        item: where it comes from.
        thumbnail: gray, uint8 [16, 17].
        pixels: the hash of its pixels.
        file: the hash of its file.
    """

    item: Item
    thumbnail: Thumbnails
    pixels: int
    file: int


class Division(NamedTuple):
    """How N images are divided.

    Attributes:
        testing: whether each is for testing, bool [N].
        leaders: the index of the first image that is nearly the same as each, often its own, int64 [N].
        alike: how many images look alike and are divided one by one nevertheless.
        pictures: the index of the first image that has the same pixels as each, int64 [N].
        by_folder: whether the images' folders decided.
    """

    testing: NDArray[np.bool_]
    leaders: Numbers
    alike: int
    pictures: Numbers
    by_folder: bool = False

    @property
    def order(self) -> Numbers:
        """The indices of the images as they are stored: those to train on, then those to test with."""
        return np.concatenate([np.flatnonzero(~self.testing), np.flatnonzero(self.testing)])

    @property
    def different(self) -> tuple[int, int]:
        """The numbers of different pictures to train on and to test with."""
        return count_sides(self.testing, self.pictures)

    def explain(self, instead: str = "folders train and test") -> str:
        """Say what groups there are, what became of them, and what would decide `instead`.

        Empty without groups, or if folders decided.
        """
        if self.by_folder:
            return ""
        _, sizes = np.unique(self.leaders, return_counts=True)
        groups, grouped, count = int((sizes > 1).sum()), int(sizes[sizes > 1].sum()), len(self.leaders)
        words = []
        if groups:
            share = f"{count:,} images" if grouped == count else f"{grouped:,} of {count:,} images"
            words.append(
                f"{share} in {groups:,} group{'s' if groups > 1 else ''} of near-equal ones; groups stay together"
            )
        if self.alike:
            words.append(
                f"{self.alike:,} of {count:,} images look alike, too many to keep them together: they are divided one "
                "by one, and images to test with look like some to train on"
            )
        return f"near-duplicates: {'; '.join(words)} ({instead} would decide instead)" if words else ""


def divide(images: list[Decoded]) -> Division:
    """Divide the images of files into those to train on and those to test with.

    Where all images lie in folders named after splits, the folders decide, elsewhere `divide_alike`; the boxes of a
    photo stay together.
    """
    files, pixels = (np.array(each) for each in zip(*((image.file, image.pixels) for image in images), strict=True))
    thumbnails = np.stack([image.thumbnail for image in images])
    decided = [image.item.testing for image in images]
    testing = None if None in decided else np.array(decided, np.bool_)
    return divide_alike(files, thumbnails, pixels, group_duplicates(thumbnails), testing)


def divide_alike(
    files: Numbers,
    thumbnails: Thumbnails,
    pixels: Numbers,
    found: Numbers,
    decided: NDArray[np.bool_] | None = None,
) -> Division:
    """Divide N images by hashes: about one in five is for testing, and images that are nearly the same are on one side.

    Images that look alike are only kept together if there is something else to test with: they are not if they are more
    than half of all, or if there would be fewer than `FEWEST_GROUPS` groups.

    Args:
        files: the hashes that decide, [N]; images with the same one stay together.
        thumbnails: of the images, uint8 [N, 16, 17].
        pixels: the hashes of their pixels, [N].
        found: what `group_duplicates` finds among the thumbnails, [N].
        decided: whether each is for testing, bool [N], where folders say so; then nothing is divided here.
    """
    pictures = _find_identical(thumbnails, pixels)
    leaders = _dissolve_subject(_connect(found, pictures), pictures)
    if decided is not None:
        return Division(decided, leaders, 0, pictures, True)
    testing = divide_groups(files, _connect(leaders, files), pictures)
    if len(np.unique(leaders)) < FEWEST_GROUPS or min(count_sides(testing, pictures)) < LEAST:
        leaders = pictures
        testing = divide_groups(files, _connect(leaders, files), pictures)
    alike = int((_measure(found) > _measure(leaders)).sum())
    return Division(testing, leaders, alike, pictures)


def divide_samples(samples: Split, instead: str) -> tuple[tuple[Split, Split], tuple[str, ...]]:
    """Keep about one sample of an array in five for testing, near-equal images on one side; say which there are.

    The message says what would decide `instead`.
    """
    if samples.samples.ndim == 2:
        return split_by_content(samples.samples, samples.labels), ()
    pixels = samples.samples.numpy()
    hashes = np.array([hash_content(image.tobytes()) for image in pixels], np.int64)
    gray = pixels if pixels.shape[1] in MODES else pixels.mean(1, keepdims=True).astype(np.uint8)
    thumbnails = np.stack([make_thumbnail(image) for image in gray])
    division = divide_alike(hashes, thumbnails, hashes, _group(thumbnails))
    said = division.explain(instead)
    return samples.divide(torch.from_numpy(division.testing)), (said,) if said else ()


def _group(thumbnails: Thumbnails) -> Numbers:
    """Group near-duplicates, or load what was found before where that takes long."""
    if len(thumbnails) < MANY:
        return group_duplicates(thumbnails)
    file = cache_folder() / f"{hashlib.blake2b(thumbnails.tobytes(), digest_size=16).hexdigest()}-groups.npy"
    with suppress(OSError, ValueError):
        return np.asarray(np.load(file), np.int64)
    found = group_duplicates(thumbnails)
    with suppress(OSError):  # a cache that cannot be written costs time at the next opening, nothing else
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as stream:
            np.save(stream, found)
    return found


def _find_identical(thumbnails: Thumbnails, pixels: Numbers) -> Numbers:
    """Return for each image the index of the first one with the same pixels."""
    _, first, inverse = np.unique(pixels, return_index=True, return_inverse=True)
    firsts = first[inverse]
    same = (thumbnails[firsts] == thumbnails).all((1, 2))  # as different pixels may have the same hash
    return np.where(same, firsts, np.arange(len(pixels)))


def _dissolve_subject(leaders: Numbers, pictures: Numbers) -> Numbers:
    """Dissolve the group that holds more than half of all images, unless it is small, into those of the same pixels."""
    sizes = _measure(leaders)
    return np.where(sizes > max(LARGEST_GROUP, len(leaders) / 2), pictures, leaders)


def _measure(groups: Numbers) -> Numbers:
    """Return the size of the group of each image."""
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse])


def _connect(one: Numbers, other: Numbers) -> Numbers:
    """Join groups of either kind that share an image; return the index of the first image of each one's group."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(one)
    ends = [np.unique(groups, return_index=True, return_inverse=True)[1:] for groups in (one, other)]
    edges = np.concatenate([firsts[inverse] for firsts, inverse in ends])
    graph = coo_array((np.ones(2 * count, np.bool_), (np.tile(np.arange(count), 2), edges)), shape=(count, count))
    _, groups = connected_components(graph, directed=False)
    return np.asarray(np.unique(groups, return_index=True)[1][groups])
