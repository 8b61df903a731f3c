"""The residual networks of SNGAN (Miyato et al. 2018, appendix B.4, tables 3 and 4), for images of any shape."""

from typing import ClassVar

import torch.nn.functional as F
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from zerosum.networks import Networks, Shape, Size
from zerosum.networks.batch_norm import BatchNorm
from zerosum.networks.dcgan import levels


class Up(nn.Module):
    """Batch norm, rectifier, enlargement, convolution, batch norm, rectifier, convolution; a 1x1 shortcut around it."""

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        """`size`: (H, W) of the result."""
        super().__init__()
        self.size = size
        self.norms = nn.ModuleList([BatchNorm(channels), BatchNorm(channels)])
        self.convolutions = nn.ModuleList([nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2)])
        self.shortcut = nn.Conv2d(channels, channels, 1)

    def forward(self, batch: Tensor) -> Tensor:
        """[N, channels, H', W'] to [N, channels, H, W]."""
        inner = self.convolutions[0](F.interpolate(F.relu(self.norms[0](batch)), self.size))
        inner = self.convolutions[1](F.relu(self.norms[1](inner)))
        summed: Tensor = self.shortcut(F.interpolate(batch, self.size)) + inner
        return summed


class Down(nn.Module):
    """Rectifier, convolution, rectifier, convolution, mean pooling if wanted; around it a 1x1 convolution."""

    def __init__(self, inputs: int, channels: int, *, halve: bool, first: bool = False) -> None:
        """`first`: the image itself is not rectified."""
        super().__init__()
        self.halve, self.first = halve, first
        self.convolutions = nn.ModuleList([nn.Conv2d(width, channels, 3, padding=1) for width in (inputs, channels)])
        self.shortcut = nn.Conv2d(inputs, channels, 1) if halve or first else nn.Identity()

    def forward(self, batch: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, channels, H, W], or half the size, rounded up."""
        inner = self.convolutions[0](batch if self.first else F.relu(batch))
        inner = self.convolutions[1](F.relu(inner))
        summed: Tensor = self.shortcut(batch) + inner
        return F.avg_pool2d(summed, 2, ceil_mode=True) if self.halve else summed


@dataclass(frozen=True)
class ResNet(Networks):
    """A residual block per doubling in the generator; halving and two plain blocks in the discriminator.

    `width` channels in the discriminator (128 in the paper), twice as many in the generator (256). Meant for spectral
    normalisation and the hinge game.
    """

    paper: ClassVar[str] = "Miyato et al. 2018, appendix B.4"
    latent: Size = 128
    width: Size = 128

    def generator(self, shape: Shape, inputs: int) -> nn.Module:
        """Dense layer to the smallest size, residual blocks up to the image, then batch norm, convolution, tanh."""
        sizes, channels = levels((shape[1], shape[2])), 2 * self.width
        layers: list[nn.Module] = [
            nn.Linear(inputs, channels * sizes[-1][0] * sizes[-1][1]),
            nn.Unflatten(1, (channels, *sizes[-1])),
        ]
        layers += [Up(channels, size) for size in reversed(sizes[:-1])]
        layers += [BatchNorm(channels), nn.ReLU(inplace=True), nn.Conv2d(channels, shape[0], 3, padding=1), nn.Tanh()]
        return nn.Sequential(*layers)

    def trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """Halving blocks down to about 8 pixels, two plain blocks, rectifier, sum over the places."""
        halvings = max(1, len(levels((shape[1], shape[2]))) - 2)
        layers: list[nn.Module] = [Down(shape[0], self.width, halve=True, first=True)]
        layers += [Down(self.width, self.width, halve=True) for _ in range(halvings - 1)]
        layers += [Down(self.width, self.width, halve=False) for _ in range(2)]
        return nn.Sequential(*layers, nn.ReLU(inplace=True), Sum()), self.width

    def initialise(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """Glorot's uniform, with gain sqrt 2 inside the blocks and 1 elsewhere, as the released code."""
        for network in (generator, discriminator):
            inside = {id(m) for b in network.modules() if isinstance(b, Up | Down) for m in b.convolutions.modules()}
            for module in network.modules():
                if isinstance(module, nn.Linear | nn.Conv2d):
                    nn.init.xavier_uniform_(module.weight, gain=2**0.5 if id(module) in inside else 1.0)
                    if module.bias is not None:
                        nn.init.zeros_(module.bias)


class Sum(nn.Module):
    """Global sum pooling."""

    def forward(self, batch: Tensor) -> Tensor:
        """[N, C, H, W] to [N, C]."""
        return batch.sum((2, 3))
