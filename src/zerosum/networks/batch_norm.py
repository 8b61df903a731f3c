"""Batch normalisation whose statistics are measured once, for the generator that is used, not tracked while training.

PyTorch's running statistics are changed by every forward pass, also by the one in which the *other* player learns, and
they belong to the live weights, not to the averaged ones. Here a training pass changes nothing but its output, and
`calibrate` measures the statistics of a finished network ("standing statistics", Brock et al. 2019, section 4.1).
"""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation over [N, C, H, W]: the batch's statistics when training, calibrated ones in evaluation."""

    def __init__(self, channels: int) -> None:
        """`momentum=None` makes PyTorch's running statistics the plain mean over the batches seen."""
        super().__init__(channels, momentum=None)
        self.calibrating = False

    def forward(self, batch: Tensor) -> Tensor:
        """Normalise each channel, then scale and shift it."""
        if self.training and not self.calibrating:
            return F.batch_norm(batch, None, None, self.weight, self.bias, training=True, eps=self.eps)
        return super().forward(batch)


@torch.no_grad()
def calibrate(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Put `network` into evaluation, the statistics of every `BatchNorm` in it set to their mean over the `batches`."""
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
