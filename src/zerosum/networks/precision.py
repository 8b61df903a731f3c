"""Computations in float32, whatever precision the layers around them have."""

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def disable_autocast(device: torch.device) -> AbstractContextManager[None]:
    """Keep PyTorch from lowering the precision on `device` inside the block; the device `meta` has no autocast."""
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)


class Logit(nn.Linear):
    """The last layer of every discriminator.

    It computes in float32: in bfloat16 logits near 16 are multiples of 1/8, and relativistic games use differences of
    logits.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Map features [N, inputs] to logits [N, outputs]."""
        with disable_autocast(features.device):
            return F.linear(features.float(), self.weight, self.bias)
