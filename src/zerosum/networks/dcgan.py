"""DCGAN (Radford et al. 2016): strided convolutions for images of any shape from 8x8 on, square or not."""

import math
from typing import ClassVar

from pydantic.dataclasses import dataclass
from torch import nn

from zerosum.networks import Networks, Shape, Size
from zerosum.networks.batch_norm import BatchNorm

DOUBLINGS = 3


@dataclass(frozen=True)
class DCGAN(Networks):
    """A stack of strided convolutions; each level halves the image and doubles the channels, from `width` to 8 `width`.

    The number of levels follows from the shape: the smallest level is 4 to 7 pixels along the shorter side.
    `discriminator_norm` off is faster (one pass over real and fake together) and lets the discriminator judge a
    sample by itself. Weights start from a normal distribution around 0 of deviation 0.02, the scales of the
    normalisation from one around 1, as in the released code.
    """

    paper: ClassVar[str] = "Radford et al. 2016"
    latent: Size = 100
    width: Size = 64
    generator_norm: bool = True
    discriminator_norm: bool = True

    @property
    def normalises_batches(self) -> bool:  # type: ignore[override]  # here it depends on a field
        """Whether the discriminator has batch normalisation."""
        return self.discriminator_norm

    def generator(self, shape: Shape, inputs: int) -> nn.Module:
        """Latents to the smallest level by a dense layer, then transposed convolutions up to the image, then tanh."""
        sizes = levels((shape[1], shape[2]))
        channels = [shape[0], *widths(self.width, len(sizes) - 1)]
        layers: list[nn.Module] = [
            nn.Linear(inputs, channels[-1] * math.prod(sizes[-1]), bias=not self.generator_norm),
            nn.Unflatten(1, (channels[-1], *sizes[-1])),
        ]
        for level in range(len(sizes) - 1, 0, -1):
            layers += [BatchNorm(channels[level])] if self.generator_norm else []
            layers += [nn.ReLU(inplace=True)]
            last = level == 1
            layers += [
                nn.ConvTranspose2d(
                    channels[level],
                    channels[level - 1],
                    kernel(sizes[level - 1]),
                    stride=2,
                    padding=1,
                    bias=last or not self.generator_norm,
                )
            ]
        return nn.Sequential(*layers, nn.Tanh())

    def trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """Strided convolutions with leaky rectifiers down to the smallest level, flattened."""
        sizes = levels((shape[1], shape[2]))
        channels = [shape[0], *widths(self.width, len(sizes) - 1)]
        layers: list[nn.Module] = []
        for level in range(1, len(sizes)):
            normalised = self.discriminator_norm and level > 1
            layers += [
                nn.Conv2d(
                    channels[level - 1],
                    channels[level],
                    kernel(sizes[level - 1]),
                    stride=2,
                    padding=1,
                    bias=not normalised,
                )
            ]
            layers += [BatchNorm(channels[level])] if normalised else []
            layers += [nn.LeakyReLU(0.2, inplace=True)]
        return nn.Sequential(*layers, nn.Flatten()), channels[-1] * math.prod(sizes[-1])

    def initialise(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """As DCGAN's released code does."""
        draw_normal(generator)
        draw_normal(discriminator)


def levels(size: tuple[int, int]) -> list[tuple[int, int]]:
    """The sizes (H, W) from `size` down to the smallest level, 4 to 7 along the shorter side; each half, rounded up."""
    sizes = [size]
    while min(sizes[-1]) >= 8:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes


def widths(first: int, count: int) -> list[int]:
    """The channels of `count` levels: each twice as many as that above it, from the fourth on all the same.

    Images of 64x64 pixels have four levels; larger ones would have a hundred million weights if it went on.
    """
    return [first * 2 ** min(level, DOUBLINGS) for level in range(count)]


def kernel(size: tuple[int, int]) -> tuple[int, int]:
    """The kernel with which stride 2 and padding 1 lead from `size` to its half and exactly back: 4, or 3 where odd."""
    return (4 - size[0] % 2, 4 - size[1] % 2)


def draw_normal(network: nn.Module) -> None:
    """Normal weights around 0, and scales of batch normalisation around 1, of deviation 0.02; biases at 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if not isinstance(module, nn.Embedding) and module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, BatchNorm):
            nn.init.normal_(module.weight, 1.0, 0.02)
