"""Dropout: in a discriminator while it learns, and in the generator when it is trained and when it is used."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 2**16  # of a random number


def dropped(batch: Tensor, share: float) -> Tensor:
    """`batch` with each value 0 with probability `share`, else divided by 1 - share; from the random scope in force.

    On a CPU `share` is rounded to a multiple of 2^-16. PyTorch draws a double for each value, one after the other, on
    CPUs that are not Intel's, and `paper-mnist` spent a tenth of its time on it; here four values share one draw.
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
        """`share` of the values, in [0, 1), is dropped; the others are divided by 1 - share."""
        super().__init__()
        self.share = share

    def forward(self, batch: Tensor) -> Tensor:
        """Any shape."""
        return dropped(batch, self.share) if self.training else batch


class LastingDropout(Dropout):
    """Dropout that evaluation mode does not switch off, as a source of noise (Isola et al. 2017, section 3.1)."""

    def forward(self, batch: Tensor) -> Tensor:
        """Any shape."""
        return dropped(batch, self.share)


def add_dropout(network: nn.Module, share: float) -> None:
    """Put `LastingDropout` after every rectifier layer of `network`, leaky or not."""
    for name, child in list(network.named_children()):
        if isinstance(child, nn.ReLU | nn.LeakyReLU):
            setattr(network, name, nn.Sequential(child, LastingDropout(share)))
        else:
            add_dropout(child, share)
