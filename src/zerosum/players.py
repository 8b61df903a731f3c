"""The players: two networks, each with parameters and an optimiser of its own.

An update differentiates one player's loss with respect to that player's parameters alone, so neither can reach the
other's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce

import torch
from torch import Tensor, nn

from zerosum.engine import Engine, Verdict
from zerosum.networks import Networks
from zerosum.optimizers import Optimizer
from zerosum.regularizers import Regularizer
from zerosum.tricks import Memory, Trick


@dataclass(frozen=True)
class Player:
    """One player: a network, whose parameters are its own, and the optimiser that moves them."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    settings: Optimizer
    regularizers: tuple[Regularizer, ...] = ()

    def descend(self, loss: Tensor, step: int, steps: int) -> None:
        """One update of this player's parameters, and of nothing else, against the gradient of `loss`."""
        self.differentiate(loss)
        self.follow(step, steps)

    def differentiate(self, loss: Tensor, *, retain_graph: bool = False) -> None:
        """Find the gradient of `loss` with respect to this player's parameters, and to nothing else."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward(inputs=list(self.network.parameters()), retain_graph=retain_graph)  # type: ignore[no-untyped-call]

    def follow(self, step: int, steps: int) -> None:
        """Move the parameters against the gradient that was found."""
        self.settings.schedule(self.optimizer, step, steps)
        self.optimizer.step()
        self.project()

    def project(self) -> None:
        """Bring the network back within its constraints."""
        for regularizer in self.regularizers:
            regularizer.project(self.network)


@dataclass(frozen=True)
class Players:
    """The generator G and the discriminator D of one game, the family they come from, and what is played with them.

    Attributes:
        classes: how many classes the samples have; 0 if the players are not to know.
        tricks: what is done to the discriminator's samples and labels, in this order.
        memory: what the tricks remember.
    """

    generator: Player
    discriminator: Player
    networks: Networks
    classes: int = 0
    tricks: tuple[Trick, ...] = ()
    memory: Memory = field(default_factory=dict)

    def judge(self, engine: Engine, progress: float, samples: Tensor, labels: Tensor | None) -> Verdict:
        """D's verdict on `samples`, of which it sees what the tricks show."""
        shown = reduce(lambda seen, trick: trick.show(seen, progress, self.memory), self.tricks, samples)
        return engine.verdict(self.discriminator.network, shown, labels)

    def verdicts(
        self, judge: Callable[[Tensor, Tensor | None], Verdict], real: Tensor, fake: Tensor, labels: Tensor | None
    ) -> tuple[Verdict, Verdict]:
        """What `judge`, some D of the family, says of real samples and of fakes, both of the classes `labels`.

        By one pass over both, unless its verdict on a sample depends on the batch, which must then be of one kind.
        """
        if self.networks.separate_batches:
            return judge(real, labels), judge(fake, labels)
        return judge(torch.cat([real, fake]), None if labels is None else labels.repeat(2)).halves()
