"""How the players' arithmetic is executed: on which device, in which precision, in which memory format."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.game.predictions import Prediction

Precision = Literal["auto", "float32", "bfloat16"]
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Engine:
    """Where and how the players are executed.

    Attributes:
        device: where the parameters and the samples live.
        bfloat16: whether matrix products and convolutions run in bfloat16 (parameters and losses stay float32).
    """

    device: torch.device
    bfloat16: bool = False

    @staticmethod
    def choose(device: str = "auto", precision: Precision = "auto") -> "Engine":
        """Choose the engine that `--device` and a recipe's `precision` ask for.

        `auto` takes the best device present, and bfloat16 where it multiplies matrices natively.

        Raises:
            InputError: the device is not there.
        """
        chosen = _device(device)
        if chosen.type == "cuda":  # the same run has the same bits, and float32 is float32
            torch.backends.cudnn.deterministic = True
            torch.backends.cudnn.allow_tf32 = False
        native = _multiplies_bfloat16(chosen)
        return Engine(chosen, bfloat16=native if precision == "auto" else precision == "bfloat16")

    @property
    def precision(self) -> Literal["float32", "bfloat16"]:
        """The precision of matrix products and convolutions."""
        return "bfloat16" if self.bfloat16 else "float32"

    def place(self, network: M) -> M:
        """Move `network` to the device, convolutions in channels-last format, the fastest on CPUs and tensor cores.

        Not on Apple's GPUs, where batch normalisation's gradients were wrong in that format (PyTorch issue 175189).
        """
        if self.device.type == "mps":
            return network.to(self.device)
        return network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def autocast(self) -> AbstractContextManager[None]:
        """Enter a scope in which the players' forward passes run in the engine's precision."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bfloat16)

    def predict(self, discriminator: nn.Module, samples: Tensor, labels: Tensor | None = None) -> Prediction:
        """Let `discriminator` predict what `samples` are, given their `labels` if any; float32 at any precision."""
        with self.autocast():
            answer = discriminator(samples) if labels is None else discriminator(samples, labels)
        logits, class_nll = answer if isinstance(answer, tuple) else (answer, None)
        return Prediction(logits.float(), None if class_nll is None else class_nll.float())

    def generate(self, generator: nn.Module, latents: Tensor) -> Tensor:
        """Map `latents` [N, latent (+ classes)] to samples in float32 at any precision."""
        with self.autocast():
            samples: Tensor = generator(latents)
        return samples.float()

    def describe(self) -> str:
        """Return the device's name and the precision, for people."""
        if self.device.type == "cuda":
            return f"{torch.cuda.get_device_name(self.device)}, {self.precision}"
        return f"{self.device.type} with {torch.get_num_threads()} threads, {self.precision}"


def _device(name: str) -> torch.device:
    present = _present()
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if kind in present)
    if name not in present:
        raise InputError(f"device {name!r} is not available here; choose auto or one of: {', '.join(present)}")
    return torch.device(name)


def _present() -> list[str]:
    """List the names of the devices here; each GPU also by its number."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    numbered = ["cuda", *(f"cuda:{number}" for number in range(gpus))] if gpus else []
    return ["cpu", *numbered, *(["mps"] if torch.backends.mps.is_available() else [])]


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # not in torch 2.10
    return device.type == "cpu" and bool(capabilities.get("amx_bf16", False))
