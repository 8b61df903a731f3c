"""The two-player games: one class each, with both players' losses on the discriminator's logits.

The logit is the input of the discriminator's final sigmoid, D(x) = sigmoid(logit). Working on logits keeps every loss
and its gradient finite for any finite logit in float32, where the logarithm of a rounded probability would not be.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
import torch.nn.functional as F
from pydantic.dataclasses import dataclass
from torch import Tensor


def value(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The value function V(D, G) = E log D(x) + E log(1 - D(G(z))), a scalar <= 0 (Goodfellow et al. 2014, eq. 1).

    Args:
        real_logits: the discriminator's logits for samples x of the data, any shape.
        fake_logits: its logits for generated samples G(z), any shape.
    """
    return F.logsigmoid(real_logits).mean() + F.logsigmoid(-fake_logits).mean()


def cross_entropy(logits: Tensor, label: float) -> Tensor:
    """Binary cross-entropy, in nats, of the discriminator's answer against the label real = 1 or fake = 0."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


class Game(ABC):
    """A two-player game: what each player minimises, given the logits of one batch of real and of fake samples.

    Attributes:
        paper: where the game was published, with the equation.
        zero_sum: whether the players' losses add up to a constant, so that one's gain is the other's loss.
    """

    paper: ClassVar[str]
    zero_sum: ClassVar[bool]

    @abstractmethod
    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What the discriminator minimises, a scalar."""

    @abstractmethod
    def generator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What the generator minimises, a scalar."""

    @abstractmethod
    def optimal_logit(self, log_ratio: Tensor) -> Tensor:
        """The logit of the best discriminator where log p_data(x) / p_g(x) = `log_ratio`, elementwise."""


@dataclass(frozen=True)
class Minimax(Game):
    """The zero-sum game of the paper: the generator minimises log(1 - D(G(z))), and starves where D is sure."""

    paper: ClassVar[str] = "Goodfellow et al. 2014, eq. 1"
    zero_sum: ClassVar[bool] = True

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """-V(D, G), which is the sum of two binary cross-entropies."""
        return cross_entropy(real_logits, 1.0) + cross_entropy(fake_logits, 0.0)

    def generator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """E log(1 - D(G(z))): the only part of V(D, G) in which the generator appears."""
        return -cross_entropy(fake_logits, 0.0)

    def optimal_logit(self, log_ratio: Tensor) -> Tensor:
        """D* = p_data / (p_data + p_g) (Proposition 1), whose logit is the log ratio itself."""
        return log_ratio


@dataclass(frozen=True)
class NonSaturating(Minimax):
    """The game that the paper trains: the same discriminator, but the generator maximises log D(G(z)).

    Same fixed point, and a strong gradient early on, when the discriminator rejects every fake (section 3).
    """

    paper: ClassVar[str] = "Goodfellow et al. 2014, section 3"
    zero_sum: ClassVar[bool] = False

    def generator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """-E log D(G(z)): the cross-entropy of the fakes against the label real."""
        return cross_entropy(fake_logits, 1.0)
