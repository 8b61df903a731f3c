"""The residual networks of SNGAN (Miyato et al. 2018, appendix B.4), for images of any shape."""

import math
from itertools import pairwise
from typing import ClassVar

import torch.nn.functional as F
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from zerosum.networks import Networks
from zerosum.networks.batch_norm import BatchNorm
from zerosum.networks.dcgan import list_sizes
from zerosum.types import Shape, Size


class Up(nn.Module):
    """Batch norm, rectifier, upsampling, convolution, batch norm, rectifier, convolution; with a 1x1 shortcut."""

    def __init__(self, inputs: int, channels: int, size: tuple[int, int]) -> None:
        """Set the `size` (H, W) of the result."""
        super().__init__()
        self.size = size
        self.norms = nn.ModuleList([BatchNorm(inputs), BatchNorm(channels)])
        self.convolutions = nn.ModuleList([nn.Conv2d(width, channels, 3, padding=1) for width in (inputs, channels)])
        self.shortcut = nn.Conv2d(inputs, channels, 1)
        self.rectifier = nn.ReLU()  # a module, so that `add_dropout` finds it

    def forward(self, batch: Tensor) -> Tensor:
        """Map [N, inputs, H', W'] to [N, channels, H, W]."""
        inner = self.convolutions[0](F.interpolate(self.rectifier(self.norms[0](batch)), self.size))
        inner = self.convolutions[1](self.rectifier(self.norms[1](inner)))
        summed: Tensor = self.shortcut(F.interpolate(batch, self.size)) + inner
        return summed


class Down(nn.Module):
    """Rectifier, convolution, rectifier, convolution, then mean pooling if `halve`; with a 1x1 shortcut.

    Between the two convolutions, there are as many channels as before them, as in the released code.
    """

    def __init__(self, inputs: int, channels: int, *, halve: bool, first: bool = False) -> None:
        """Build the convolutions; if `first`, the input is the image and is not rectified."""
        super().__init__()
        self.halve, self.first = halve, first
        inner = channels if first else inputs
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(inputs, inner, 3, padding=1), nn.Conv2d(inner, channels, 3, padding=1)]
        )
        self.shortcut = nn.Conv2d(inputs, channels, 1) if halve or inputs != channels else nn.Identity()

    def forward(self, batch: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, channels, H, W], or to half the size, rounded up."""
        inner = self.convolutions[0](batch if self.first else F.relu(batch))
        inner = self.convolutions[1](F.relu(inner))
        summed: Tensor = self.shortcut(batch) + inner
        return F.avg_pool2d(summed, 2, ceil_mode=True) if self.halve else summed


@dataclass(frozen=True)
class ResNet(Networks, name="resnet"):
    """A residual block per doubling in the generator; halving blocks and two plain ones in the discriminator.

    `width` channels in the discriminator (128 in the paper), twice as many in the generator (256), as in the paper's
    tables 3 and 4 for 32x32 pixels. If `tapered`, after its tables for larger images: `width` channels at the image's
    size (64 in the paper) and twice as many at each smaller one, in both, and one plain block. Meant for spectral
    normalisation and the hinge game.
    """

    paper: ClassVar[str] = "Miyato et al. 2018, appendix B.4"
    latent: Size = 128
    width: Size = 128
    tapered: bool = False

    def build_generator(self, shape: Shape, inputs: int) -> nn.Module:
        """Build a dense layer to the smallest size, residual blocks up to the image, batch norm, convolution, tanh."""
        sizes = list_sizes((shape[1], shape[2]))
        widths = self._list_widths(len(sizes)) if self.tapered else [2 * self.width] * len(sizes)
        layers: list[nn.Module] = [
            nn.Linear(inputs, widths[-1] * math.prod(sizes[-1])),
            nn.Unflatten(1, (widths[-1], *sizes[-1])),
        ]
        layers += [Up(widths[k + 1], widths[k], sizes[k]) for k in reversed(range(len(sizes) - 1))]
        layers += [BatchNorm(widths[0]), nn.ReLU(inplace=True), nn.Conv2d(widths[0], shape[0], 3, padding=1), nn.Tanh()]
        return nn.Sequential(*layers)

    def build_trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """Build halving blocks down to about 8 pixels (4 if tapered), plain blocks, rectifier, sum over the places."""
        smaller = len(list_sizes((shape[1], shape[2]))) - 1
        halvings, plain = (smaller, 1) if self.tapered else (max(1, smaller - 1), 2)
        widths = self._list_widths(halvings + plain)
        blocks = [
            Down(inputs, channels, halve=block < halvings, first=block == 0)
            for block, (inputs, channels) in enumerate(pairwise([shape[0], *widths]))
        ]
        return nn.Sequential(*blocks, nn.ReLU(inplace=True), SumPool()), widths[-1]

    def _list_widths(self, count: int) -> list[int]:
        """List the channels at `count` sizes, the largest size first."""
        return [self.width << level if self.tapered else self.width for level in range(count)]

    def initialise(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """Draw Glorot's uniform weights, with gain sqrt 2 inside the blocks and 1 elsewhere, as the released code."""
        for network in (generator, discriminator):
            inside = {id(m) for b in network.modules() if isinstance(b, Up | Down) for m in b.convolutions.modules()}
            for module in network.modules():
                if isinstance(module, nn.Linear | nn.Conv2d):
                    nn.init.xavier_uniform_(module.weight, gain=2**0.5 if id(module) in inside else 1.0)
                    if module.bias is not None:
                        nn.init.zeros_(module.bias)
                elif isinstance(module, nn.Embedding):
                    nn.init.xavier_uniform_(module.weight)


class SumPool(nn.Module):
    """Global sum pooling."""

    def forward(self, batch: Tensor) -> Tensor:
        """Map [N, C, H, W] to [N, C]."""
        return batch.sum((2, 3))
