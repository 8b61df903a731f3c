"""Dropout in the generator, when it is trained and when it is used: noise beside the latent code."""

import torch.nn.functional as F
from torch import Tensor, nn


class Dropout(nn.Module):
    """Dropout that evaluation mode does not switch off (Isola et al. 2017, section 3.1)."""

    def __init__(self, share: float) -> None:
        """`share` of the values, in [0, 1), is dropped; the others are divided by 1 - share."""
        super().__init__()
        self.share = share

    def forward(self, batch: Tensor) -> Tensor:
        """Any shape, from the random scope in force."""
        return F.dropout(batch, self.share, training=True)


def add_dropout(network: nn.Module, share: float) -> None:
    """Put `Dropout` after every rectifier layer of `network`, leaky or not."""
    for name, child in list(network.named_children()):
        if isinstance(child, nn.ReLU | nn.LeakyReLU):
            setattr(network, name, nn.Sequential(child, Dropout(share)))
        else:
            add_dropout(child, share)
