"""Which images show nearly the same: found by a perceptual hash, confirmed by small gray pictures of both.

So near-duplicates stay on one side of the split, mirrored ones too: training may mirror images.
"""

import numpy as np
from numpy.typing import NDArray

from zerosum.data.decode import Pixels, small_gray

# Measured on 195 photos at 64x64, saved again as JPEG (quality 30, 50, 90), 3 pixels or half smaller: copies differed
# in up to 24 bits and 0.063 of the contrast, different photos in 57 bits and 0.75 or more. Of 20,000 MNIST digits none
# is held for a copy, nor for a mirror image; of 1,950 photos all mirror images are.
SIDE = 16
NOISE = 2  # gray levels that compression adds or takes
CANDIDATES = 32  # of 256 bits
ALIKE = 0.1  # of the contrast
NEIGHBOURS = 3
BAND_BYTES = 2
LARGEST_GROUP = 20  # what looks alike more often is the subject (frames of a film, blank pages), not a copy


def thumbnail(pixels: Pixels) -> NDArray[np.uint8]:
    """An image [C, H, W] as gray [16, 17]: by these, images are compared."""
    return small_gray(pixels, SIDE + 1, SIDE)


def perceptual_hashes(thumbnails: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """For each of [N, 16, 17], whether each of 16x16 places is darker than the next to its right: [N, 32] bytes.

    dHash (Krawetz 2013), with differences within the noise left out.
    """
    rise = np.diff(thumbnails.astype(np.int16), axis=2) > NOISE
    return np.packbits(rise.reshape(len(rise), -1), axis=1)


def groups(thumbnails: NDArray[np.uint8]) -> NDArray[np.int64]:
    """For each of N thumbnails [N, 16, 17] the number of the first one in its group of near-duplicates; often its own.

    Two are compared, also with one of them mirrored, if their hashes agree in one of sixteen bands and are near in its
    order, so the work grows with N log N. Groups are connected by pairs that are alike. One of more than
    `LARGEST_GROUP` counts as no group.
    """
    count = len(thumbnails)
    thumbnails = np.concatenate([thumbnails, thumbnails[:, :, ::-1]])
    hashes = perceptual_hashes(thumbnails)
    leader = np.arange(count)

    def find(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = int(leader[number])
        return number

    for band in range(0, hashes.shape[1], BAND_BYTES):
        order = np.lexsort((*hashes.T[::-1], *hashes[:, band : band + BAND_BYTES].T))
        for distance in range(1, NEIGHBOURS + 1):
            one, other = order[:-distance], order[distance:]
            near = np.bitwise_count(hashes[one] ^ hashes[other]).sum(1) <= CANDIDATES
            one, other = one[near], other[near]
            alike = _alike(thumbnails[one], thumbnails[other])
            for first, second in zip(one[alike], other[alike], strict=True):
                low, high = sorted((find(int(first) % count), find(int(second) % count)))
                leader[high] = low
    leaders = np.array([find(number) for number in range(count)], dtype=np.int64)
    sizes = np.bincount(leaders, minlength=count)
    return np.where(sizes[leaders] > LARGEST_GROUP, np.arange(count), leaders)


def _alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each of `one` differs from that of `other` by little, compared with what both differ in themselves."""
    difference = one.astype(np.float32) - other
    contrast = np.minimum(one.std((1, 2), dtype=np.float32), other.std((1, 2), dtype=np.float32))
    return np.asarray(np.sqrt(np.square(difference).mean((1, 2))) <= ALIKE * contrast)
