"""Matched pairs of a generator and a discriminator for samples of a given shape.

A family is a small frozen dataclass that builds both networks. The generator maps latents [N, latent] to samples in
[-1, 1] (images [N, C, H, W]) or in the data's own units (points [N, d]); the discriminator maps samples to logits [N].
In a conditional family, the generator's input is z followed by the class as a one-hot vector, and the discriminator
gets the class, too.

The fields of `Networks` are the options that every family has: how classes enter, dropout in the generator, and how the
discriminator compares samples within a batch.
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
from zerosum.catalog import Component, name_of
from zerosum.errors import InputError
from zerosum.networks.conditional import Auxiliary, Concatenation, Projection
from zerosum.networks.dropout import add_dropout
from zerosum.networks.feature_heads import WithFeatureHeads
from zerosum.networks.minibatch import MinibatchDiscrimination, MinibatchStandardDeviation, Packing
from zerosum.networks.precision import Logit
from zerosum.types import BelowOne, Shape, Size, Whole

Prior = Literal["normal", "uniform"]
Condition = Literal["none", "projection", "concatenation", "auxiliary"]


@dataclass(frozen=True)
class Networks(Component, ABC, kind="network"):
    """A family of matched networks.

    Attributes:
        paper: the publication of the family.
        normalises_batches: whether the discriminator has batch normalisation.
        latent: the dimension of z.
        prior: the distribution p_z, standard normal or uniform on (-sqrt 3, sqrt 3): both have unit variance.
        binary: the number of latents, the last ones, that are -1 or 1 with equal probability. A generator that is
            continuous in all of z cannot leave the gap between two modes empty (Khayatkhoei et al. 2018).
        condition: how the networks use a sample's class; `none` ignores labels. `projection` (Miyato & Koyama 2018) and
            `concatenation` (Mirza & Osindero 2014) give it to the discriminator, `auxiliary` (Odena et al. 2017) makes
            the discriminator predict it.
        dropout: the share of the generator's hidden values that are dropped, in training and in sampling (Isola et al.
            2017, section 3.1).
        minibatch: how the discriminator compares a sample with the rest of the batch: by `standard-deviation` (Karras
            et al. 2018, section 3) or `discrimination` (Salimans et al. 2016, section 3.2).
        packing: the number of samples that the discriminator classifies together, PacGAN's m (Lin et al. 2018,
            section 2).
        features: the network, trained on ImageNet, on whose features the discriminator has further heads, which play
            the same game (Sauer et al. 2021; beside a discriminator of pixels, Kumari et al. 2022). The images are gray
            or in colour. Scores in features of the same network flatter such a generator.
        feature_size: pixels that the shorter side of an image has at least when that network sees it; smaller ones are
            enlarged.
        mixed_batches: whether real and fake samples share a batch even if the discriminator normalises over it;
            practitioners warn against it, and this makes the effect measurable.
    """

    paper: ClassVar[str]
    normalises_batches: ClassVar[bool] = False
    latent: Size = 64
    prior: Prior = "normal"
    binary: Whole = 0
    condition: Condition = "none"
    dropout: BelowOne = 0.0
    minibatch: Literal["none", "standard-deviation", "discrimination"] = "none"
    packing: Size = 1
    features: Literal["none", "efficientnet"] = "none"
    feature_size: Annotated[int, Field(ge=32, le=512)] = 64
    mixed_batches: bool = False

    def check(self, shape: Shape) -> None:
        """Raise InputError if this family does not support samples of `shape` ([C, H, W] or [d]).

        Most families support images of any number of channels and at least 8x8 pixels.
        """
        if len(shape) != 3 or min(shape[1:]) < 8:
            raise InputError(f"{name_of(self)} needs images of at least 8x8 pixels, not samples of shape {list(shape)}")

    @abstractmethod
    def build_generator(self, shape: Shape, inputs: int) -> nn.Module:
        """Build a generator from inputs [N, inputs] to samples of `shape`."""

    @abstractmethod
    def build_trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """Build the discriminator up to its last hidden layer, from samples of `shape` to [N, width]; return both."""

    @abstractmethod
    def initialise(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """Draw those initial weights that differ from PyTorch's defaults."""

    def fit_to_data(self, generator: nn.Module, discriminator: nn.Module, samples: Tensor) -> None:
        """Set initial parameters that depend on the training `samples` (as stored); most families have none."""
        del generator, discriminator, samples

    @property
    def conditional(self) -> bool:
        """Whether the networks use classes."""
        return self.condition != "none"

    @property
    def papers(self) -> tuple[str, ...]:
        """The publications of the family and of the options in use."""
        used = {
            "Khayatkhoei et al. 2018": self.binary > 0,
            "Mirza & Osindero 2014": self.conditional,
            "Miyato & Koyama 2018": self.condition == "projection",
            "Odena et al. 2017": self.condition == "auxiliary",
            "Isola et al. 2017, section 3.1": self.dropout > 0,
            "Karras et al. 2018, section 3": self.minibatch == "standard-deviation",
            "Salimans et al. 2016, section 3.2": self.minibatch == "discrimination",
            "Lin et al. 2018, section 2": self.packing > 1,
            "Sauer et al. 2021": self.features != "none",
            "Kumari et al. 2022": self.features != "none",
        }
        return self.paper, *(paper for paper, is_used in used.items() if is_used)

    @property
    def separate_batches(self) -> bool:
        """Whether the discriminator sees real and fake samples in separate passes.

        This matters where its logit for a sample depends on the rest of the batch; elsewhere, one pass over both gives
        the same and is faster.
        """
        return (self.normalises_batches or self.minibatch != "none") and not self.mixed_batches

    def sample_latents(
        self,
        count: int,
        device: torch.device | None,
        labels: Tensor | None,
        classes: int,
        truncation: float | None = None,
    ) -> Tensor:
        """Sample `count` inputs of the generator from the current random scope: z ~ p_z, then the one-hot `labels`.

        With `truncation`, z is pulled towards the middle of p_z by `truncate`.
        """
        if self.prior == "normal":
            latents = torch.randn(count, self.latent, device=device)
        else:
            latents = (torch.rand(count, self.latent, device=device) * 2 - 1) * math.sqrt(3)
        if truncation is not None:
            latents = self.truncate(latents, truncation)
        latents = self.binarize(latents)
        return latents if labels is None else torch.cat([latents, F.one_hot(labels, classes).to(latents)], dim=1)

    def truncate(self, latents: Tensor, truncation: float) -> Tensor:
        """Pull `latents` [N, latent] towards the middle of p_z; those that become binary stay as they are.

        Normal ones beyond `truncation` are drawn again until they are within (the truncation trick of Brock et al.
        2019, section 3.1), here in one draw by the inverse of their distribution function; the others keep their
        values. Uniform ones are multiplied by `truncation`.
        """
        others, coins = latents.tensor_split([self.latent - self.binary], dim=-1)
        if self.prior == "uniform":
            return torch.cat([others * truncation, coins], dim=-1)
        within = math.erf(truncation / math.sqrt(2))  # the probability of |z| < truncation
        again = math.sqrt(2) * ((torch.rand_like(others) * 2 - 1) * within).erfinv()
        again = again.clamp(-truncation, truncation)  # what rounding puts beyond
        return torch.cat([torch.where(others.abs() > truncation, again, others), coins], dim=-1)

    def check_truncation(self, truncation: float) -> None:
        """Refuse a truncation that has no meaning for p_z.

        Raises:
            InputError: it is not a positive number, or more than 1 where it is a factor, or all latents are binary.
        """
        if not (0 < truncation < math.inf):
            raise InputError(f"truncation {truncation:g}: it must be a number above 0, e.g. 0.7")
        if self.prior == "uniform" and truncation > 1:
            raise InputError(
                f"truncation {truncation:g}: the generator's latents are uniform and are multiplied by it: at most 1"
            )
        if self.binary == self.latent:
            raise InputError(f"truncation {truncation:g}: all of the generator's latents are -1 or 1, none can be less")

    def describe_truncation(self, truncation: float) -> str:
        """Say what `truncate` does to the latents of this family."""
        rule = (
            f"normal latents beyond {truncation:g} are drawn again"
            if self.prior == "normal"
            else f"uniform latents are multiplied by {truncation:g}"
        )
        return f"{rule}, binary ones stay" if self.binary else rule

    def binarize(self, latents: Tensor) -> Tensor:
        """Replace the binary ones of `latents` [..., latent] by their signs, -1 or 1."""
        if self.binary == 0:
            return latents
        others, coins = latents.tensor_split([self.latent - self.binary], dim=-1)
        return torch.cat([others, torch.ones_like(coins).copysign(coins)], dim=-1)

    def build_pair(self, shape: Shape, classes: int, seed: int) -> tuple[nn.Module, nn.Module]:
        """Build a generator and a discriminator whose initial parameters are a function of `seed`.

        Raises:
            InputError: this family does not support samples of `shape`, or is conditional and there are no classes, or
                its fields contradict each other.
        """
        self._check_options(shape, classes)
        with randomness.scope(seed, 0, "initial weights"):
            generator = self._build_generator(shape, classes)
            discriminator = self._build_discriminator(shape, classes)
            self.initialise(generator, discriminator)
            if self.features != "none":
                discriminator = WithFeatureHeads(discriminator, self.feature_size)
        if self.dropout:
            add_dropout(generator, self.dropout)
        return generator, discriminator

    def build_to_load(self, shape: Shape, classes: int) -> nn.Module:
        """Build a generator alone, whose weights are yet to be loaded; its initial ones mean nothing.

        Raises:
            InputError: as `build_pair`.
        """
        self._check_options(shape, classes)
        with randomness.scope(0, 0, "initial weights"):  # which leaves the program's own random numbers alone
            generator = self._build_generator(shape, classes)
        if self.dropout:
            add_dropout(generator, self.dropout)
        return generator

    def count_bytes(self, shape: Shape, classes: int) -> int:
        """Return the bytes of both networks' weights, heads on features apart; no memory is taken for them.

        Raises:
            InputError: as `build_pair`.
        """
        self._check_options(shape, classes)
        with torch.device("meta"):  # without initial weights, some of which load half of PyTorch to be drawn there
            pair = self._build_generator(shape, classes), self._build_discriminator(shape, classes)
        tensors = (each for network in pair for each in (*network.parameters(), *network.buffers()))
        return sum(each.numel() * each.element_size() for each in tensors)

    def _check_options(self, shape: Shape, classes: int) -> None:
        """Raise InputError if the options contradict each other, or do not suit the samples."""
        self.check(shape)
        if self.binary > self.latent:
            raise InputError(f"networks.binary={self.binary} is more than networks.latent={self.latent}")
        if self.conditional and classes < 1:
            raise InputError(f"networks.condition={self.condition} needs labels, and the data have none")
        if self.features != "none" and (len(shape) != 3 or shape[0] not in (1, 3)):
            raise InputError(
                f"networks.features={self.features} sees gray and colour images, not samples of shape {list(shape)}"
            )
        if self.conditional and self.packing > 1:
            raise InputError(
                f"networks.packing={self.packing} and networks.condition={self.condition} do not go together: the "
                "samples of a pack are of different classes"
            )

    def _build_generator(self, shape: Shape, classes: int) -> nn.Module:
        return self.build_generator(shape, self.latent + (classes if self.conditional else 0))

    def _build_discriminator(self, shape: Shape, classes: int) -> nn.Module:
        """Build the trunk with its options and the last layer, or layers, around it."""
        further = classes if self.condition == "concatenation" else 0
        trunk, width = self.build_trunk((shape[0] * self.packing + further, *shape[1:]))
        if self.minibatch == "standard-deviation":
            trunk, width = nn.Sequential(*trunk, MinibatchStandardDeviation()), width + 1
        elif self.minibatch == "discrimination":
            comparison = MinibatchDiscrimination(width)
            trunk, width = nn.Sequential(*trunk, comparison), comparison.width
        if self.condition == "projection":
            return Projection(trunk, width, classes)
        if self.condition == "auxiliary":
            return Auxiliary(trunk, width, classes)
        network: nn.Module = nn.Sequential(*trunk, Logit(width, 1), nn.Flatten(0))
        if self.condition == "concatenation":
            return Concatenation(network, classes)
        return Packing(network, self.packing) if self.packing > 1 else network
