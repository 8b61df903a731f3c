"""What is computed in float32, whatever precision the layers around it have."""

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def full(device: torch.device) -> AbstractContextManager[None]:
    """Inside, nothing is rounded to a lower precision on `device`; tensors that are shapes only have none."""
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)


class Logit(nn.Linear):
    """The last layer of every discriminator.

    In bfloat16 a logit near 16 comes in steps of 1/8, and relativistic games are about differences of logits.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Features [N, inputs] to logits [N, outputs]."""
        with full(features.device):
            return F.linear(features.float(), self.weight, self.bias)
