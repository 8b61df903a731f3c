"""What keeps the discriminator from winning too steeply: penalties on its gradient and constraints on its weights.

A penalty is added to the discriminator's loss; a constraint acts on the network itself. Gradients are taken per sample
with respect to the whole sample: ||grad D(x)||^2 sums over channels, rows and columns, and its mean is over the batch.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass as plain_dataclass
from dataclasses import replace
from functools import cached_property
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

Weight = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Interval = Annotated[int, Field(ge=1, strict=True)]
Kind = Literal["real", "fake"]


@plain_dataclass(frozen=True)
class Judgement:
    """What a penalty sees of one update of the discriminator.

    Attributes:
        judge: the discriminator, samples to logits [N], or [N / m] if it judges packs of m neighbours.
        real: real samples [N, ...], in the graph of `real_logits`.
        fake: generated samples [N, ...], in the graph of `fake_logits`.
        progress: the part of the training that is done, from 0 to 1.
        kinds: of which samples D's slopes will be asked for, to be found in one pass.
    """

    judge: Callable[[Tensor], Tensor]
    real: Tensor
    fake: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    progress: float = 0.0
    kinds: tuple[Kind, ...] = ("real", "fake")

    @cached_property
    def _found(self) -> dict[Kind, Tensor]:
        return {}

    def squared_slopes(self, kind: Kind) -> Tensor:
        """||grad D||^2 at each sample or pack of that kind, [N] or [N / m]."""
        if kind not in self._found:
            both: dict[Kind, tuple[Tensor, Tensor]] = {
                "real": (self.real, self.real_logits),
                "fake": (self.fake, self.fake_logits),
            }
            kinds = self.kinds if kind in self.kinds else (kind,)
            samples, logits = zip(*(both[each] for each in kinds), strict=True)
            slopes = torch.autograd.grad([each.sum() for each in logits], samples, create_graph=True)
            self._found.update(zip(kinds, map(squared_lengths, slopes, map(len, logits)), strict=True))
        return self._found[kind]


class Regularizer:
    """One regulariser of the discriminator; a subclass overrides what it needs.

    Attributes:
        paper: where it was published, with the equation.
        interval: every how many discriminator updates the penalty is taken; it is then multiplied by the interval, so
            that its mean over the updates is the same (the lazy regularisation of StyleGAN2).
        kind: of which samples the penalty takes the squared slopes, if any: those of all penalties take one pass.
    """

    paper: ClassVar[str]
    kind: ClassVar[Kind | None] = None
    interval: int = 1

    def penalty(self, seen: Judgement) -> Tensor | None:
        """A scalar for the discriminator's loss, or None."""
        return None

    def prepare(self, discriminator: nn.Module) -> None:
        """Change the freshly built `discriminator`, before it is optimised."""

    def project(self, discriminator: nn.Module) -> None:
        """Bring the `discriminator` back within the constraint, after each of its updates."""


def total_penalty(regularizers: Iterable[Regularizer], seen: Judgement, update: int) -> Tensor:
    """The sum of the penalties that are due at discriminator update number `update` (from 0), a scalar."""
    due = [each for each in regularizers if update % each.interval == 0]
    seen = replace(seen, kinds=tuple(kind for kind in seen.kinds if any(each.kind == kind for each in due)))
    penalties = [each.interval * penalty for each in due if (penalty := each.penalty(seen)) is not None]
    return torch.stack(penalties).sum() if penalties else seen.real_logits.new_zeros(())


def squared_lengths(slopes: Tensor, count: int) -> Tensor:
    """The squared length of D's slopes [N, ...], for each of `count` samples or packs."""
    return slopes.reshape(count, -1).square().sum(1)


@dataclass(frozen=True)
class R1(Regularizer):
    """gamma / 2 E ||grad D(x)||^2 on real samples: zero-centred, so it vanishes at the equilibrium.

    With `final_gamma` the weight falls from `gamma` to it by half a cosine over the training (Huang et al. 2024,
    appendix on hyperparameters): coarse features of the data first, then fine ones.
    """

    paper: ClassVar[str] = "Mescheder et al. 2018, eq. 9"
    kind: ClassVar[Kind] = "real"
    gamma: Weight = 1.0
    final_gamma: Weight | None = None
    interval: Interval = 1

    def weight(self, progress: float) -> float:
        """Gamma when the part `progress` of the training, from 0 to 1, is done."""
        final = self.gamma if self.final_gamma is None else self.final_gamma
        return final + (self.gamma - final) * (1 + math.cos(math.pi * progress)) / 2

    def penalty(self, seen: Judgement) -> Tensor:
        """On the samples of its kind."""
        return self.weight(seen.progress) / 2 * seen.squared_slopes(self.kind).mean()


@dataclass(frozen=True)
class R2(R1):
    """gamma / 2 E ||grad D(G(z))||^2: the same on generated samples."""

    paper: ClassVar[str] = "Mescheder et al. 2018, eq. 10"
    kind: ClassVar[Kind] = "fake"


@dataclass(frozen=True)
class GradientPenalty(Regularizer):
    """weight E (||grad D(y)|| - target)^2 with y = e x + (1 - e) G(z) and e uniform on (0, 1), one for each sample.

    `one_sided` punishes only slopes above the target (Petzka et al. 2018).
    """

    paper: ClassVar[str] = "Gulrajani et al. 2017, eq. 3"
    weight: Weight = 10.0
    target: Positive = 1.0
    one_sided: bool = False
    interval: Interval = 1

    def penalty(self, seen: Judgement) -> Tensor:
        """On the straight lines between pairs of both kinds."""
        mix = _per_verdict(seen)
        return self._at(mix * seen.real + (1 - mix) * seen.fake, seen)

    def _at(self, samples: Tensor, seen: Judgement) -> Tensor:
        samples.requires_grad_()  # they may also depend on G's parameters, of which the penalty is then a function
        logits = seen.judge(samples)
        (slopes,) = torch.autograd.grad(logits.sum(), samples, create_graph=True)
        excess = (squared_lengths(slopes, len(logits)) + 1e-12).sqrt() - self.target  # the root of 0 has no gradient
        return self.weight * (excess.clamp(min=0) if self.one_sided else excess).square().mean()


@dataclass(frozen=True)
class Dragan(GradientPenalty):
    """The same penalty around the data: y = x + alpha spread std(x) u, with alpha and u uniform on (0, 1).

    One alpha for each sample (or pack), a u for each of its values, std(x) over the batch; as in the released code.
    """

    paper: ClassVar[str] = "Kodali et al. 2017, eq. 1 and its released code"
    spread: Positive = 0.5

    def penalty(self, seen: Judgement) -> Tensor:
        """On perturbed real samples."""
        share = _per_verdict(seen) * self.spread * seen.real.std()
        return self._at(seen.real + share * torch.rand_like(seen.real), seen)


def _per_verdict(seen: Judgement) -> Tensor:
    """A number in (0, 1) for each verdict on real samples, [N, 1, ...]: the same for all samples of a pack."""
    verdicts = len(seen.real_logits)
    shares = torch.rand(verdicts, *[1] * (seen.real.ndim - 1), device=seen.real.device)
    return shares.repeat_interleave(len(seen.real) // verdicts, dim=0)


@dataclass(frozen=True)
class SpectralNorm(Regularizer):
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
class MaxNorm(Regularizer):
    """The incoming weights of each unit scaled back to a norm of at most `limit`."""

    paper: ClassVar[str] = "Srivastava et al. 2014, section 5.1; Goodfellow et al. 2014 (released TFD code, 1.9365)"
    limit: Positive = 1.9365

    @torch.no_grad()
    def project(self, discriminator: nn.Module) -> None:
        """Rescale, where needed, every row of every weight."""
        for layer in discriminator.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                layer.weight.copy_(layer.weight.flatten(1).renorm(2, 0, self.limit).view_as(layer.weight))


@dataclass(frozen=True)
class WeightClipping(Regularizer):
    """Every parameter clipped to [-limit, limit]: the first way to keep a Wasserstein critic Lipschitz."""

    paper: ClassVar[str] = "Arjovsky et al. 2017, algorithm 1"
    limit: Positive = 0.01

    @torch.no_grad()
    def project(self, discriminator: nn.Module) -> None:
        """Clip."""
        for parameter in discriminator.parameters():
            parameter.clamp_(-self.limit, self.limit)
