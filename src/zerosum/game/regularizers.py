"""What keeps the discriminator from winning too steeply: penalties on its gradient and constraints on its weights.

A penalty is added to the discriminator's loss; a constraint acts on the network itself. Gradients are taken per sample
with respect to the whole sample: ||grad D(x)||^2 sums over channels, rows and columns, and its mean is over the batch.
"""

import math
from collections.abc import Iterable
from typing import ClassVar, Literal

import torch
from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from zerosum.catalog import Component, name_of
from zerosum.game.predictions import DiscriminatorPass
from zerosum.types import Count, NonNegative, Positive


class Regularizer(Component, kind="regularizer"):
    """One regulariser of the discriminator; a subclass overrides what it needs.

    Attributes:
        paper: where it was published, with the equation.
        excludes: the names of regularisers that cannot be used beside it, each with the reason.
        every: take the penalty at every so many discriminator updates, multiplied by that number, so that its mean
            over the updates stays the same (the lazy regularisation of StyleGAN2).
    """

    paper: ClassVar[str]
    excludes: ClassVar[dict[str, str]] = {}
    every: int = 1

    @property
    def roles(self) -> tuple[str, ...]:
        """What it does, in names; a recipe may have one regulariser for each role."""
        return (name_of(self),)

    @property
    def penalizes(self) -> bool:
        """Whether it has a penalty, which may differentiate the discriminator at the samples."""
        return type(self).penalty is not Regularizer.penalty

    def is_due(self, update: int) -> bool:
        """Whether discriminator update number `update`, from 0, has its penalty."""
        return update % self.every == 0

    def penalty(self, out: DiscriminatorPass) -> Tensor | None:
        """Return a scalar for the discriminator's loss, or None."""
        return None

    def prepare(self, discriminator: nn.Module) -> None:
        """Change the freshly built `discriminator`, before it is optimised."""

    def project(self, discriminator: nn.Module) -> None:
        """Bring the `discriminator` back within the constraint, after each of its updates."""


def total_penalty(regularizers: Iterable[Regularizer], out: DiscriminatorPass, update: int) -> Tensor:
    """Add up the penalties that are due at discriminator update number `update` (from 0): a scalar."""
    due = (each for each in regularizers if each.is_due(update))
    penalties = [each.every * penalty for each in due if (penalty := each.penalty(out)) is not None]
    return torch.stack(penalties).sum() if penalties else out.real_logits.new_zeros(())


def squared_norms(gradients: Tensor, count: int) -> Tensor:
    """Return the squared norm of D's gradients [N, ...] for each of `count` samples or packs, [count]."""
    return gradients.reshape(count, -1).square().sum(1)


@dataclass(frozen=True)
class GradientNorm(Regularizer, name="gradient-norm", aliases={"r1": {"samples": "real"}, "r2": {"samples": "fake"}}):
    """gamma / 2 E ||grad D||^2 on real samples (R1), on fakes (R2), or on both: zero-centred, so 0 at the equilibrium.

    With `final_gamma` the weight falls from `gamma` to it by half a cosine over the training (Huang et al. 2024,
    appendix on hyperparameters): coarse features of the data first, then fine ones.
    """

    paper: ClassVar[str] = "Mescheder et al. 2018, eqs. 9 and 10"
    samples: Literal["real", "fake", "both"] = "both"
    gamma: NonNegative = 1.0
    final_gamma: NonNegative | None = None
    every: Count = 1

    @property
    def roles(self) -> tuple[str, ...]:
        """R1 on real samples, R2 on fakes: with weights of their own they may stand side by side."""
        return {"real": ("r1",), "fake": ("r2",), "both": ("r1", "r2")}[self.samples]

    def weight(self, done: float) -> float:
        """Return gamma when the fraction `done` of the training, from 0 to 1, is done."""
        final = self.gamma if self.final_gamma is None else self.final_gamma
        return final + (self.gamma - final) * (1 + math.cos(math.pi * done)) / 2

    def penalty(self, out: DiscriminatorPass) -> Tensor:
        """Penalise the gradient at each sample; one backward pass serves both kinds."""
        both = {"real": (out.real, out.real_logits), "fake": (out.fake, out.fake_logits)}
        samples, logits = zip(*(both[kind] for kind in both if self.samples in (kind, "both")), strict=True)
        gradients = torch.autograd.grad([each.sum() for each in logits], samples, create_graph=True)
        means = [squared_norms(*each).mean() for each in zip(gradients, map(len, logits), strict=True)]
        return self.weight(out.done) / 2 * torch.stack(means).sum()


@dataclass(frozen=True)
class GradientPenalty(Regularizer, name="gradient-penalty"):
    """weight E (||grad D(y)|| - target)^2 with y = e x + (1 - e) G(z) and e uniform on (0, 1), one for each sample.

    `one_sided` punishes only slopes above the target (Petzka et al. 2018).
    """

    paper: ClassVar[str] = "Gulrajani et al. 2017, eq. 3"
    weight: NonNegative = 10.0
    target: Positive = 1.0
    one_sided: bool = False
    every: Count = 1

    def penalty(self, out: DiscriminatorPass) -> Tensor:
        """Penalise the gradient on straight lines between pairs of both kinds."""
        mix = _per_logit(out)
        return self._at(mix * out.real + (1 - mix) * out.fake, out)

    def _at(self, samples: Tensor, out: DiscriminatorPass) -> Tensor:
        samples.requires_grad_()  # they may also depend on G's parameters, of which the penalty is then a function
        logits = out.discriminator(samples)
        (gradients,) = torch.autograd.grad(logits.sum(), samples, create_graph=True)
        excess = (squared_norms(gradients, len(logits)) + 1e-12).sqrt() - self.target  # the root of 0 has no gradient
        return self.weight * (excess.clamp(min=0) if self.one_sided else excess).square().mean()


@dataclass(frozen=True)
class DRAGAN(GradientPenalty, name="dragan"):
    """The same penalty around the data: y = x + alpha spread std(x) u, with alpha and u uniform on (0, 1).

    One alpha for each sample (or pack), a u for each of its values, std(x) over the batch; as in the released code.
    """

    paper: ClassVar[str] = "Kodali et al. 2017, eq. 1 and its released code"
    spread: Positive = 0.5

    def penalty(self, out: DiscriminatorPass) -> Tensor:
        """Penalise the gradient at perturbed real samples."""
        share = _per_logit(out) * self.spread * out.real.std()
        return self._at(out.real + share * torch.rand_like(out.real), out)


def _per_logit(out: DiscriminatorPass) -> Tensor:
    """Draw a number in (0, 1) for each logit of real samples, [N, 1, ...]: the same for all samples of a pack."""
    count = len(out.real_logits)
    shares = torch.rand(count, *[1] * (out.real.ndim - 1), device=out.real.device)
    return shares.repeat_interleave(len(out.real) // count, dim=0)


@dataclass(frozen=True)
class SpectralNorm(Regularizer, name="spectral-norm"):
    """Every weight of the discriminator divided by its largest singular value, by PyTorch's own parametrisation.

    One power iteration follows each update of the discriminator, and none happens in a forward pass, so that the
    generator's update changes nothing in the discriminator.
    """

    paper: ClassVar[str] = "Miyato et al. 2018, section 2.1"

    def prepare(self, discriminator: nn.Module) -> None:
        """Parametrise all dense and convolutional layers."""
        for layer in discriminator.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding):
                parametrizations.spectral_norm(layer)
        for layer in self._parametrised(discriminator):
            self._estimate_of(layer).eval()

    @torch.no_grad()
    def project(self, discriminator: nn.Module) -> None:
        """Refine the estimates of the singular vectors."""
        for layer in self._parametrised(discriminator):
            estimate = self._estimate_of(layer).train()
            _ = layer.weight  # reading it in training mode is what makes PyTorch iterate once
            estimate.eval()

    @staticmethod
    def _parametrised(network: nn.Module) -> list[nn.Module]:
        return [module for module in network.modules() if parametrize.is_parametrized(module, "weight")]

    @staticmethod
    def _estimate_of(layer: nn.Module) -> nn.Module:
        (estimate,) = layer.parametrizations["weight"]  # type: ignore[index]
        return estimate  # type: ignore[no-any-return]


@dataclass(frozen=True)
class MaxNorm(Regularizer, name="max-norm"):
    """The incoming weights of each unit scaled back to a norm of at most `limit`."""

    paper: ClassVar[str] = "Srivastava et al. 2014, section 5.1; Goodfellow et al. 2014 (released TFD code, 1.9365)"
    excludes: ClassVar[dict[str, str]] = {
        "spectral-norm": "the weights that max-norm would rescale are made anew by spectral-norm"
    }
    limit: Positive = 1.9365

    @torch.no_grad()
    def project(self, discriminator: nn.Module) -> None:
        """Rescale, where needed, every row of every weight."""
        for layer in discriminator.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                layer.weight.copy_(layer.weight.flatten(1).renorm(2, 0, self.limit).view_as(layer.weight))


@dataclass(frozen=True)
class WeightClipping(Regularizer, name="weight-clipping"):
    """Every parameter clipped to [-limit, limit]: the first way to keep a Wasserstein critic Lipschitz."""

    paper: ClassVar[str] = "Arjovsky et al. 2017, algorithm 1"
    limit: Positive = 0.01

    @torch.no_grad()
    def project(self, discriminator: nn.Module) -> None:
        """Clip all parameters."""
        for parameter in discriminator.parameters():
            parameter.clamp_(-self.limit, self.limit)
