"""DINOv2 (Oquab et al. 2023), in whose features the Fréchet distance follows people's judgement more closely than FID.

See Stein et al. 2023. Through `transformers` (the extra `hub`), which loads safetensors and runs no code from the hub.
"""

import importlib
from collections.abc import Callable
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.metrics.features import FeatureExtractor, Request, apply_in_batches, digest_of

MODEL = "facebook/dinov2-large"  # ViT-L/14
BATCH, SIDE = 16, 224
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as it was trained


class DINOv2(FeatureExtractor, name="dinov2"):
    """The class token after the last layer normalisation: 1,024 features with the standard weights, ViT-L/14."""

    batch = BATCH
    costly = slow = True
    takes_weights = True
    resizer = "bicubic, antialiased, to 224x224"
    comparable = (
        "FD-DINOv2 and other scores in the features of ViT-L/14 at the same number of samples, reference and resizer"
    )

    def __init__(self, model: nn.Module, name: str, device: torch.device) -> None:
        """Wrap `model`, which maps float [N, 3, 224, 224], normalised, to an output with `pooler_output` [N, D]."""
        self.name = f"dinov2, class token of {name} ({digest_of(model)})"
        if name != MODEL:
            self.comparable = "scores in the features of the same weights"
        self._network = _Normalised(model).eval().to(device)
        self._device = device

    @classmethod
    def open(cls, source: Source, request: Request) -> "DINOv2":
        """Load the folder that is the request's weights, else from the hub's cache, or the hub if that is allowed.

        Raises:
            InputError: the samples are no gray or colour images, or the extra or the weights are not there.
        """
        if len(source.shape) != 3 or source.shape[0] not in (1, 3):
            raise InputError(f"DINOv2 sees gray and colour images; {source.name} has samples {list(source.shape)}")
        place = MODEL if request.weights is None else str(request.weights.expanduser())
        load: Callable[..., nn.Module] = _import_transformers().Dinov2Model.from_pretrained
        try:
            model = load(place, local_files_only=not request.download, use_safetensors=True)
        except Exception as error:  # its exceptions are not documented
            if request.weights is None and not request.download:
                reason = f"--download fetches {MODEL} (1.2 GB, licence: Apache-2.0) from the Hugging Face hub"
            else:
                reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(f"the weights {place} of DINOv2 are not here or cannot be read: {reason}") from None
        return cls(model, MODEL if request.weights is None else request.weights.name, request.device)

    def __call__(self, samples: Tensor) -> Tensor:
        """Turn uint8 [N, 1 or 3, H, W] into [N, D]."""
        return apply_in_batches(self._network, samples, BATCH, self._device)


class _Normalised(nn.Module):
    """Resizes and normalises images as the model was trained, and applies it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._model = model
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Turn [N, 1 or 3, H, W] in [-1, 1] into [N, D]."""
        colour = (images.expand(-1, 3, -1, -1) + 1) / 2
        sized = F.interpolate(colour, (SIDE, SIDE), mode="bicubic", antialias=True).clamp(0, 1)
        features: Tensor = self._model((sized - self.get_buffer("mean")) / self.get_buffer("deviation")).pooler_output
        return features


def _import_transformers() -> ModuleType:
    try:
        return importlib.import_module("transformers")
    except ImportError:
        raise InputError("DINOv2 needs one more package: pip install transformers") from None
