"""DCGAN (Radford et al. 2016): strided convolutions for images of any shape from 8x8 on, square or not."""

import math
from typing import ClassVar

from pydantic.dataclasses import dataclass
from torch import nn

from zerosum.networks import Networks
from zerosum.networks.batch_norm import BatchNorm
from zerosum.types import Shape, Size

DOUBLINGS = 3


@dataclass(frozen=True)
class DCGAN(Networks, name="dcgan"):
    """Strided convolutions; each level halves the image and doubles the channels, from `width` to 8 `width`.

    The number of levels follows from the shape: the smallest level is 4 to 7 pixels along the shorter side.
    Without `discriminator_norm`, training is faster (one pass over real and fake together) and the logit of a sample
    depends on no other sample. Weights start from N(0, 0.02^2), the scales of the normalisation from N(1, 0.02^2), as
    in the released code.
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

    def build_generator(self, shape: Shape, inputs: int) -> nn.Module:
        """Build a dense layer to the smallest level, transposed convolutions up to the image, and tanh."""
        sizes = list_sizes((shape[1], shape[2]))
        channels = [shape[0], *list_widths(self.width, len(sizes) - 1)]
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
                    choose_kernel(sizes[level - 1]),
                    stride=2,
                    padding=1,
                    bias=last or not self.generator_norm,
                )
            ]
        return nn.Sequential(*layers, nn.Tanh())

    def build_trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """Build strided convolutions with leaky rectifiers down to the smallest level, flattened."""
        sizes = list_sizes((shape[1], shape[2]))
        channels = [shape[0], *list_widths(self.width, len(sizes) - 1)]
        layers: list[nn.Module] = []
        for level in range(1, len(sizes)):
            normalised = self.discriminator_norm and level > 1
            layers += [
                nn.Conv2d(
                    channels[level - 1],
                    channels[level],
                    choose_kernel(sizes[level - 1]),
                    stride=2,
                    padding=1,
                    bias=not normalised,
                )
            ]
            layers += [BatchNorm(channels[level])] if normalised else []
            layers += [nn.LeakyReLU(0.2, inplace=True)]
        return nn.Sequential(*layers, nn.Flatten()), channels[-1] * math.prod(sizes[-1])

    def initialise(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """Draw the weights as the released code of DCGAN does."""
        draw_normal(generator)
        draw_normal(discriminator)


def list_sizes(size: tuple[int, int]) -> list[tuple[int, int]]:
    """List the sizes (H, W) from `size` down to 4 to 7 along the shorter side; each is half the last, rounded up."""
    sizes = [size]
    while min(sizes[-1]) >= 8:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes


def list_widths(first: int, count: int) -> list[int]:
    """List the channels of `count` levels: each twice as many as the one above, from the fourth on all the same.

    Images of 64x64 pixels have four levels; with further doublings, larger ones would take a hundred million weights.
    """
    return [first * 2 ** min(level, DOUBLINGS) for level in range(count)]


def choose_kernel(size: tuple[int, int]) -> tuple[int, int]:
    """Return the kernel that with stride 2 and padding 1 leads from `size` to half and exactly back: 4, or 3 if odd."""
    return (4 - size[0] % 2, 4 - size[1] % 2)


def draw_normal(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02^2) and scales of batch normalisation from N(1, 0.02^2); set biases to 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if not isinstance(module, nn.Embedding) and module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, BatchNorm):
            nn.init.normal_(module.weight, 1.0, 0.02)
