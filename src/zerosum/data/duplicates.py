"""Which images show nearly the same, by a perceptual hash: so that near-duplicates stay on one side of the split."""

import numpy as np
from numpy.typing import NDArray

from zerosum.data.decode import Pixels, small_gray

SIDE = 16
BITS = SIDE * SIDE
NEAR = 12  # of 256 bits: another compression or a small retouch; another photo differs in about half of them
BAND_BYTES = 2
LARGEST_GROUP = 20  # what looks alike more often is the subject (digits, icons), not a copy


def perceptual_hash(pixels: Pixels) -> bytes:
    """Whether each of 16x16 places is brighter than the next to its right, as 32 bytes (dHash, Krawetz 2013)."""
    small = small_gray(pixels, SIDE + 1, SIDE)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes()


def groups(hashes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """For each of N hashes [N, 32] the number of the first one in its group of near-duplicates; often its own.

    Two hashes are compared if they agree in one of sixteen bands and are neighbours in its order, so the work grows
    with N log N; a group is what is connected by pairs that differ in at most `NEAR` bits.
    """
    leader = np.arange(len(hashes))

    def find(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = int(leader[number])
        return number

    for band in range(0, hashes.shape[1], BAND_BYTES):
        order = np.lexsort((*hashes.T[::-1], *hashes[:, band : band + BAND_BYTES].T))
        one, other = order[:-1], order[1:]
        near = np.bitwise_count(hashes[one] ^ hashes[other]).sum(1) <= NEAR
        for first, second in zip(one[near], other[near], strict=True):
            low, high = sorted((find(int(first)), find(int(second))))
            leader[high] = low
    leaders = np.array([find(number) for number in range(len(hashes))], dtype=np.int64)
    sizes = np.bincount(leaders, minlength=len(hashes))
    return np.where(sizes[leaders] > LARGEST_GROUP, np.arange(len(hashes)), leaders)
