"""Further heads of a discriminator, on what a network sees in the samples that was trained on ImageNet."""

import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zerosum.networks.efficientnet import EfficientNetLite0, read_weights
from zerosum.networks.layers import Constrained
from zerosum.networks.precision import disable_autocast

WIDTH, WIDEST = 24, 256  # channels of the finest mixed map and of the heads
FIRST_ITERATIONS = 15  # of the power method
SHIFTS = 8  # the share of a side by which images are moved, at most
LARGEST = 4  # sides of the largest map that becomes one logit


class SpectralConv2d(nn.Conv2d, Constrained):
    """A convolution whose weight is divided by its largest singular value (Miyato et al. 2018, section 2.1).

    `project` refines the estimate of the singular vectors by a power iteration; no forward pass does.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        """Draw the weight, [outputs, inputs, kernel, kernel], and estimate its singular vectors."""
        super().__init__(inputs, outputs, kernel, stride, padding)
        self.register_buffer("left", F.normalize(torch.randn(outputs), dim=0))
        self.register_buffer("right", torch.zeros(inputs * kernel * kernel))
        for _ in range(FIRST_ITERATIONS):
            self.project()

    @torch.no_grad()
    def project(self) -> None:
        """Do one power iteration."""
        matrix, left, right = self.weight.flatten(1), self.get_buffer("left"), self.get_buffer("right")
        right.copy_(F.normalize(left @ matrix, dim=0))
        left.copy_(F.normalize(matrix @ right, dim=0))

    def forward(self, batch: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, outputs, H', W']."""
        largest = self.get_buffer("left") @ self.weight.flatten(1) @ self.get_buffer("right")
        return F.conv2d(batch, self.weight / largest, self.bias, self.stride, self.padding)


class FeatureHeads(nn.Module):
    """Discriminators on the maps of a frozen EfficientNet-Lite0 at four depths (Sauer et al. 2021, section 3).

    Fixed random 1x1 convolutions mix the channels of each map, and the coarse maps into the finer ones; without them a
    head would look at the most telling channels only. Each mixed map has a head of convolutions with spectral
    normalisation. All computes in float32: backward, depthwise convolutions are slower in bfloat16.
    """

    taps: ClassVar[dict[int, int]] = {2: 24, 4: 40, 10: 112, 15: 320}  # blocks of the network, and their channels

    def __init__(self, size: int) -> None:
        """Read the weights of the frozen network; draw the mixing and the heads from the current random scope.

        Args:
            size: pixels that the shorter side of an image has at least when the network sees it.

        Raises:
            InputError: the weights are not there.
        """
        super().__init__()
        self.size = size
        self.network = EfficientNetLite0(read_weights(), tuple(self.taps))
        widths = [WIDTH * 2**depth for depth in range(len(self.taps))]
        for depth, (inputs, width) in enumerate(zip(self.taps.values(), widths, strict=True)):
            self.register_buffer(f"across_{depth}", _draw(width, inputs))
            if depth > 0:
                self.register_buffer(f"down_{depth}", _draw(widths[depth - 1], width))
        self.heads = nn.ModuleList(_build_head(width, size >> (depth + 2)) for depth, width in enumerate(widths))

    def forward(self, images: Tensor) -> Tensor:
        """Map [N, 1 or 3, H, W] in [-1, 1] to logits [N, K], K of them by the size of the images."""
        with disable_autocast(images.device):
            seen = _enlarge(images.float(), self.size)
            maps = self.network(_shift(seen) if self.training else seen)
            logits = [head(mixed).flatten(1) for head, mixed in zip(self.heads, self._mix(maps), strict=True)]
            return torch.cat(logits, 1)

    def _mix(self, maps: list[Tensor]) -> list[Tensor]:
        """Mix the channels of each map, and the coarser maps into it, from the coarsest on."""
        mixed: list[Tensor] = []
        coarser: Tensor | None = None
        for depth in reversed(range(len(maps))):
            here = F.conv2d(maps[depth], self.get_buffer(f"across_{depth}"))
            if coarser is not None:
                narrowed = F.conv2d(coarser, self.get_buffer(f"down_{depth + 1}"))
                here = here + F.interpolate(narrowed, here.shape[2:], mode="bilinear", align_corners=True)
            mixed.insert(0, here)
            coarser = here
        return mixed


class WithFeatureHeads(nn.Module):
    """A discriminator of any family, and heads on features beside it."""

    def __init__(self, network: nn.Module, size: int) -> None:
        """Wrap the discriminator `network`; the frozen one sees images of at least `size` pixels a side."""
        super().__init__()
        self.network = network
        self.heads = FeatureHeads(size)

    def forward(self, samples: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor | None, Tensor]:
        """Return the network's logits, its -log P(class | sample) if it predicts classes, and the heads' logits."""
        answer = self.network(samples) if labels is None else self.network(samples, labels)
        logits, class_nll = answer if isinstance(answer, tuple) else (answer, None)
        head_logits: Tensor = self.heads(samples)
        return logits, class_nll, head_logits


def _draw(outputs: int, inputs: int) -> Tensor:
    """Draw a 1x1 convolution that keeps the size of what passes through it."""
    return torch.randn(outputs, inputs, 1, 1).mul_(math.sqrt(2 / inputs))


def _enlarge(images: Tensor, size: int) -> Tensor:
    """Enlarge [N, C, H, W] until its shorter side has `size` pixels; leave larger ones as they are."""
    shorter = min(images.shape[2:])
    if shorter >= size:
        return images
    larger: Tensor = F.interpolate(
        images, [round(side * size / shorter) for side in images.shape[2:]], mode="bilinear", align_corners=False
    )
    return larger


def _shift(images: Tensor) -> Tensor:
    """Move all images [N, C, H, W] by one random number of pixels each way, the border mirrored.

    Else the generator would draw dots in the steps in which the network looks at pixels.
    """
    most = min(images.shape[2:]) // SHIFTS
    down, right = torch.randint(0, 2 * most + 1, (2,)).tolist()
    padded = F.pad(images, (most, most, most, most), mode="reflect")
    return padded[:, :, down : down + images.shape[2], right : right + images.shape[3]]


def _build_head(width: int, side: int) -> nn.Sequential:
    """Build a head on a map of `width` channels; it gives one logit for a map of `side` pixels a side, a power of 2."""
    layers: list[nn.Module] = []
    for _ in range(int(math.log2(max(1, side // LARGEST)))):
        wider = min(2 * width, WIDEST)
        layers += [SpectralConv2d(width, wider, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        width = wider
    last = SpectralConv2d(128, 1, min(side, LARGEST))
    return nn.Sequential(*layers, SpectralConv2d(width, 128, 3, padding=1), nn.LeakyReLU(0.2), last)
