"""Features of EfficientNet-Lite0, trained on ImageNet: sees shapes, and comes with zerosum's packages."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.metrics.features import FeatureExtractor, Request, apply_in_batches
from zerosum.networks import efficientnet

BATCH, SIDE = 16, 128
TAPPED = 10, 15  # the last blocks of the stages of 112 and of 320 channels


class EfficientNetLite0(FeatureExtractor, name="efficientnet", aliases={"efficientnet-lite0": {}}):
    """Spatial means of the stages of 112 and of 320 channels, at 128 pixels: 432 features of gray or colour images."""

    name = "efficientnet-lite0, 432 features"
    comparable = "scores in these features of EfficientNet-Lite0 at 128 pixels, of the same data; it is no FID"
    blind = "Pictures of nothing, as fog and noise, are all far from real ones here, but in no order"
    better = "For figures that compare with papers: --features inception"
    batch = BATCH
    costly = slow = True
    resizer = "bilinear to 128x128, antialiased"

    def __init__(self, weights: dict[str, Tensor], device: torch.device) -> None:
        """Build the network from the published `weights`."""
        self._network = _Means(weights).eval().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device

    @classmethod
    def open(cls, source: Source, request: Request) -> "EfficientNetLite0":
        """Load the weights.

        Raises:
            InputError: the samples are no gray or colour images, or the weights are not there.
        """
        if not source.is_images or source.shape[0] not in (1, 3):
            raise InputError(
                f"EfficientNet sees gray and colour images; {source.name} has samples {list(source.shape)}"
            )
        return cls(efficientnet.read_weights(), request.device)

    def __call__(self, samples: Tensor) -> Tensor:
        """Turn uint8 [N, 1 or 3, H, W] into [N, 432]."""
        return apply_in_batches(self._network, samples, BATCH, self._device)


class _Means(nn.Module):
    """Spatial means of the tapped maps."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.network = efficientnet.EfficientNetLite0(weights, TAPPED)

    def forward(self, images: Tensor) -> Tensor:
        """Turn [N, 1 or 3, H, W] in [-1, 1] into [N, 432]."""
        large = F.interpolate(
            images.contiguous(memory_format=torch.channels_last),
            (SIDE, SIDE),
            mode="bilinear",
            antialias=True,
            align_corners=False,
        )
        return torch.cat([each.mean((2, 3)) for each in self.network(large)], 1)
