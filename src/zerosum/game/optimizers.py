"""The players' optimisers: PyTorch's own, with schedules that are functions of the step and so need no saving."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, ClassVar, cast

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import nn

from zerosum.catalog import Component, name_of
from zerosum.errors import InputError
from zerosum.types import BelowOne, Fraction, Positive


class OptimizerConfig(Component, ABC, kind="optimizer"):
    """How one player's parameters follow the gradient of its loss.

    Attributes:
        paper: where it was published.
    """

    paper: ClassVar[str]

    @abstractmethod
    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Build PyTorch's optimiser over the `parameters` of one player."""

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate that `schedule` sets at `step` of `steps`."""
        optimizer = self.build([nn.Parameter(torch.zeros(1))])
        self.schedule(optimizer, step, steps)
        return float(optimizer.param_groups[0]["lr"])

    def halve(self) -> "OptimizerConfig":
        """Return the same with half the learning rate, its field `lr`.

        Raises:
            InputError: it has no such field.
        """
        rate = getattr(self, "lr", None)
        if rate is None:
            raise InputError(f"the optimiser {name_of(self)} has no field lr, which could be halved")
        halved: OptimizerConfig = replace(cast(Any, self), lr=rate / 2)
        return halved

    @abstractmethod
    def schedule(self, optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
        """Set the learning rate (and momentum) that hold at `step` of `steps`, counted from 0."""


@dataclass(frozen=True)
class Adam(OptimizerConfig, name="adam"):
    """Adam (Kingma & Ba 2015); beta1 = 0.5 is DCGAN's choice.

    The learning rate is constant until the fraction `decay_from` of the training, then falls linearly to 0.
    """

    paper: ClassVar[str] = "Kingma & Ba 2015"
    lr: Positive = 2e-4
    beta1: BelowOne = 0.5
    beta2: BelowOne = 0.999
    decay_from: Fraction = 1.0

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Build PyTorch's fused Adam: one kernel for all parameters."""
        return torch.optim.Adam(parameters, lr=self.lr, betas=(self.beta1, self.beta2), fused=True)

    def schedule(self, optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
        """Decay the rate linearly to 0 over the last part of the training."""
        left = (1 - step / steps) / (1 - self.decay_from) if self.decay_from < 1 else 1.0
        _set(optimizer, lr=self.lr * min(1.0, left))


@dataclass(frozen=True)
class SGD(OptimizerConfig, name="sgd"):
    """Stochastic gradient descent with momentum as in the released code of the 2014 paper.

    After each update the learning rate is divided by `decay`, down to `lr_floor`; the momentum rises linearly from
    `momentum` to `final_momentum` over the first `momentum_steps` updates. The defaults are the MNIST experiment's
    (250 epochs of 500 updates).
    """

    paper: ClassVar[str] = "Goodfellow et al. 2014 (released code)"
    lr: Positive = 0.1
    decay: Annotated[float, Field(ge=1)] = 1.000004
    lr_floor: Annotated[float, Field(ge=0)] = 1e-6
    momentum: BelowOne = 0.5
    final_momentum: BelowOne = 0.7
    momentum_steps: Annotated[int, Field(ge=1)] = 125_000

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Build PyTorch's fused SGD: its velocity times -lr is the velocity of the paper's code at a constant lr.

        In that code each gradient enters the velocity at the rate of its own step; at momentum 0.7 and a decay of 4e-6
        per update the difference is negligible.
        """
        return torch.optim.SGD(parameters, lr=self.lr, momentum=self.momentum, fused=True)

    def schedule(self, optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
        """Decay the learning rate exponentially and raise the momentum linearly."""
        ramp = min(1.0, step / self.momentum_steps)
        _set(
            optimizer,
            lr=max(self.lr_floor, self._decayed(step)),
            momentum=self.momentum + (self.final_momentum - self.momentum) * ramp,
        )

    def _decayed(self, step: int) -> float:
        """Return the rate at `step` without the floor."""
        try:
            return self.lr / self.decay**step
        except OverflowError:  # the divisor is larger than any float
            return 0.0


def _set(optimizer: torch.optim.Optimizer, **values: float) -> None:
    for group in optimizer.param_groups:
        group.update(values)
