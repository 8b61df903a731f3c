"""Networks: matched pairs of a generator and a discriminator for samples of a given shape.

A family is a small frozen dataclass that builds both players. The generator maps latents [N, latent] to samples in
[-1, 1] (images [N, C, H, W]) or in the data's own units (points [N, d]); the discriminator maps samples to logits [N].
"""

import math
from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from zerosum import randomness

Size = Annotated[int, Field(ge=1)]
Shape = tuple[int, ...]


class Networks(ABC):
    """A family of matched networks.

    Attributes:
        latent: dimension of z.
        prior: the distribution p_z, standard normal or uniform on (-sqrt 3, sqrt 3): both have unit variance.
        paper: where the family was published.
        separate_batches: whether the discriminator sees real and fake samples in separate passes. With batch
            normalisation that changes what it computes; without, one pass over both is the same and faster.
    """

    latent: int
    prior: Literal["normal", "uniform"]
    paper: ClassVar[str]
    separate_batches: ClassVar[bool] = False

    @abstractmethod
    def generator(self, shape: Shape) -> nn.Module:
        """A freshly initialised generator of samples of `shape` ([C, H, W] or [d])."""

    @abstractmethod
    def discriminator(self, shape: Shape) -> nn.Module:
        """A freshly initialised discriminator of samples of `shape`."""

    @abstractmethod
    def check(self, shape: Shape) -> None:
        """Raise InputError if this family cannot serve samples of `shape`."""

    def draw_latents(self, count: int, device: torch.device | None = None) -> Tensor:
        """`count` latents z from p_z, float32 [count, latent], from the random scope in force."""
        if self.prior == "normal":
            return torch.randn(count, self.latent, device=device)
        return (torch.rand(count, self.latent, device=device) * 2 - 1) * math.sqrt(3)

    def pair(self, shape: Shape, seed: int) -> tuple[nn.Module, nn.Module]:
        """A generator and a discriminator whose initial parameters are a function of `seed`.

        Raises:
            InputError: this family cannot serve samples of `shape`.
        """
        self.check(shape)
        with randomness.scope(seed, 0, "initial generator"):
            generator = self.generator(shape)
        with randomness.scope(seed, 0, "initial discriminator"):
            discriminator = self.discriminator(shape)
        return generator, discriminator
