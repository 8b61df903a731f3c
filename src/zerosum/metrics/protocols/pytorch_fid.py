"""pytorch-fid (Seitzer 2020)."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from zerosum.metrics.protocols import SIDE, Protocol


class PytorchFid(Protocol, name="pytorch-fid"):
    """Bilinear between pixels' middles, in the network and without antialiasing, of values in [0, 1]; then 2 x - 1."""

    program: ClassVar[str] = "pytorch-fid 0.3.0"
    resizer: ClassVar[str] = "bilinear to 299x299 without antialiasing, as pytorch-fid"
    metrics: ClassVar[tuple[str, ...]] = ("frechet-distance",)

    def prepare(self, images: Tensor) -> Tensor:
        """Bring uint8 [N, 3, H, W] to float32 [N, 3, 299, 299]."""
        large = F.interpolate(images.float() / 255, (SIDE, SIDE), mode="bilinear", align_corners=False)
        return 2 * large - 1
