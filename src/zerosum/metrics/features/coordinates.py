"""Points' own coordinates as features, on one scale."""

import torch
from torch import Tensor

from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.metrics.features import FeatureExtractor, Request


class Coordinates(FeatureExtractor, name="coordinates"):
    """A point's coordinates, each over its standard deviation in the training split: no column outweighs another."""

    name = "coordinates over their standard deviations"
    comparable = "scores of points from the same distribution"

    def __init__(self, training: Tensor) -> None:
        """Take the scale of `training` [N, d]; a column that does not vary there keeps its own."""
        deviations = training.std(0)
        self._scale = torch.where(deviations > 0, deviations, 1.0)

    @classmethod
    def open(cls, source: Source, request: Request) -> "Coordinates":
        """Open it for points."""
        if source.is_images:
            raise InputError(f"{source.name} holds images, which have pixels: --features pixels")
        return cls(source.train.samples)

    def __call__(self, samples: Tensor) -> Tensor:
        """Turn [N, d] into [N, d]."""
        return samples / self._scale
