"""Examples: the images to look at when two sets are compared, found by the nearest neighbours that scores rest on."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.metrics import SampleSet
from zerosum.metrics.memorisation import find_closest
from zerosum.metrics.neighbours import NEIGHBOURS, find_radii


@dataclass(frozen=True, eq=False)
class Examples:
    """Images [n, C, H, W] of two sets; each of the last four has at most as many as were asked for.

    Attributes:
        fake: samples, not chosen.
        real: real images, not chosen.
        alike: the samples nearest to a real image that their maker may have seen, each followed by that image: pairs.
        lonely: the samples that lie in no real image's ball, the farthest from any real image first.
        missed: the real images in whose ball no sample lies, the farthest first, in units of the ball's radius.
        lonely_share: how many of the samples are lonely: 1 - precision.
        missed_share: how many of the real images are missed: 1 - coverage.
    """

    fake: Tensor
    real: Tensor
    alike: Tensor
    lonely: Tensor
    missed: Tensor
    lonely_share: float
    missed_share: float

    @classmethod
    def choose(
        cls, fake: SampleSet, real: SampleSet, seen: SampleSet, mirrored: Tensor | None, count: int
    ) -> "Examples":
        """Choose `count` images of each kind, if there are as many.

        Args:
            fake: the samples.
            real: what they are compared with, as many of them as there are samples or fewer.
            seen: the real images that the samples' maker may have seen.
            mirrored: the features of the mirror images of `seen`, [N, D], if these were seen as well.
            count: of each kind; half as many pairs.
        """
        fewest = min(len(fake), len(real))
        fakes, reals = fake.take(fewest), real.take(fewest)
        found = _Nearest.of(fakes.features.numpy(), reals.features.numpy())
        pairs = find_closest(fake, seen, mirrored, count // 2)
        return cls(
            fake=fake.samples[:count],
            real=real.samples[:count],
            alike=torch.stack(pairs, 1).flatten(0, 1),
            lonely=fakes.samples[_largest(found.away, found.lonely, count)],
            missed=reals.samples[_largest(found.reach, found.missed, count)],
            lonely_share=float(found.lonely.mean()),
            missed_share=float(found.missed.mean()),
        )


@dataclass(frozen=True, eq=False)
class _Nearest:
    """How far N samples and M real images are from each other.

    Attributes:
        away: the distance from each sample to the nearest real image, [N].
        lonely: whether a sample lies in no real image's ball, [N].
        reach: the distance from each real image to the nearest sample, over the radius of its ball, [M].
        missed: whether no sample lies in a real image's ball, [M].
    """

    away: NDArray[np.float64]
    lonely: NDArray[np.bool_]
    reach: NDArray[np.float64]
    missed: NDArray[np.bool_]

    @classmethod
    def of(cls, fake: NDArray[np.float32], real: NDArray[np.float32]) -> "_Nearest":
        """Measure it on the features [N, D] and [M, D]."""
        from sklearn.metrics import pairwise_distances_chunked

        radii = find_radii(real, NEIGHBOURS)
        away, lonely, nearest = [], [], np.full(len(real), np.inf)
        for distances in pairwise_distances_chunked(fake, real, working_memory=64):
            away.append(distances.min(axis=1))
            lonely.append(~(distances < radii).any(axis=1))
            nearest = np.minimum(nearest, distances.min(axis=0))
        reach = nearest / np.maximum(radii, np.finfo(np.float32).tiny)
        return cls(np.concatenate(away), np.concatenate(lonely), reach, ~(nearest < radii))


def _largest(values: NDArray[np.float64], allowed: NDArray[np.bool_], count: int) -> Tensor:
    """Find the places of the `count` largest of the values that are allowed, the largest first."""
    order = np.argsort(-np.where(allowed, values, -np.inf), kind="stable")
    return torch.from_numpy(order[: min(count, int(allowed.sum()))].copy())
