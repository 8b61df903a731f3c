"""How the players' arithmetic is executed: on which device, in which precision, format and number of threads."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.game.predictions import Prediction
from zerosum.types import Precision

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Engine:
    """Where and how the players are executed.

    Attributes:
        device: where the parameters and the samples live.
        bfloat16: whether matrix products and convolutions run in bfloat16 (parameters and losses stay float32).
        threads: how many CPU threads `use_threads` sets; None leaves their number as it is.
    """

    device: torch.device
    bfloat16: bool = False
    threads: int | None = None

    @staticmethod
    def choose(device: str = "auto", precision: Precision = "auto", threads: int | None = None) -> "Engine":
        """Choose the engine that `--device` and a recipe's `precision` and `threads` ask for, without measuring.

        `auto` takes the best device present; as precision, it takes bfloat16 on GPUs that multiply it natively. On CPUs
        it takes float32: whether bfloat16 is faster there depends on the networks, so a run measures it.

        Raises:
            InputError: the device is not there.
        """
        chosen = _device(device)
        if chosen.type == "cuda":  # the same run has the same bits, and float32 is float32
            torch.backends.cudnn.deterministic = True
            torch.backends.cudnn.allow_tf32 = False
        fastest = chosen.type == "cuda" and multiplies_bfloat16(chosen)
        return Engine(chosen, fastest if precision == "auto" else precision == "bfloat16", threads)

    @property
    def precision(self) -> Literal["float32", "bfloat16"]:
        """The precision of matrix products and convolutions."""
        return "bfloat16" if self.bfloat16 else "float32"

    def use_threads(self) -> None:
        """Set PyTorch's number of CPU threads, which is one for the whole process, to the engine's if it has one."""
        if self.threads is not None:
            torch.set_num_threads(self.threads)

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
        return Prediction(*(answer if isinstance(answer, tuple) else (answer,))).map(Tensor.float)

    def generate(self, generator: nn.Module, latents: Tensor) -> Tensor:
        """Map `latents` [N, latent (+ classes)] to samples in float32 at any precision."""
        with self.autocast():
            samples: Tensor = generator(latents)
        return samples.float()

    def describe(self) -> str:
        """Return the device's name and the precision, for people."""
        if self.device.type == "cuda":
            return f"{torch.cuda.get_device_name(self.device)}, {self.precision}"
        threads = self.threads or torch.get_num_threads()
        return f"{self.device.type} with {count_threads(threads)}, {self.precision}"


def count_threads(count: int) -> str:
    """Return a number of threads in words."""
    return f"{count} thread{'' if count == 1 else 's'}"


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


def multiplies_bfloat16(device: torch.device) -> bool:
    """Return whether `device` has instructions for matrix products in bfloat16."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # not in torch 2.10
    return device.type == "cpu" and any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16"))
