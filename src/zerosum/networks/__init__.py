"""Networks: matched pairs of a generator and a discriminator for samples of a given shape.

A family is a small frozen dataclass that builds both players. The generator maps codes [N, latent] to samples in
[-1, 1] (images [N, C, H, W]) or in the data's own units (points [N, d]); the discriminator maps samples to logits [N].
Where the family is conditional, the code is z followed by the class as a one-hot vector, and the discriminator is told
the class.
"""

import math
from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from zerosum import randomness
from zerosum.catalog import name_of
from zerosum.errors import InputError
from zerosum.networks.conditional import Concatenation, Projection

Size = Annotated[int, Field(ge=1)]
Shape = tuple[int, ...]
Prior = Literal["normal", "uniform"]
Condition = Literal["none", "projection", "concatenation"]


class Networks(ABC):
    """A family of matched networks.

    Attributes:
        latent: dimension of z.
        prior: the distribution p_z, standard normal or uniform on (-sqrt 3, sqrt 3): both have unit variance.
        condition: how the discriminator is told a sample's class; `none` ignores labels.
        paper: where the family was published.
        separate_batches: whether the discriminator sees real and fake samples in separate passes. With batch
            normalisation that changes what it computes; without, one pass over both is the same and faster.
    """

    latent: int
    prior: Prior
    condition: Condition
    paper: ClassVar[str]
    separate_batches: ClassVar[bool] = False

    def check(self, shape: Shape) -> None:
        """Raise InputError if this family cannot serve samples of `shape` ([C, H, W] or [d]).

        Most serve images of 1 to 4 channels and at least 8x8 pixels.
        """
        if len(shape) != 3 or not 1 <= shape[0] <= 4 or min(shape[1:]) < 8:
            raise InputError(
                f"{name_of(self)} needs images of 1 to 4 channels and at least 8x8 pixels, not samples of shape "
                f"{list(shape)}"
            )

    @abstractmethod
    def generator(self, shape: Shape, inputs: int) -> nn.Module:
        """A generator from codes [N, inputs] to samples of `shape`."""

    @abstractmethod
    def trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """The discriminator up to its last hidden layer: samples of `shape` to features [N, width], and the width."""

    @abstractmethod
    def initialise(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """Draw the initial weights where they should differ from PyTorch's defaults."""

    @property
    def conditional(self) -> bool:
        """Whether the players are told classes."""
        return self.condition != "none"

    def draw_codes(self, count: int, device: torch.device | None, labels: Tensor | None, classes: int) -> Tensor:
        """`count` codes for the generator from the random scope in force: latents z from p_z, and the `labels`."""
        if self.prior == "normal":
            latents = torch.randn(count, self.latent, device=device)
        else:
            latents = (torch.rand(count, self.latent, device=device) * 2 - 1) * math.sqrt(3)
        return latents if labels is None else torch.cat([latents, F.one_hot(labels, classes).to(latents)], dim=1)

    def pair(self, shape: Shape, classes: int, seed: int) -> tuple[nn.Module, nn.Module]:
        """A generator and a discriminator whose initial parameters are a function of `seed`.

        Raises:
            InputError: this family cannot serve samples of `shape`, or is conditional and there are no classes.
        """
        self.check(shape)
        if self.conditional and classes < 1:
            raise InputError(f"networks.condition={self.condition} needs labels, and the data have none")
        with randomness.scope(seed, 0, "initial weights"):
            generator = self.generator(shape, self.latent + (classes if self.conditional else 0))
            discriminator = self._discriminator(shape, classes)
            self.initialise(generator, discriminator)
        return generator, discriminator

    def _discriminator(self, shape: Shape, classes: int) -> nn.Module:
        if self.condition == "projection":
            return Projection(*self.trunk(shape), classes)
        trunk, width = self.trunk((shape[0] + classes, *shape[1:]) if self.conditional else shape)
        network = nn.Sequential(*trunk, nn.Linear(width, 1), nn.Flatten(0))
        return Concatenation(network, classes) if self.conditional else network
