"""A contest: the zero-sum game between copies of two players, on data that they were not trained on.

Copies train on half of the data, their best moment is chosen on a quarter, and what is reported is measured on the last
quarter, so that nothing is gained by learning samples by heart.
"""

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass as checked_dataclass
from torch import Tensor, nn

from zerosum import randomness
from zerosum.data import Split
from zerosum.engine import Engine
from zerosum.errors import InputError
from zerosum.games import Game
from zerosum.optimizers import Adam, Positive
from zerosum.players import Player, Players

MOMENTS = 10  # at which a copy in training is judged
LEAST_BATCHES = 4

Count = Annotated[int, Field(ge=1)]
Part = Literal["training", "choosing", "scoring"]
PARTS: tuple[Part, ...] = ("training", "choosing", "scoring")


@checked_dataclass(frozen=True)
class Protocol:
    """How long and how far copies look for something better.

    Attributes:
        steps: updates of each copy; 300, and 100 batches, are what Sidheekh et al. 2021a take.
        lr: Adam's learning rate at the first update; it falls linearly to 0.
        perturbation: the standard deviation of the normal noise on a copy's parameters at the start. A stationary point
            that is no equilibrium has no slope by which a copy could leave it (Sidheekh et al. 2021a, whose code takes
            0.25 for points and more for images, from where 300 steps need not lead back; that of the proximal gap, by
            the same authors, 0.001).
        batches: how many are measured, at most; every real sample is used once.
    """

    steps: Count = 300
    lr: Positive = 1e-3
    perturbation: Annotated[float, Field(ge=0)] = 0.01
    batches: Annotated[int, Field(ge=LEAST_BATCHES)] = 100


class Round(NamedTuple):
    """What the players meet over: real samples with their labels, and codes for as many fakes."""

    real: Tensor
    labels: Tensor | None
    codes: Tensor


@dataclass(frozen=True, eq=False)
class Contest:
    """Two players, and the data over which copies of them meet.

    The payoff M(G, D) is minus half the discriminator's loss; in the games of the 2014 paper it is half the value
    function, M = (E log D(x) + E log(1 - D(G(z)))) / 2, as in Grnarova et al. 2019. The discriminator maximises it, the
    generator minimises it, whatever loss the generator was trained with. Penalties and tricks are no part of it.
    Constraints on the weights are: every copy keeps those of its player, as without them a critic could gain without
    bound. All networks act as in training, with their dropout and the statistics of each batch.
    """

    players: Players
    game: Game
    engine: Engine
    data: dict[Part, Split]
    batch_size: int
    protocol: Protocol
    seed: int

    @classmethod
    def over(
        cls, players: Players, game: Game, engine: Engine, unseen: Split, batch_size: int, protocol: Protocol, seed: int
    ) -> "Contest":
        """Share out the samples that the players have not seen.

        Raises:
            InputError: they are too few.
        """
        quarter, packing = len(unseen) // 4, players.networks.packing
        size = min(batch_size, quarter // LEAST_BATCHES) // packing * packing
        if size < 1:
            raise InputError(f"{len(unseen)} test samples are too few to look for improvements and to measure them")
        order = torch.randperm(len(unseen), generator=randomness.generator(seed, 0, "contest"))
        ends = (0, 2 * quarter, 3 * quarter, 4 * quarter)
        parts = (_part(unseen, order[start:end]) for start, end in itertools.pairwise(ends))
        return cls(players, game, engine, dict(zip(PARTS, parts, strict=True)), size, protocol, seed)

    def rounds(self, part: Part) -> Iterator[Round]:
        """One epoch of a part of the data, at most `protocol.batches` rounds, each with codes of its own."""
        count = min(self.protocol.batches, len(self.data[part]) // self.batch_size)
        for number in range(count):
            yield self.round(part, number, "measured")

    def round(self, part: Part, number: int, purpose: str) -> Round:
        """Round `number` of an endless stream."""
        networks, device = self.players.networks, self.engine.device
        real, labels = self.data[part].minibatch(
            self.batch_size, number, self.seed, device=device, labelled=networks.conditional
        )
        with randomness.scope(self.seed, number, f"{purpose} codes for {part}", device=device):
            codes = networks.draw_codes(self.batch_size, device, labels, self.players.classes)
        return Round(real, labels, codes)

    def fakes(self, generator: nn.Module, meeting: Round) -> Tensor:
        """What `generator` makes of the codes."""
        return self.engine.samples(generator, meeting.codes)

    def payoff(self, discriminator: nn.Module, fake: Tensor, meeting: Round) -> Tensor:
        """M(G, D) over one round, a scalar, where G made `fake` of the codes."""
        judge = partial(self.engine.verdict, discriminator)
        of_real, of_fake = self.players.verdicts(judge, meeting.real, fake, meeting.labels)
        return -self.game.discriminator_loss(of_real.logits, of_fake.logits) / 2

    @property
    def solution(self) -> float:
        """M where the fakes are distributed as the data and the discriminator is the best one: it cannot tell."""
        undecided = self.game.optimal_logit(torch.zeros(1))
        logit = torch.zeros(1) if undecided is None else undecided
        return 0.0 - float(self.game.discriminator_loss(logit, logit)) / 2

    def logits(self, discriminator: nn.Module, samples: Tensor, labels: Tensor | None) -> Tensor:
        """What `discriminator` says of `samples`."""
        return self.engine.verdict(discriminator, samples, labels).logits

    @torch.no_grad()
    def measure(self, payoff: Callable[[Round], Tensor], part: Part) -> Tensor:
        """`payoff` in each round of one epoch of that part, float64 [batches]; equal randomness for every payoff."""
        values = []
        for number, meeting in enumerate(self.rounds(part)):
            with randomness.scope(self.seed, number, f"measured by {part}", device=self.engine.device):
                values.append(payoff(meeting))
        return torch.stack(values).cpu().double()

    def improve(self, player: Player, loss: Callable[[nn.Module, Round], Tensor], purpose: str) -> nn.Module:
        """A copy of `player` after `protocol.steps` updates against `loss`: as it was at its best, or as it began."""
        copied, steps = self.perturbed(player, purpose), self.protocol.steps
        best, least = player.network, self._mean(player.network, loss)
        for step in range(steps):
            with randomness.scope(self.seed, step, purpose, device=self.engine.device):
                copied.descend(loss(copied.network, self.round("training", step, purpose)), step, steps)
            if (step + 1) % max(1, steps // MOMENTS) == 0 and (now := self._mean(copied.network, loss)) < least:
                best, least = copy.deepcopy(copied.network), now
        return best

    def copied(self, player: Player) -> Player:
        """A copy of `player` that learns as the protocol says, within the same constraints."""
        network, settings = copy.deepcopy(player.network), Adam(lr=self.protocol.lr, decay_from=0.0)
        return Player(network, settings.over(network.parameters()), settings, player.regularizers)

    def perturbed(self, player: Player, purpose: str) -> Player:
        """A copy of `player` with noise on every parameter."""
        copied = self.copied(player)
        with torch.no_grad(), randomness.scope(self.seed, 0, f"{purpose} perturbation", device=self.engine.device):
            for parameter in copied.network.parameters():
                parameter.add_(torch.randn_like(parameter), alpha=self.protocol.perturbation)
        copied.project()
        return copied

    def _mean(self, network: nn.Module, loss: Callable[[nn.Module, Round], Tensor]) -> float:
        with torch.no_grad():
            return float(self.measure(lambda meeting: loss(network, meeting), "choosing").mean())


def _part(split: Split, indices: Tensor) -> Split:
    labels = None if split.labels is None else split.labels[indices]
    return Split(split.samples.index_select(0, indices), labels)
