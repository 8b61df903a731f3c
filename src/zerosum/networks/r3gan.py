"""The networks of R3GAN (Huang et al. 2024): residual blocks of grouped convolutions without normalisation, fix-up."""

import functools
import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.networks import Networks
from zerosum.networks.dcgan import list_sizes
from zerosum.networks.precision import disable_autocast
from zerosum.types import Shape, Size

SLOPE = 0.2
GAIN = math.sqrt(2 / (1 + SLOPE**2))


class Residual(nn.Module):
    """x + 1x1(act(grouped 3x3(act(1x1(x))))), an inverted bottleneck."""

    def __init__(self, channels: int, inner: int, group: int) -> None:
        """Build the three convolutions, with `inner` channels inside in groups of `group`."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, inner, 1),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(inner, inner, 3, padding=1, groups=inner // group),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(inner, channels, 1, bias=False),
        )

    def forward(self, batch: Tensor) -> Tensor:
        """Map [N, channels, H, W] to the same shape."""
        added: Tensor = self.layers(batch)
        return batch + added


class Resize(nn.Module):
    """Bilinear resampling, antialiased if it shrinks, by a matrix for the rows and one for the columns.

    As matrix products, it has derivatives of all orders on every device, and gives the same bits each time.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        """Set the `size` (H, W) of the result."""
        super().__init__()
        self.size = size

    def forward(self, batch: Tensor) -> Tensor:
        """Map [N, C, H', W'] to [N, C, H, W]."""
        rows, columns = (
            compute_resampling(before, after, batch.device)
            for before, after in zip(batch.shape[2:], self.size, strict=True)
        )
        with disable_autocast(batch.device):
            return (rows @ batch.float() @ columns.T).to(batch.dtype)


@functools.lru_cache(maxsize=64)
def compute_resampling(before: int, after: int, device: torch.device) -> Tensor:
    """Compute the weights [after, before] by which PyTorch resamples `before` values in a row to `after`."""
    each = torch.eye(before, device="cpu")[None, None]
    size = (before, after)
    weights = F.interpolate(each, size, mode="bilinear", align_corners=False, antialias=after < before)
    return weights[0, 0].T.contiguous().to(device)


class Basis(nn.Module):
    """A learned image of the smallest size; a linear function of the input scales each channel."""

    def __init__(self, inputs: int, channels: int, size: tuple[int, int]) -> None:
        """Build an image of `channels` and `size` (H, W)."""
        super().__init__()
        self.image = nn.Parameter(torch.randn(channels, *size))
        self.scales = nn.Linear(inputs, channels, bias=False)

    def forward(self, latents: Tensor) -> Tensor:
        """Map [N, inputs] to [N, channels, H, W]."""
        scales: Tensor = self.scales(latents)
        return self.image * scales[:, :, None, None]


@dataclass(frozen=True)
class R3GAN(Networks, name="r3gan"):
    """Generator and discriminator mirror each other: `blocks` residual blocks at each size, all of `width` channels.

    The paper's network for CIFAR-10 has width 768 at each size and about 21 million weights for each player; those for
    larger images have fewer channels at the largest sizes. CPUs are slow at grouped convolutions: with width 64, an
    iteration on 28x28 images takes about 0.1 s per image of the batch on one core. No tanh bounds the output: values
    outside [-1, 1] are clipped in the conversion to pixels.
    """

    paper: ClassVar[str] = "Huang et al. 2024, section 4"
    latent: Size = 64
    width: Size = 64
    blocks: Size = 2
    expansion: Size = 2
    group: Size = 16

    def check(self, shape: Shape) -> None:
        """Accept images of any number of channels and at least 8x8 pixels, and a width of whole groups."""
        super().check(shape)
        if self.width * self.expansion % self.group:
            raise InputError(
                f"networks.width={self.width} times networks.expansion={self.expansion} must be a multiple of "
                f"networks.group={self.group}"
            )

    def build_generator(self, shape: Shape, inputs: int) -> nn.Module:
        """Build a basis, residual blocks from the smallest size to the image's, and a 1x1 convolution."""
        sizes = list_sizes((shape[1], shape[2]))
        layers: list[nn.Module] = [Basis(inputs, self.width, sizes[-1]), *self._build_blocks()]
        for size in reversed(sizes[:-1]):
            layers += [Resize(size), *self._build_blocks()]
        return nn.Sequential(*layers, nn.Conv2d(self.width, shape[0], 1, bias=False))

    def build_trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """Build the mirror image: a 1x1 convolution, residual blocks, a depthwise convolution."""
        sizes = list_sizes((shape[1], shape[2]))
        layers: list[nn.Module] = [nn.Conv2d(shape[0], self.width, 1, bias=False), *self._build_blocks()]
        for size in sizes[1:]:
            layers += [Resize(size), *self._build_blocks()]
        last = nn.Conv2d(self.width, self.width, sizes[-1], groups=self.width, bias=False)
        return nn.Sequential(*layers, last, nn.Flatten()), self.width

    def _build_blocks(self) -> list[nn.Module]:
        return [Residual(self.width, self.width * self.expansion, self.group) for _ in range(self.blocks)]

    def initialise(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """Apply fix-up (Zhang et al. 2019): a block's last layer is 0, the others shrink with the number of blocks."""
        for network in (generator, discriminator):
            for module in network.modules():
                if isinstance(module, nn.Linear | nn.Conv2d):
                    draw_scaled(module, 1.0)
                elif isinstance(module, nn.Embedding):  # of the classes, at the scale of the logit's weights
                    nn.init.normal_(module.weight, 0.0, module.embedding_dim**-0.5)
            blocks = [module for module in network.modules() if isinstance(module, Residual)]
            for block in blocks:
                first, _, second, _, last = block.layers
                for layer in (first, second):
                    draw_scaled(layer, GAIN * len(blocks) ** -0.25)
                nn.init.zeros_(last.weight)  # type: ignore[arg-type]  # a convolution's weight is a tensor


def draw_scaled(layer: nn.Module, gain: float) -> None:
    """Draw weights from a normal distribution of deviation gain / sqrt(fan-in); set biases to 0."""
    assert isinstance(layer, nn.Linear | nn.Conv2d)  # noqa: S101  # the caller's promise
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
