"""Images' own pixels as features."""

from torch import Tensor

from zerosum.data import Source, to_float
from zerosum.errors import InputError
from zerosum.metrics.features import FeatureExtractor, Request

MOST = 4096


class Pixels(FeatureExtractor, name="pixels"):
    """Every value of every pixel in [-1, 1]: for small images."""

    name = "pixels"
    comparable = "scores in pixels, of the same data"

    @classmethod
    def open(cls, source: Source, request: Request) -> "Pixels":
        """Open it for small images."""
        values = source.train.samples[0].numel()
        if not source.is_images:
            raise InputError(f"{source.name} holds points, which have coordinates: --features coordinates")
        if values > MOST:
            raise InputError(f"images of {values:,} values are too large for --features pixels; at most {MOST:,}")
        return cls()

    def __call__(self, samples: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, C * H * W]."""
        return to_float(samples).flatten(1)
