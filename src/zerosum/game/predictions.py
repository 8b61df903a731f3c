"""What the discriminator answers: logits of one batch, and of a batch of real samples beside one of fakes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor


class Prediction(NamedTuple):
    """The discriminator's answer for one batch.

    Attributes:
        logits: float32 [N], or [N / m] from a discriminator that sees packs of m samples.
        class_nll: -log P(class | sample) in nats, [N], from a discriminator that predicts the class; else None.
    """

    logits: Tensor
    class_nll: Tensor | None = None

    def halves(self) -> tuple["Prediction", "Prediction"]:
        """Split the prediction into those of the first and of the second half of the batch."""
        nlls = (None, None) if self.class_nll is None else self.class_nll.chunk(2)
        first, second = (Prediction(*each) for each in zip(self.logits.chunk(2), nlls, strict=True))
        return first, second

    @property
    def class_loss(self) -> Tensor:
        """The cross-entropy of the predicted class, in nats, a scalar; 0 where no class is predicted."""
        return self.logits.new_zeros(()) if self.class_nll is None else self.class_nll.mean()


@dataclass(frozen=True)
class DiscriminatorPass:
    """One forward pass of D over real samples and fakes: what D's loss and its penalties are functions of.

    Attributes:
        discriminator: D with the batch's labels filled in, samples [N, ...] to logits [N], or [N / m] for packs of m.
        real: real samples [N, ...], in the graph of `real_logits`.
        fake: generated samples [N, ...], in the graph of `fake_logits`.
        real_class_loss: cross-entropy of the class predicted for real samples, a scalar; 0 without such predictions.
        fake_class_loss: the same for generated samples.
        done: the fraction of the training that is done, from 0 to 1.
    """

    discriminator: Callable[[Tensor], Tensor]
    real: Tensor
    fake: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    real_class_loss: Tensor
    fake_class_loss: Tensor
    done: float = 0.0

    @property
    def class_loss(self) -> Tensor:
        """What D pays for its predictions of the class, on both kinds of samples together."""
        return self.real_class_loss + self.fake_class_loss


class GeneratorPass(NamedTuple):
    """One forward pass through G and D as they stand: what G's loss is a function of.

    Attributes:
        real_logits: [N]; NaN unless the game is relativistic, so that a game which uses them undeclared stops.
        fake_logits: [N], in the graph of G's parameters.
        class_loss: cross-entropy of the class that D predicts for the fakes, a scalar; 0 without such predictions.
    """

    real_logits: Tensor
    fake_logits: Tensor
    class_loss: Tensor
