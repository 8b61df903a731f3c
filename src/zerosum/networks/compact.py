"""A DCGAN rearranged to be fast on CPUs: no convolution runs at the full resolution."""

import math
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from zerosum.networks import Networks
from zerosum.networks.batch_norm import BatchNorm
from zerosum.networks.dcgan import choose_kernel, draw_normal, list_sizes, list_widths
from zerosum.types import Shape, Size


class SpaceToDepth(nn.Module):
    """[N, C, H, W] to [N, 4 C, ceil(H / 2), ceil(W / 2)]: each 2x2 block becomes channels; odd sides are padded."""

    def forward(self, batch: Tensor) -> Tensor:
        """Apply the inverse of Shi et al. 2016's pixel shuffle."""
        return F.pixel_unshuffle(F.pad(batch, (0, batch.shape[3] % 2, 0, batch.shape[2] % 2)), 2)


class DepthToSpace(nn.Module):
    """[N, 4 C, H', W'] to [N, C, H, W]: the inverse of `SpaceToDepth`."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Set the `size` (H, W) of the image."""
        super().__init__()
        self.size = size

    def forward(self, batch: Tensor) -> Tensor:
        """Apply Shi et al. 2016's pixel shuffle and cut off the padding."""
        return F.pixel_shuffle(batch, 2)[:, :, : self.size[0], : self.size[1]]


class Smooth(nn.Module):
    """Blur each channel of [N, C, H, W] by the binomial filter [1 2 1] / 4 both ways; the border is repeated.

    It takes away what alternates from pixel to pixel, the pattern that a pixel shuffle leaves where the four pixels of
    a block differ (Karras et al. 2019, appendix C, filter so after they enlarge).
    """

    def forward(self, batch: Tensor) -> Tensor:
        """Average neighbours twice."""
        return F.avg_pool2d(F.avg_pool2d(F.pad(batch, (1, 1, 1, 1), mode="replicate"), 2, 1), 2, 1)


@dataclass(frozen=True)
class Compact(Networks, name="compact"):
    """DCGAN on images folded 2x2 into channels, with one more convolution at the smallest level.

    In DCGAN, a CPU spends most of its time in the convolutions with few channels at full resolution, which have the
    fewest weights. The level below the image has `2 width` channels, each further one twice as many, up to
    `16 width`. The discriminator normalises only its last convolution. The generator enlarges by transposed
    convolutions, or repeats pixels (`nearest`) and convolves, for fewer checkerboards; then the four pixels of each 2x2
    block of the image begin equal. `smooth` also filters the image, so that they cannot alternate.
    """

    paper: ClassVar[str] = "after Radford et al. 2016; pixel shuffle of Shi et al. 2016"
    normalises_batches: ClassVar[bool] = True
    latent: Size = 64
    width: Size = 32
    upsampling: Literal["transposed", "nearest", "smooth"] = "transposed"

    @property
    def papers(self) -> tuple[str, ...]:
        """The publications of the family and of the options in use."""
        used = {"Odena et al. 2016": self._repeats, "Karras et al. 2019, appendix C": self.upsampling == "smooth"}
        return (*super().papers, *(paper for paper, is_used in used.items() if is_used))

    def build_generator(self, shape: Shape, inputs: int) -> nn.Module:
        """Build a dense layer, a convolution, transposed convolutions, the pixel shuffle, and tanh."""
        sizes, channels = self._plan(shape)
        layers: list[nn.Module] = [
            nn.Linear(inputs, channels[-1] * math.prod(sizes[-1]), bias=False),
            nn.Unflatten(1, (channels[-1], *sizes[-1])),
            BatchNorm(channels[-1]),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels[-1], channels[-1], 3, padding=1, bias=False),
            BatchNorm(channels[-1]),
            nn.ReLU(inplace=True),
        ]
        for level in range(len(sizes) - 1, 0, -1):
            layers += self._enlarge(channels[level], channels[level - 1], sizes[level - 1])
            layers += [BatchNorm(channels[level - 1]), nn.ReLU(inplace=True)]
        layers += [nn.Conv2d(channels[0], 4 * shape[0], 3, padding=1), DepthToSpace((shape[1], shape[2]))]
        if self.upsampling == "smooth":
            layers.append(Smooth())
        return nn.Sequential(*layers, nn.Tanh())

    def build_trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """Build the inverse pixel shuffle, strided convolutions, and one more convolution."""
        sizes, channels = self._plan(shape)
        layers: list[nn.Module] = [SpaceToDepth(), nn.Conv2d(4 * shape[0], channels[0], 3, padding=1)]
        for level in range(1, len(sizes)):
            layers += [
                nn.LeakyReLU(0.2, inplace=True),
                nn.Conv2d(channels[level - 1], channels[level], choose_kernel(sizes[level - 1]), stride=2, padding=1),
            ]
        layers += [
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(channels[-1], channels[-1], 3, padding=1, bias=False),
            BatchNorm(channels[-1]),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Flatten(),
        ]
        return nn.Sequential(*layers), channels[-1] * math.prod(sizes[-1])

    def initialise(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """Draw the weights as DCGAN's, those of the four pixels of a block equal if pixels are repeated."""
        draw_normal(generator)
        draw_normal(discriminator)
        if self._repeats:
            last = next(layer for layer in reversed(list(generator.modules())) if isinstance(layer, nn.Conv2d))
            with torch.no_grad():
                last.weight.copy_(last.weight[::4].repeat_interleave(4, 0))

    @property
    def _repeats(self) -> bool:
        return self.upsampling != "transposed"

    def _enlarge(self, inputs: int, channels: int, size: tuple[int, int]) -> list[nn.Module]:
        """Build what doubles the sides, up to `size` (H, W)."""
        if self._repeats:
            return [nn.Upsample(size), nn.Conv2d(inputs, channels, 3, padding=1, bias=False)]
        return [nn.ConvTranspose2d(inputs, channels, choose_kernel(size), stride=2, padding=1, bias=False)]

    def _plan(self, shape: Shape) -> tuple[list[tuple[int, int]], list[int]]:
        """List the sizes and channels from the folded image down to the smallest level."""
        sizes = list_sizes(((shape[1] + 1) // 2, (shape[2] + 1) // 2))
        return sizes, list_widths(2 * self.width, len(sizes))
