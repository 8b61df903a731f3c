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
        head_logits: those of heads on features, [N, K], from a discriminator that has such; else None.
    """

    logits: Tensor
    class_nll: Tensor | None = None
    head_logits: Tensor | None = None

    def halves(self) -> tuple["Prediction", "Prediction"]:
        """Split the prediction into those of the first and of the second half of the batch."""
        return self.map(lambda part: part[: len(part) // 2]), self.map(lambda part: part[len(part) // 2 :])

    def map(self, change: Callable[[Tensor], Tensor]) -> "Prediction":
        """Apply `change` to every part that is there."""
        class_nll, head_logits = (None if part is None else change(part) for part in self[1:])
        return Prediction(change(self.logits), class_nll, head_logits)

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
        real_head_logits: of heads on features for real samples, [N, K]; None without such heads.
        fake_head_logits: the same for generated samples.
    """

    discriminator: Callable[[Tensor], Tensor]
    real: Tensor
    fake: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    real_class_loss: Tensor
    fake_class_loss: Tensor
    done: float = 0.0
    real_head_logits: Tensor | None = None
    fake_head_logits: Tensor | None = None

    @property
    def of_generator(self) -> "GeneratorPass":
        """The same pass, for a generator that learns from it too."""
        heads = self.real_head_logits, self.fake_head_logits
        return GeneratorPass(self.real_logits, self.fake_logits, self.fake_class_loss, *heads)

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
        real_head_logits: of heads on features, [N, K], NaN unless the game is relativistic; None without such heads.
        fake_head_logits: the same for the fakes, in the graph of G's parameters.
    """

    real_logits: Tensor
    fake_logits: Tensor
    class_loss: Tensor
    real_head_logits: Tensor | None = None
    fake_head_logits: Tensor | None = None
