"""Points' own coordinates as features."""

from torch import Tensor

from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.metrics.features import FeatureExtractor, Request


class Coordinates(FeatureExtractor, name="coordinates"):
    """A point's own coordinates."""

    name = "coordinates"
    comparable = "scores of points from the same distribution"

    @classmethod
    def open(cls, source: Source, request: Request) -> "Coordinates":
        """Open it for points."""
        if source.is_images:
            raise InputError(f"{source.name} holds images, which have pixels: --features pixels")
        return cls()

    def __call__(self, samples: Tensor) -> Tensor:
        """Return the points."""
        return samples
