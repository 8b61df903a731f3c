"""Batch normalisation whose statistics are measured once, on the finished generator, not tracked during training.

PyTorch's running statistics change in every forward pass, also in the update of the *other* player, and they belong to
the live weights, not to the averaged ones. Here a forward pass in training has no side effect, and `calibrate` measures
the statistics of a finished network ("standing statistics", Brock et al. 2019, section 4.1).
"""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation over [N, C, H, W] by the batch's statistics in training, by calibrated ones in evaluation."""

    def __init__(self, channels: int) -> None:
        """Set momentum to None, so that PyTorch's running statistics are the plain mean over the batches."""
        super().__init__(channels, momentum=None)
        self.calibrating = False

    def forward(self, batch: Tensor) -> Tensor:
        """Normalise each channel, then scale and shift it."""
        if self.training and not self.calibrating:
            return F.batch_norm(batch, None, None, self.weight, self.bias, training=True, eps=self.eps)
        return super().forward(batch)


@torch.no_grad()
def calibrate(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set the statistics of every `BatchNorm` in `network` to their mean over the `batches`; switch to evaluation."""
    layers = [module for module in network.modules() if isinstance(module, BatchNorm)]
    if layers:
        network.train()
        for layer in layers:
            layer.reset_running_stats()
            layer.calibrating = True
        for batch in batches:
            network(batch)
        for layer in layers:
            layer.calibrating = False
    network.eval()
