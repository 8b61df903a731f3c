"""Fixed random convolutions: for images of any kind, without labels and without a download."""

import torch
from torch import Tensor, nn

from zerosum import randomness
from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.metrics.features import FeatureExtractor, Request, apply_in_batches
from zerosum.types import Shape

BATCH = 100


class Quarters(nn.Module):
    """Means over a grid of 2x2 windows, which share their middle row or column where a side is odd.

    Equal to PyTorch's adaptive pooling, which Apple's GPUs have for even sides only.
    """

    def forward(self, batch: Tensor) -> Tensor:
        """Average [N, C, H, W] to [N, C, 2, 2]."""
        rows, columns = map(_halves, batch.shape[2:])
        means = [batch[:, :, row, column].mean((2, 3)) for row in rows for column in columns]
        return torch.stack(means, 2).view(*batch.shape[:2], 2, 2)


def _halves(count: int) -> tuple[slice, slice]:
    """Return both halves of so many rows or columns; an odd one in the middle is in both."""
    return slice((count + 1) // 2), slice(count // 2, None)


class RandomConvolutions(FeatureExtractor, name="random-convolutions"):
    """Four convolutions with fixed random weights, averaged over a 2x2 grid: 256 features for images of any shape."""

    name = "random-convolutions-32-64-64-64-mean2x2 (seed 0)"
    batch = BATCH
    comparable = "scores in these random features, of the same data; it is no FID"
    blind = "These features see colours and textures and no shapes: shuffled patches of photos are as good as photos"

    def __init__(self, shape: Shape, device: torch.device) -> None:
        """Draw the weights for images of `shape` (C, H, W)."""
        layers: list[nn.Module] = []
        channels = shape[0]
        with randomness.scope(0, 0, "random convolutions"):
            for width, stride in ((32, 1), (64, 2), (64, 2), (64, 1)):
                convolution = nn.Conv2d(channels, width, 3, stride, 1)
                nn.init.kaiming_normal_(convolution.weight, a=0.2)
                layers += [convolution, nn.LeakyReLU(0.2)]
                channels = width
        self._network = nn.Sequential(*layers, Quarters(), nn.Flatten()).eval().to(device)
        self._device = device

    @classmethod
    def open(cls, source: Source, request: Request) -> "RandomConvolutions":
        """Open it for images."""
        if not source.is_images:
            raise InputError(f"{source.name} holds points, which have coordinates: --features coordinates")
        return cls(source.shape, request.device)

    def __call__(self, samples: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, 256]."""
        return apply_in_batches(self._network, samples, BATCH, self._device)
