"""The zero-sum game between two players, on data that they were not trained on: the search for best responses in it.

Copies of a player train on half of the data, the best state of each is chosen on a quarter, and what is reported is
measured on the last quarter, so that learning samples by heart gains nothing.
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
from zerosum.errors import InputError
from zerosum.game.losses import Game
from zerosum.game.optimizers import Adam
from zerosum.game.players import Player, Players
from zerosum.game.recipe import Recipe
from zerosum.networks.layers import list_learning
from zerosum.types import Positive

VALIDATIONS = 10  # of a copy in training
LEAST_BATCHES = 4

Part = Literal["training", "choosing", "scoring"]
PARTS: tuple[Part, ...] = ("training", "choosing", "scoring")


@checked_dataclass(frozen=True)
class Protocol:
    """How long and how far copies search for a best response.

    Attributes:
        steps: updates of each copy; 300, and 100 batches, are what Sidheekh et al. 2021a take.
        lr: Adam's learning rate at the first update; it falls linearly to 0.
        perturbation: the standard deviation of the normal noise on a copy's parameters at the start. A stationary point
            that is no equilibrium has no gradient by which a copy could leave it (Sidheekh et al. 2021a, whose code
            takes 0.25 for points and more for images, from where 300 steps need not lead back; that of the proximal
            gap, by the same authors, 0.001).
        batches: the largest number of batches that are measured; every real sample is used once.
    """

    steps: Annotated[int, Field(ge=1)] = 300
    lr: Positive = 1e-3
    perturbation: Annotated[float, Field(ge=0)] = 0.01
    batches: Annotated[int, Field(ge=LEAST_BATCHES)] = 100


class GameBatch(NamedTuple):
    """What the payoff of two players is computed on.

    Attributes:
        real: real samples [N, ...].
        labels: their classes [N], and those of the fakes; None if the players are not told.
        latents: the generator's inputs for as many fakes [N, latent (+ classes)].
    """

    real: Tensor
    labels: Tensor | None
    latents: Tensor


@dataclass(frozen=True, eq=False)
class ZeroSumGame:
    """Two players, the payoff between copies of them, and the data on which it is computed.

    The payoff M(G, D) is minus half the discriminator's loss; in the games of the 2014 paper it is half the value
    function, M = (E log D(x) + E log(1 - D(G(z)))) / 2, as in Grnarova et al. 2019. The discriminator maximises it, the
    generator minimises it, whatever loss the generator was trained with. Penalties and tricks are no part of it.
    Constraints on the weights are: every copy keeps those of its player, as without them a critic could gain without
    bound. All networks act as in training, with their dropout and the statistics of each batch.
    """

    players: Players
    game: Game
    data: dict[Part, Split]
    batch_size: int
    protocol: Protocol
    seed: int

    @classmethod
    def build(cls, players: Players, recipe: Recipe, unseen: Split, protocol: Protocol, seed: int) -> "ZeroSumGame":
        """Divide the samples that the players have not seen into the three parts.

        Raises:
            InputError: they are too few.
        """
        quarter, packing = len(unseen) // 4, players.networks.packing
        size = min(recipe.batch_size, quarter // LEAST_BATCHES) // packing * packing
        if size < 1:
            raise InputError(f"{len(unseen)} test samples are too few to look for improvements and to measure them")
        order = torch.randperm(len(unseen), generator=randomness.rng(seed, 0, "contest"))
        ends = (0, 2 * quarter, 3 * quarter, 4 * quarter)
        parts = (_select(unseen, order[start:end]) for start, end in itertools.pairwise(ends))
        return cls(players, recipe.game, dict(zip(PARTS, parts, strict=True)), size, protocol, seed)

    def batches(self, part: Part) -> Iterator[GameBatch]:
        """Yield one epoch of a part of the data, at most `protocol.batches` batches, each with latents of its own."""
        count = min(self.protocol.batches, len(self.data[part]) // self.batch_size)
        for number in range(count):
            yield self.draw_batch(part, number, "measured")

    def draw_batch(self, part: Part, number: int, purpose: str) -> GameBatch:
        """Draw batch `number` of an endless stream."""
        networks, device = self.players.networks, self.players.engine.device
        real, labels = self.players.real_batch(self.data[part], self.batch_size, number, self.seed)
        with self.players.random(self.seed, number, f"{purpose} codes for {part}"):  # the name decides the draws
            latents = networks.sample_latents(self.batch_size, device, labels, self.players.classes)
        return GameBatch(real, labels, latents)

    def payoff(self, generator: nn.Module, discriminator: nn.Module, batch: GameBatch) -> Tensor:
        """Return M(G, D) on one batch, a scalar, differentiable with respect to both players' parameters."""
        return self._payoff(discriminator, self.players.engine.generate(generator, batch.latents), batch)

    def payoff_on_fixed_fakes(self, generator: nn.Module, discriminator: nn.Module, batch: GameBatch) -> Tensor:
        """Return M(G, D) with the generator's samples held fixed: differentiable with respect to D's parameters."""
        with torch.no_grad():
            fake = self.players.engine.generate(generator, batch.latents)
        return self._payoff(discriminator, fake, batch)

    def _payoff(self, discriminator: nn.Module, fake: Tensor, batch: GameBatch) -> Tensor:
        predict = partial(self.players.engine.predict, discriminator)
        of_real, of_fake = self.players.predict_pair(predict, batch.real, fake, batch.labels)
        return -self.game.discriminator_loss(of_real.logits, of_fake.logits) / 2

    @property
    def solution(self) -> float:
        """M where the fakes are distributed as the data and the discriminator is the best one: it cannot tell."""
        undecided = self.game.optimal_logit(torch.zeros(1))
        logit = torch.zeros(1) if undecided is None else undecided
        return 0.0 - float(self.game.discriminator_loss(logit, logit)) / 2

    @torch.no_grad()
    def measure(self, payoff: Callable[[GameBatch], Tensor], part: Part) -> Tensor:
        """Compute `payoff` on each batch of one epoch of that part, float64 [batches].

        Every payoff gets the same randomness.
        """
        values = []
        for number, batch in enumerate(self.batches(part)):
            with self.players.random(self.seed, number, f"measured by {part}"):
                values.append(payoff(batch))
        return torch.stack(values).cpu().double()

    def train_best_response(
        self, player: Player, loss: Callable[[nn.Module, GameBatch], Tensor], purpose: str
    ) -> nn.Module:
        """Train a copy of `player` on `loss` for `protocol.steps` updates, and return the best network on the way.

        The player's own network is returned if no copy was better.
        """
        learner, steps = self.perturb(self.copy_player(player), purpose), self.protocol.steps
        best, least = player.network, self._validate(player.network, loss)
        for step in range(steps):
            with self.players.random(self.seed, step, purpose):
                learner.step(loss(learner.network, self.draw_batch("training", step, purpose)), step, steps)
            if (step + 1) % max(1, steps // VALIDATIONS) == 0:
                now = self._validate(learner.network, loss)
                if now < least:
                    best, least = copy.deepcopy(learner.network), now
        return best

    def copy_player(self, player: Player) -> Player:
        """Copy `player`; the copy learns as the protocol says, within the same constraints."""
        network, config = copy.deepcopy(player.network), Adam(lr=self.protocol.lr, decay_from=0.0)
        return Player(network, config.build(list_learning(network)), config, player.regularizers)

    def perturb(self, player: Player, purpose: str) -> Player:
        """Add the protocol's noise to every parameter of `player`, in place, and return it."""
        with torch.no_grad(), self.players.random(self.seed, 0, f"{purpose} perturbation"):
            for parameter in player.parameters:
                parameter.add_(torch.randn_like(parameter), alpha=self.protocol.perturbation)
        player.project()
        return player

    def _validate(self, network: nn.Module, loss: Callable[[nn.Module, GameBatch], Tensor]) -> float:
        """Compute the mean loss of `network` on the part of the data on which networks are chosen."""
        with torch.no_grad():
            return float(self.measure(lambda batch: loss(network, batch), "choosing").mean())


def _select(split: Split, indices: Tensor) -> Split:
    labels = None if split.labels is None else split.labels[indices]
    return Split(split.samples.index_select(0, indices), labels)
