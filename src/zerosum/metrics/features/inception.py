"""The Inception network of 2015-12-05 (Szegedy et al. 2016) in whose features the FID is computed (Heusel et al. 2017).

Weights come from a file whose digest is known: the one that PyTorch's FID programs share, which reaches the 2,048
features of the FID and the logits of the Inception score, or a smaller one without the last two blocks.
"""

import hashlib
import io
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zerosum.data import Progress, Source, to_float
from zerosum.data.readers.download import File, data_folder, fetch
from zerosum.errors import InputError
from zerosum.metrics.features import FeatureExtractor, Request, apply_in_batches
from zerosum.metrics.protocols import SIDE, Protocol

BATCH = 32
EPSILON = 1e-3  # of its batch normalisation
TERMS = "licence: Apache-2.0 (TensorFlow); please cite Szegedy et al. 2016 and Heusel et al. 2017"
WHOLE = File(
    "pt_inception-2015-12-05-6726825d.pth",
    95_628_359,
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    (
        "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
        "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    ),
)
TRUNK_SHA256 = "9dd3d679e4d8ec6709383302302e3a00894c0abfacc49da32a5bfc0ce88d413b"  # folded, .npz, up to Mixed_7a


class Inception(FeatureExtractor, name="inception"):
    """Spatial means: 64 after the first max pool, 192 after the second, 768 after Mixed_6e, 2,048 after Mixed_7c."""

    batch = BATCH
    costly = slow = True
    taps = (64, 192, 768, 2048)
    takes_weights = True
    resizer = "bilinear to 299x299, as pytorch-fid"

    def __init__(
        self, weights: dict[str, Tensor], tap: int, device: torch.device, protocol: Protocol | None = None
    ) -> None:
        """Build the network up to `tap` from folded `weights`: a weight and a bias for each convolution.

        Images come to it as by `protocol`, or as by pytorch-fid.
        """
        self.protocol = protocol
        self.name = f"inception-2015-12-05, {tap} features"
        self.is_pool3 = tap == self.taps[-1]
        same = "at the same number of samples, reference and resizer"
        if self.is_pool3:
            self.comparable = f"FIDs and other scores in the features of TensorFlow's Inception {same}"
        else:
            self.comparable = f"pytorch-fid --dims {tap} and other scores in its features {same}; it is no FID"
            self.better = f"For a FID get {WHOLE.name}: --features inception --download, or --weights FILE"
        if protocol is not None:
            self.resizer = protocol.resizer
            self.comparable = f"figures of {protocol.program} in {tap:,} features, {same}"
            self.comparable += "" if self.is_pool3 else "; it is no FID"
        self._device = device
        self._network = _Network(weights, tap).eval().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._head = weights["fc.weight"] if self.is_pool3 else torch.empty(0, 0)
        self.classes = len(self._head)

    @classmethod
    def open(cls, source: Source, request: Request) -> "Inception":
        """Load the weights of the request, or those that were fetched before.

        Raises:
            InputError: the samples are no gray or colour images, there are no weights, the file is not one of those
                that are known, or it does not reach the wanted depth.
        """
        if len(source.shape) != 3 or source.shape[0] not in (1, 3):
            raise InputError(f"Inception sees gray and colour images; {source.name} has samples {list(source.shape)}")
        wanted, file = request.tap, request.weights or fetch_weights(request.progress, download=request.download)
        weights = read_weights(file)
        there = cls.taps if "Mixed_7c.branch1x1.weight" in weights else cls.taps[:-1]
        tap = wanted or there[-1]
        if tap not in there:
            raise InputError(f"{file} gives the features {', '.join(map(str, there))} of Inception, not {tap}")
        return cls(weights, tap, request.device, request.protocol)

    def __call__(self, samples: Tensor) -> Tensor:
        """Turn uint8 [N, 1 or 3, H, W] into [N, 64, 192, 768 or 2048]."""
        colour = samples.expand(-1, 3, -1, -1)
        prepare = resize_as_pytorch_fid if self.protocol is None else self.protocol.prepare
        return apply_in_batches(self._network, colour, BATCH, self._device, prepare)

    def logits(self, features: Tensor) -> Tensor:
        """Compute logits [N, 1008] from [N, 2048] without the bias, as Salimans et al. 2016 do."""
        return features @ self._head.T


def resize_as_pytorch_fid(images: Tensor) -> Tensor:
    """Bring uint8 [N, 3, H, W] to float32 [N, 3, 299, 299] in [-1, 1]: pytorch-fid's pixels, but for rounding."""
    return F.interpolate(to_float(images), (SIDE, SIDE), mode="bilinear", align_corners=False)


def present() -> bool:
    """Return whether the weights were fetched before."""
    return (data_folder() / "inception" / WHOLE.name).exists()


def fetch_weights(progress: Progress | None = None, *, download: bool) -> Path:
    """Return the file of the weights; fetch them if they are not there and `download` allows it.

    Raises:
        InputError: they are not there, or cannot be fetched.
    """
    if not (download or present()):
        raise InputError(
            f"the weights of Inception are not here: --download fetches {WHOLE.size / 1e6:.0f} MB once ({TERMS}), or "
            f"get {WHOLE.name} from {WHOLE.urls[0]} and name it with --weights"
        )
    return fetch("inception", (WHOLE,), TERMS, progress)[0]


def read_weights(file: Path) -> dict[str, Tensor]:
    """Read the weights in a file and fold batch normalisation into them.

    Raises:
        InputError: the file cannot be read or is not one of those that are known.
    """
    try:
        content = file.expanduser().read_bytes()
    except OSError as error:
        raise InputError(f"the weights {file} cannot be read: {error.strerror or error}") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest == TRUNK_SHA256:
        with np.load(io.BytesIO(content)) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in arrays}
    if digest == WHOLE.sha256:  # the published file; only tensors are unpickled
        return fold_batch_norm(torch.load(io.BytesIO(content), weights_only=True))
    raise InputError(
        f"{file} is not {WHOLE.name}: its SHA-256 begins with {digest[:8]}, not {WHOLE.sha256[:8]}; get it again"
    )


def fold_batch_norm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Turn convolutions with batch normalisation (`X.conv`, `X.bn`) into convolutions with a bias (`X`)."""
    weights = {name: value for name, value in state.items() if name.startswith("fc.")}
    for name in (key.removesuffix(".conv.weight") for key in state if key.endswith(".conv.weight")):
        scale = state[f"{name}.bn.weight"] / (state[f"{name}.bn.running_var"] + EPSILON).sqrt()
        weights[f"{name}.weight"] = state[f"{name}.conv.weight"] * scale[:, None, None, None]
        weights[f"{name}.bias"] = state[f"{name}.bn.bias"] - state[f"{name}.bn.running_mean"] * scale
    return weights


class _Network(nn.Module):
    """The forward pass, up to a tap. Layers are called as in torchvision, whose names the weights bear."""

    def __init__(self, weights: dict[str, Tensor], tap: int) -> None:
        super().__init__()
        self._tap = tap
        for name, value in weights.items():
            self.register_buffer(name.replace(".", "/"), value)

    def forward(self, images: Tensor) -> Tensor:
        """Turn [N, 3, 299, 299] in [-1, 1] into [N, tap]."""
        x = images.contiguous(memory_format=torch.channels_last)
        x = self._conv(x, "Conv2d_1a_3x3", stride=2)
        x = self._conv(self._conv(x, "Conv2d_2a_3x3"), "Conv2d_2b_3x3", padding=1)
        x = F.max_pool2d(x, 3, 2)
        if self._tap > 64:
            x = F.max_pool2d(self._conv(self._conv(x, "Conv2d_3b_1x1"), "Conv2d_4a_3x3"), 3, 2)
        if self._tap > 192:
            for name in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
                x = self._wide(x, name)
            x = self._halved(x, "Mixed_6a")
            for name in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
                x = self._factored(x, name)
        if self._tap > 768:
            x = self._halved_again(x, "Mixed_7a")
            x = self._split(x, "Mixed_7b", _average_pool(x))
            x = self._split(x, "Mixed_7c", F.max_pool2d(x, 3, 1, 1))  # a slip in TensorFlow's graph, kept by the FID
        return x.mean((2, 3))

    def _conv(self, x: Tensor, name: str, stride: int = 1, padding: int | tuple[int, int] = 0) -> Tensor:
        return F.conv2d(x, self._buffer(f"{name}.weight"), self._buffer(f"{name}.bias"), stride, padding).relu_()

    def _buffer(self, name: str) -> Tensor:
        return self.get_buffer(name.replace(".", "/"))

    def _chain(self, x: Tensor, block: str, *branches: str, last_stride: int = 1) -> Tensor:
        """Apply convolutions in turn, padded to keep the size; the last one, if it has a stride, is not padded."""
        for branch in branches:
            kernel = self._buffer(f"{block}.{branch}.weight").shape[2:]
            halving = last_stride > 1 and branch == branches[-1]
            padding = 0 if halving else (kernel[0] // 2, kernel[1] // 2)
            x = self._conv(x, f"{block}.{branch}", last_stride if halving else 1, padding)
        return x

    def _wide(self, x: Tensor, block: str) -> Tensor:
        branches = (
            self._chain(x, block, "branch1x1"),
            self._chain(x, block, "branch5x5_1", "branch5x5_2"),
            self._chain(x, block, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
            self._chain(_average_pool(x), block, "branch_pool"),
        )
        return torch.cat(branches, 1)

    def _halved(self, x: Tensor, block: str) -> Tensor:
        branches = (
            self._chain(x, block, "branch3x3", last_stride=2),
            self._chain(x, block, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3", last_stride=2),
            F.max_pool2d(x, 3, 2),
        )
        return torch.cat(branches, 1)

    def _factored(self, x: Tensor, block: str) -> Tensor:
        branches = (
            self._chain(x, block, "branch1x1"),
            self._chain(x, block, *(f"branch7x7_{number}" for number in range(1, 4))),
            self._chain(x, block, *(f"branch7x7dbl_{number}" for number in range(1, 6))),
            self._chain(_average_pool(x), block, "branch_pool"),
        )
        return torch.cat(branches, 1)

    def _halved_again(self, x: Tensor, block: str) -> Tensor:
        branches = (
            self._chain(x, block, "branch3x3_1", "branch3x3_2", last_stride=2),
            self._chain(x, block, *(f"branch7x7x3_{number}" for number in range(1, 5)), last_stride=2),
            F.max_pool2d(x, 3, 2),
        )
        return torch.cat(branches, 1)

    def _split(self, x: Tensor, block: str, pooled: Tensor) -> Tensor:
        middle = self._chain(x, block, "branch3x3_1")
        double = self._chain(x, block, "branch3x3dbl_1", "branch3x3dbl_2")
        branches = (
            self._chain(x, block, "branch1x1"),
            self._chain(middle, block, "branch3x3_2a"),
            self._chain(middle, block, "branch3x3_2b"),
            self._chain(double, block, "branch3x3dbl_3a"),
            self._chain(double, block, "branch3x3dbl_3b"),
            self._chain(pooled, block, "branch_pool"),
        )
        return torch.cat(branches, 1)


def _average_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
