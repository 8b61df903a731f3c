"""Find near-duplicates by a perceptual hash and confirm them by comparing thumbnails.

The splits keep near-duplicates together, mirrored ones too, as training may mirror images.
"""

import numpy as np
from numpy.typing import NDArray

from zerosum.data.packs.decode import Pixels, shrink_to_gray

# Measured on 195 photos at 64x64, saved again as JPEG (quality 30, 50, 90), 3 pixels or half smaller: copies differed
# in up to 24 bits and 0.063 of the contrast, different photos in 57 bits and 0.75 or more. Of 20,000 MNIST digits none
# is taken for a copy or a mirror image of another; of 1,950 photos all mirror images are found.
SIDE = 16
NOISE = 2  # gray levels that compression adds or takes
CANDIDATES = 32  # of 256 bits
ALIKE, MOST_GAIN, TINY = 0.1, 1.5, 1e-3  # of the contrast; between two contrasts; where there is none
NEIGHBOURS = 3
BAND_BYTES = 2


def make_thumbnail(pixels: Pixels) -> NDArray[np.uint8]:
    """Shrink an image [C, H, W] to gray [16, 17], the form in which images are compared."""
    return shrink_to_gray(pixels, SIDE + 1, SIDE)


def hash_perceptually(thumbnails: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Hash thumbnails [N, 16, 17] to [N, 32] bytes: one bit for each place that is darker than its right neighbour.

    This is dHash (Krawetz 2013), except that differences within the noise do not count.
    """
    rise = np.diff(thumbnails.astype(np.int16), axis=2) > NOISE
    return np.packbits(rise.reshape(len(rise), -1), axis=1)


def group_duplicates(thumbnails: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return for each of N thumbnails [N, 16, 17] the index of the first one in its group of near-duplicates.

    Most images are a group of their own. Two images are compared, also with one of them mirrored, if their hashes agree
    in one of sixteen bands and are near in its order, so the work grows with N log N. Groups are the connected
    components of the pairs that are alike.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(thumbnails)
    one, other = _find_pairs(np.concatenate([thumbnails, thumbnails[:, :, ::-1]])) % count
    graph = coo_array((np.ones(len(one), np.bool_), (one, other)), shape=(count, count))
    _, groups = connected_components(graph, directed=False)
    _, firsts = np.unique(groups, return_index=True)
    return np.asarray(firsts[groups])


def _find_pairs(thumbnails: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Find pairs of thumbnails that are alike, as indices [2, pairs]; a pair may occur several times."""
    hashes = hash_perceptually(thumbnails)
    pairs = [np.empty((2, 0), np.int64)]
    for band in range(0, hashes.shape[1], BAND_BYTES):
        order = np.lexsort((*hashes.T[::-1], *hashes[:, band : band + BAND_BYTES].T))
        for distance in range(1, NEIGHBOURS + 1):
            one, other = order[:-distance], order[distance:]
            near = np.bitwise_count(hashes[one] ^ hashes[other]).sum(1) <= CANDIDATES
            one, other = one[near], other[near]
            pairs.append(np.stack([one, other])[:, _are_alike(thumbnails[one], thumbnails[other])])
    return np.concatenate(pairs, axis=1)


def _are_alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return whether each of `one` differs little from its partner in `other`, compared with their contrast.

    Brightness does not count, nor does the contrast itself up to a factor of `MOST_GAIN`.
    """
    first, second = (each - each.mean((1, 2), dtype=np.float32, keepdims=True) for each in (one, other))
    contrasts = np.stack([each.std((1, 2)) for each in (first, second)])
    gain = np.clip(contrasts[0] / np.maximum(contrasts[1], TINY), 1 / MOST_GAIN, MOST_GAIN)
    difference = first - second * gain[:, None, None]
    return np.asarray(np.sqrt(np.square(difference).mean((1, 2))) <= ALIKE * contrasts.min(0))
