"""The networks of R3GAN (Huang et al. 2024): residual, grouped convolutions, no normalisation, fix-up."""

import functools
import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.networks import Networks, Shape, Size
from zerosum.networks.dcgan import levels
from zerosum.networks.precision import full

SLOPE = 0.2
GAIN = math.sqrt(2 / (1 + SLOPE**2))


class Residual(nn.Module):
    """x + 1x1(act(grouped 3x3(act(1x1(x))))), an inverted bottleneck."""

    def __init__(self, channels: int, inner: int, group: int) -> None:
        """`inner` channels inside, in groups of `group`."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, inner, 1),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(inner, inner, 3, padding=1, groups=inner // group),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(inner, channels, 1, bias=False),
        )

    def forward(self, batch: Tensor) -> Tensor:
        """[N, channels, H, W] to the same shape."""
        added: Tensor = self.layers(batch)
        return batch + added


class Resize(nn.Module):
    """Bilinear resampling, antialiased on the way down: a matrix for the rows and one for the columns.

    So it has all derivatives on every device, and the same bits each time.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        """`size`: (H, W) of the result."""
        super().__init__()
        self.size = size

    def forward(self, batch: Tensor) -> Tensor:
        """[N, C, H', W'] to [N, C, H, W]."""
        rows, columns = (
            resampling(before, after, batch.device) for before, after in zip(batch.shape[2:], self.size, strict=True)
        )
        with full(batch.device):
            return (rows @ batch.float() @ columns.T).to(batch.dtype)


@functools.lru_cache(maxsize=64)
def resampling(before: int, after: int, device: torch.device) -> Tensor:
    """The weights [after, before] with which PyTorch resamples `before` values in a row to `after`."""
    each = torch.eye(before, device="cpu")[None, None]
    size = (before, after)
    weights = F.interpolate(each, size, mode="bilinear", align_corners=False, antialias=after < before)
    return weights[0, 0].T.contiguous().to(device)


class Basis(nn.Module):
    """A learned smallest image, each of whose channels a linear function of the code scales."""

    def __init__(self, inputs: int, channels: int, size: tuple[int, int]) -> None:
        """`size`: (H, W) of that image."""
        super().__init__()
        self.image = nn.Parameter(torch.randn(channels, *size))
        self.scales = nn.Linear(inputs, channels, bias=False)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes [N, inputs] to [N, channels, H, W]."""
        scales: Tensor = self.scales(codes)
        return self.image * scales[:, :, None, None]


@dataclass(frozen=True)
class R3gan(Networks):
    """Generator and discriminator mirror each other: `blocks` residual blocks at each size, all of `width` channels.

    The paper's network for CIFAR-10 has width 768 at each size and about 21 million weights for each player, those for
    larger images have fewer channels at the largest sizes. CPUs are slow at grouped convolutions: with width 64 a game
    of 28x28 images takes 0.1 s or so for each image of the batch on one core. The output is not bounded by a tanh: what
    lies outside [-1, 1] is clipped when it becomes pixels.
    """

    paper: ClassVar[str] = "Huang et al. 2024, section 4"
    latent: Size = 64
    width: Size = 64
    blocks: Size = 2
    expansion: Size = 2
    group: Size = 16

    def check(self, shape: Shape) -> None:
        """Images of 1 to 4 channels and at least 8x8; the width in whole groups."""
        super().check(shape)
        if self.width * self.expansion % self.group:
            raise InputError(
                f"networks.width={self.width} times networks.expansion={self.expansion} must be a multiple of "
                f"networks.group={self.group}"
            )

    def generator(self, shape: Shape, inputs: int) -> nn.Module:
        """Basis, then residual blocks from the smallest size to the image, then a 1x1 convolution to its channels."""
        sizes = levels((shape[1], shape[2]))
        layers: list[nn.Module] = [Basis(inputs, self.width, sizes[-1]), *self._blocks()]
        for size in reversed(sizes[:-1]):
            layers += [Resize(size), *self._blocks()]
        return nn.Sequential(*layers, nn.Conv2d(self.width, shape[0], 1, bias=False))

    def trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """The mirror image: 1x1 convolution, residual blocks, and a depthwise convolution over the smallest size."""
        sizes = levels((shape[1], shape[2]))
        layers: list[nn.Module] = [nn.Conv2d(shape[0], self.width, 1, bias=False), *self._blocks()]
        for size in sizes[1:]:
            layers += [Resize(size), *self._blocks()]
        last = nn.Conv2d(self.width, self.width, sizes[-1], groups=self.width, bias=False)
        return nn.Sequential(*layers, last, nn.Flatten()), self.width

    def _blocks(self) -> list[nn.Module]:
        return [Residual(self.width, self.width * self.expansion, self.group) for _ in range(self.blocks)]

    def initialise(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """Fix-up (Zhang et al. 2019): each block's last layer is 0, the others shrink with the number of blocks."""
        for network in (generator, discriminator):
            for module in network.modules():
                if isinstance(module, nn.Linear | nn.Conv2d):
                    scaled(module, 1.0)
                elif isinstance(module, nn.Embedding):  # of the classes: as large as the weights of the logit beside it
                    nn.init.normal_(module.weight, 0.0, module.embedding_dim**-0.5)
            blocks = [module for module in network.modules() if isinstance(module, Residual)]
            for block in blocks:
                first, _, second, _, last = block.layers
                for layer in (first, second):
                    scaled(layer, GAIN * len(blocks) ** -0.25)
                nn.init.zeros_(last.weight)  # type: ignore[arg-type]  # a convolution's weight is a tensor


def scaled(layer: nn.Module, gain: float) -> None:
    """Weights from a normal distribution of deviation gain / sqrt(fan-in), biases at 0."""
    assert isinstance(layer, nn.Linear | nn.Conv2d)  # noqa: S101  # the caller's promise
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
