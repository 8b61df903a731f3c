"""clean-fid (Parmar et al. 2022), in its mode `clean`."""

from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.metrics.protocols import SIDE, Protocol


class CleanFid(Protocol, name="clean-fid"):
    """Pillow's antialiased bicubic filter on each channel in float32, not rounded to bytes.

    Values are clipped to 0..255, and (x - 128) / 128 goes into the network.
    """

    program: ClassVar[str] = "clean-fid 0.1.35, mode clean"
    resizer: ClassVar[str] = "Pillow's bicubic to 299x299, antialiased, in float32, as clean-fid"
    metrics: ClassVar[tuple[str, ...]] = ("frechet-distance", "kernel-distance")
    least_subset: ClassVar[int] = 1_000

    def prepare(self, images: Tensor) -> Tensor:
        """Bring uint8 [N, 3, H, W] to float32 [N, 3, 299, 299]."""
        channels = images.cpu().flatten(0, 1).float().numpy()
        resized = [Image.fromarray(each).resize((SIDE, SIDE), Image.Resampling.BICUBIC) for each in channels]
        large = np.stack([np.asarray(each) for each in resized]).clip(0, 255)
        return (torch.from_numpy(large).view(len(images), -1, SIDE, SIDE).to(images.device) - 128) / 128
