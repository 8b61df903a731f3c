"""Networks: matched pairs of a generator and a discriminator for samples of a given shape.

A family is a small frozen dataclass that builds both players. The generator maps codes [N, latent] to samples in
[-1, 1] (images [N, C, H, W]) or in the data's own units (points [N, d]); the discriminator maps samples to logits [N].
Where the family is conditional, the code is z followed by the class as a one-hot vector, and the discriminator is told
the class.

What can be done around any family is said once, in the fields of `Networks`: how classes enter, dropout in the
generator, and what the discriminator may compare samples by.
"""

import math
from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from zerosum import randomness
from zerosum.catalog import name_of
from zerosum.errors import InputError
from zerosum.networks.conditional import Auxiliary, Concatenation, Projection
from zerosum.networks.dropout import add_dropout
from zerosum.networks.minibatch import Discrimination, Packing, StandardDeviation
from zerosum.networks.precision import Logit

Size = Annotated[int, Field(ge=1, le=65_536, strict=True)]
Count = Annotated[int, Field(ge=0, strict=True)]
Shape = tuple[int, ...]
Prior = Literal["normal", "uniform"]
Condition = Literal["none", "projection", "concatenation", "auxiliary"]


@dataclass(frozen=True)
class Networks(ABC):
    """A family of matched networks.

    Attributes:
        paper: where the family was published.
        normalises_batches: whether its discriminator has batch normalisation.
        latent: dimension of z.
        prior: the distribution p_z, standard normal or uniform on (-sqrt 3, sqrt 3): both have unit variance.
        binary: how many of the latents, the last ones, are fair coins: -1 or 1. A generator that is continuous in all
            of z cannot leave the gap between two modes empty (Khayatkhoei et al. 2018).
        condition: how the players are told a sample's class; `none` ignores labels. `projection` (Miyato & Koyama
            2018) and `concatenation` (Mirza & Osindero 2014) tell the discriminator, `auxiliary` (Odena et al. 2017)
            makes it guess the class.
        dropout: the share of the generator's hidden values that are dropped, when training and when sampling (Isola et
            al. 2017, section 3.1).
        minibatch: what the discriminator is told of the other samples in the batch: `standard-deviation` (Karras et al.
            2018, section 3) or `discrimination` (Salimans et al. 2016, section 3.2).
        packing: how many samples the discriminator judges together, PacGAN's m (Lin et al. 2018, section 2).
        mixed_batches: real and fake samples in one batch even where the discriminator normalises over it: what
            practitioners warn against, here to be measured.
    """

    paper: ClassVar[str]
    normalises_batches: ClassVar[bool] = False
    latent: Size = 64
    prior: Prior = "normal"
    binary: Count = 0
    condition: Condition = "none"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    minibatch: Literal["none", "standard-deviation", "discrimination"] = "none"
    packing: Size = 1
    mixed_batches: bool = False

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

    def acquaint(self, generator: nn.Module, discriminator: nn.Module, samples: Tensor) -> None:
        """Set what fresh players may know of the training `samples` (as stored) from the start: nothing."""
        del generator, discriminator, samples

    @property
    def conditional(self) -> bool:
        """Whether the players are told classes."""
        return self.condition != "none"

    @property
    def papers(self) -> tuple[str, ...]:
        """Where the family was published, and what is used around it."""
        used = {
            "Khayatkhoei et al. 2018": self.binary > 0,
            "Mirza & Osindero 2014": self.conditional,
            "Miyato & Koyama 2018": self.condition == "projection",
            "Odena et al. 2017": self.condition == "auxiliary",
            "Isola et al. 2017, section 3.1": self.dropout > 0,
            "Karras et al. 2018, section 3": self.minibatch == "standard-deviation",
            "Salimans et al. 2016, section 3.2": self.minibatch == "discrimination",
            "Lin et al. 2018, section 2": self.packing > 1,
        }
        return self.paper, *(paper for paper, is_used in used.items() if is_used)

    @property
    def separate_batches(self) -> bool:
        """Whether the discriminator sees real and fake samples in separate passes.

        Where its verdict on a sample depends on the rest of the batch, that changes what it computes; elsewhere one
        pass over both gives the same and is faster.
        """
        return (self.normalises_batches or self.minibatch != "none") and not self.mixed_batches

    def draw_codes(self, count: int, device: torch.device | None, labels: Tensor | None, classes: int) -> Tensor:
        """`count` codes for the generator from the random scope in force: latents z from p_z, and the `labels`."""
        if self.prior == "normal":
            latents = torch.randn(count, self.latent, device=device)
        else:
            latents = (torch.rand(count, self.latent, device=device) * 2 - 1) * math.sqrt(3)
        latents = self.tossed(latents)
        return latents if labels is None else torch.cat([latents, F.one_hot(labels, classes).to(latents)], dim=1)

    def tossed(self, latents: Tensor) -> Tensor:
        """`latents` [..., latent] with -1 or 1, whichever is of their sign, in the places of the binary ones."""
        if self.binary == 0:
            return latents
        others, coins = latents.tensor_split([self.latent - self.binary], dim=-1)
        return torch.cat([others, torch.ones_like(coins).copysign(coins)], dim=-1)

    def pair(self, shape: Shape, classes: int, seed: int) -> tuple[nn.Module, nn.Module]:
        """A generator and a discriminator whose initial parameters are a function of `seed`.

        Raises:
            InputError: this family cannot serve samples of `shape`, or is conditional and there are no classes.
        """
        self.check(shape)
        if self.binary > self.latent:
            raise InputError(f"networks.binary={self.binary} is more than networks.latent={self.latent}")
        if self.conditional and classes < 1:
            raise InputError(f"networks.condition={self.condition} needs labels, and the data have none")
        if self.conditional and self.packing > 1:
            raise InputError(
                f"networks.packing={self.packing} and networks.condition={self.condition} do not go together: the "
                "samples of a pack are of different classes"
            )
        with randomness.scope(seed, 0, "initial weights"):
            generator = self.generator(shape, self.latent + (classes if self.conditional else 0))
            discriminator = self._discriminator(shape, classes)
            self.initialise(generator, discriminator)
        if self.dropout:
            add_dropout(generator, self.dropout)
        return generator, discriminator

    def _discriminator(self, shape: Shape, classes: int) -> nn.Module:
        further = classes if self.condition == "concatenation" else 0
        trunk, width = self.trunk((shape[0] * self.packing + further, *shape[1:]))
        if self.minibatch == "standard-deviation":
            trunk, width = nn.Sequential(*trunk, StandardDeviation()), width + 1
        elif self.minibatch == "discrimination":
            comparison = Discrimination(width)
            trunk, width = nn.Sequential(*trunk, comparison), comparison.width
        if self.condition == "projection":
            return Projection(trunk, width, classes)
        if self.condition == "auxiliary":
            return Auxiliary(trunk, width, classes)
        network: nn.Module = nn.Sequential(*trunk, Logit(width, 1), nn.Flatten(0))
        if self.condition == "concatenation":
            return Concatenation(network, classes)
        return Packing(network, self.packing) if self.packing > 1 else network
