"""The two-player games: one class each, with both players' losses on the discriminator's logits.

The logit is the input of the discriminator's final sigmoid, D(x) = sigmoid(logit). Working on logits keeps every loss
and its gradient finite for any finite logit in float32, where the logarithm of a rounded probability would not be.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic.dataclasses import dataclass
from torch import Tensor

from zerosum.catalog import Component


def value(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Compute V(D, G) = E log D(x) + E log(1 - D(G(z))), a scalar <= 0 (Goodfellow et al. 2014, eq. 1).

    Args:
        real_logits: the discriminator's logits for samples x of the data, any shape.
        fake_logits: its logits for generated samples G(z), any shape.
    """
    return F.logsigmoid(real_logits).mean() + F.logsigmoid(-fake_logits).mean()


class Game(Component, ABC, kind="game"):
    """A two-player game: what each player minimises, given the logits of one batch of real and of fake samples.

    Attributes:
        paper: where the game was published, with the equation.
        relativistic: whether the generator's loss depends on the real samples' logits.
        probabilistic: whether D(x) = sigmoid(logit) is the discriminator's probability that x is real; elsewhere a
            logit says something only beside others.
    """

    paper: ClassVar[str]
    relativistic: ClassVar[bool] = False
    probabilistic: ClassVar[bool] = False

    @abstractmethod
    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What the discriminator minimises, a scalar."""

    @abstractmethod
    def generator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What the generator minimises, a scalar."""

    @abstractmethod
    def optimal_logit(self, log_ratio: Tensor) -> Tensor | None:
        """Return D's best logit where log p_data(x) / p_g(x) = `log_ratio`, elementwise; None if it is unknown.

        Games without an optimum (unbounded ones) and those whose optimum is no function of the ratio answer None.
        """


class LabelledGame(Game):
    """A game whose discriminator is taught by labels: real = 1, fake = 0, unless a trick blurs them."""

    @abstractmethod
    def label_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The discriminator's mean loss for `logits` [N] where `labels` [N] are right, a scalar."""

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """The losses of both kinds against their labels, added."""
        return self.label_loss(real_logits, torch.ones_like(real_logits)) + self.label_loss(
            fake_logits, torch.zeros_like(fake_logits)
        )


def decides_by_sign(game: Game) -> bool:
    """Whether the best logit in `game` is above 0 where real samples are denser, and below 0 where fakes are."""
    best = None if game.relativistic else game.optimal_logit(torch.tensor([-1.0, 1.0]))
    return best is not None and best.sign().tolist() == [-1, 1]


@dataclass(frozen=True)
class Minimax(LabelledGame, name="minimax"):
    """The zero-sum game of the paper: the generator minimises log(1 - D(G(z))), and starves where D is sure.

    The discriminator's loss is the sum of two binary cross-entropies, which is -V(D, G).
    """

    paper: ClassVar[str] = "Goodfellow et al. 2014, eq. 1"
    probabilistic: ClassVar[bool] = True

    def label_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Binary cross-entropy, in nats."""
        return F.binary_cross_entropy_with_logits(logits, labels)

    def generator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """E log(1 - D(G(z))): the only part of V(D, G) in which the generator appears."""
        return -self.label_loss(fake_logits, torch.zeros_like(fake_logits))

    def optimal_logit(self, log_ratio: Tensor) -> Tensor:
        """D* = p_data / (p_data + p_g) (Proposition 1), whose logit is the log ratio itself."""
        return log_ratio


@dataclass(frozen=True)
class NonSaturating(Minimax, name="non-saturating"):
    """The game that the paper trains: the same discriminator, but the generator maximises log D(G(z)).

    Same fixed point, and a strong gradient early on, when the discriminator rejects every fake (section 3).
    """

    paper: ClassVar[str] = "Goodfellow et al. 2014, section 3"

    def generator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """-E log D(G(z)): the cross-entropy of the fakes against the label real."""
        return self.label_loss(fake_logits, torch.ones_like(fake_logits))


@dataclass(frozen=True)
class LeastSquares(LabelledGame, name="least-squares"):
    """The discriminator regresses on the labels `a` for fakes and `b` for reals, the generator aims at `c`.

    With b - c = 1 and b - a = 2 the generator minimises Pearson's chi-squared divergence between p_data + p_g and 2 p_g
    (Mao et al. 2017, eq. 6); the default is their 0-1 coding (eq. 9).
    """

    paper: ClassVar[str] = "Mao et al. 2017, eq. 2"
    a: float = 0.0
    b: float = 1.0
    c: float = 1.0

    def label_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Half the mean squared distance of each answer to its label, on the scale from `a` to `b`."""
        return (logits - (self.a + (self.b - self.a) * labels)).square().mean() / 2

    def generator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Half the mean squared distance of the fakes' answers to `c`."""
        return (fake_logits - self.c).square().mean() / 2

    def optimal_logit(self, log_ratio: Tensor) -> Tensor:
        """(b p_data + a p_g) / (p_data + p_g) (eq. 5)."""
        share = log_ratio.sigmoid()
        return self.b * share + self.a * (1 - share)


@dataclass(frozen=True)
class Hinge(Game, name="hinge"):
    """The geometric GAN: only samples within the margin, or on the wrong side of it, move the discriminator."""

    paper: ClassVar[str] = "Lim & Ye 2017, eqs. 20 and 21; Miyato et al. 2018, eqs. 16 and 17"

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))."""
        return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()

    def generator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """-E D(G(z))."""
        return -fake_logits.mean()

    def optimal_logit(self, log_ratio: Tensor) -> Tensor:
        """+1 where real samples are denser, -1 where fakes are."""
        return log_ratio.sign()


@dataclass(frozen=True)
class Wasserstein(Game, name="wasserstein"):
    """The critic's mean difference: the earth mover's distance, if a regulariser keeps the critic 1-Lipschitz."""

    paper: ClassVar[str] = "Arjovsky et al. 2017, eqs. 2 and 3"

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """E D(G(z)) - E D(x)."""
        return fake_logits.mean() - real_logits.mean()

    def generator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """-E D(G(z))."""
        return -fake_logits.mean()

    def optimal_logit(self, log_ratio: Tensor) -> None:
        """Without the Lipschitz constraint there is none: the loss is linear in the logits."""


PairwiseLoss = Literal["softplus", "least-squares", "hinge"]


def pairwise_loss(difference: Tensor, by: PairwiseLoss) -> Tensor:
    """How bad it is, on average, that real samples lead fakes by `difference` only."""
    if by == "softplus":
        return F.softplus(-difference).mean()
    if by == "hinge":
        return F.relu(1 - difference).mean()
    return (difference - 1).square().mean()


@dataclass(frozen=True)
class Relativistic(Game, name="relativistic"):
    """Relativistic pairing (RpGAN): each real sample is compared with one fake, and only the difference counts.

    With `softplus` it is the game of R3GAN (Huang et al. 2024, eq. 2), which has no bad local minima in which the
    generator drops modes (Sun et al. 2020). Both batches must be of one size.
    """

    paper: ClassVar[str] = "Jolicoeur-Martineau 2019, section 4.1"
    relativistic: ClassVar[bool] = True
    pairwise_loss: PairwiseLoss = "softplus"

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Real samples should lead fakes."""
        return pairwise_loss(real_logits - fake_logits, self.pairwise_loss)

    def generator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Fakes should lead real samples."""
        return pairwise_loss(fake_logits - real_logits, self.pairwise_loss)

    def optimal_logit(self, log_ratio: Tensor) -> Tensor | None:
        """Up to a constant the log ratio itself for `softplus`, as in the minimax game."""
        return log_ratio if self.pairwise_loss == "softplus" else None


@dataclass(frozen=True)
class RelativisticAverage(Game, name="relativistic-average"):
    """Relativistic average (RaGAN): each sample is compared with the mean of the other kind (their section 4.2)."""

    paper: ClassVar[str] = "Jolicoeur-Martineau 2019, section 4.2"
    relativistic: ClassVar[bool] = True
    pairwise_loss: PairwiseLoss = "softplus"

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Real samples should lead the average fake, and the average real sample should lead the fakes."""
        leading = pairwise_loss(real_logits - fake_logits.mean(), self.pairwise_loss)
        return leading + pairwise_loss(real_logits.mean() - fake_logits, self.pairwise_loss)

    def generator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """The same with the roles exchanged."""
        return self.discriminator_loss(fake_logits, real_logits)

    def optimal_logit(self, log_ratio: Tensor) -> None:
        """Not a function of the ratio at one point: the averages enter."""
