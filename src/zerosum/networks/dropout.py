"""Dropout in a discriminator during training, and in a generator both in training and in sampling."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 2**16  # values of the random number that each input gets


def drop(batch: Tensor, share: float) -> Tensor:
    """Set each value to 0 with probability `share`, else divide it by 1 - share; draw from the current random scope.

    On a CPU `share` is rounded to a multiple of 2^-16. On CPUs other than Intel's, PyTorch draws a double for each
    value, one after the other, on which `paper-mnist` spent a tenth of its time; here four values share one draw.
    """
    if batch.device.type != "cpu":
        return F.dropout(batch, share)
    draws = torch.empty((batch.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    lowest = min(round(share * LEVELS), LEVELS - 1)
    kept = draws[: batch.numel()].view_as(batch) >= lowest - LEVELS // 2
    return batch * (kept * torch.tensor(LEVELS / (LEVELS - lowest), dtype=batch.dtype))


class Dropout(nn.Module):
    """Dropout that evaluation mode switches off (Srivastava et al. 2014)."""

    def __init__(self, share: float) -> None:
        """Set the `share` of values to drop, in [0, 1); the others are divided by 1 - share."""
        super().__init__()
        self.share = share

    def forward(self, batch: Tensor) -> Tensor:
        """Drop values of a tensor of any shape."""
        return drop(batch, self.share) if self.training else batch


class LastingDropout(Dropout):
    """Dropout that evaluation mode does not switch off, as a source of noise (Isola et al. 2017, section 3.1)."""

    def forward(self, batch: Tensor) -> Tensor:
        """Drop values of a tensor of any shape."""
        return drop(batch, self.share)


def add_dropout(network: nn.Module, share: float) -> None:
    """Insert `LastingDropout` after every rectifier layer of `network`, leaky or not."""
    for name, child in list(network.named_children()):
        if isinstance(child, nn.ReLU | nn.LeakyReLU):
            setattr(network, name, nn.Sequential(child, LastingDropout(share)))
        else:
            add_dropout(child, share)
