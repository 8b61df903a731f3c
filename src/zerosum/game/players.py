"""The players: two networks, each with parameters and an optimiser of its own.

An update differentiates one player's loss with respect to that player's parameters alone, so neither can reach the
other's.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial, reduce

import torch
from torch import Tensor, nn

from zerosum import randomness
from zerosum.data import Batch, Source, Split
from zerosum.game.distributed import ALONE, Reduction, Team
from zerosum.game.engine import Engine
from zerosum.game.optimizers import OptimizerConfig
from zerosum.game.predictions import DiscriminatorPass, GeneratorPass, Prediction
from zerosum.game.recipe import Recipe
from zerosum.game.regularizers import Regularizer
from zerosum.game.tricks import Memory, Trick
from zerosum.networks import Networks
from zerosum.networks.layers import Constrained, freeze, list_learning


@dataclass(frozen=True)
class Player:
    """One player: a network, whose parameters are its own, and the optimiser that moves them.

    Attributes:
        accumulate: of how many parts' losses an update follows the mean.
        reduction: how their gradients become that of the update.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    optimizer_config: OptimizerConfig
    regularizers: tuple[Regularizer, ...] = ()
    accumulate: int = 1
    reduction: Reduction = field(default_factory=Reduction)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The parameters that learn: all but those of frozen layers."""
        return list_learning(self.network)

    def step(self, loss: Tensor, step: int, steps: int) -> None:
        """Update this player's parameters once, and nothing else, against the gradient of `loss`."""
        self.backward(loss)
        self.apply_gradients(step, steps)

    def backward(self, loss: Tensor, *, retain_graph: bool = False) -> None:
        """Add the gradient of the `loss` of one part with respect to this player's parameters, and to nothing else."""
        share = loss if self.accumulate == 1 else loss / self.accumulate
        share.backward(inputs=self.parameters, retain_graph=retain_graph)  # type: ignore[no-untyped-call]
        self.reduction.keep()

    def apply_gradients(self, step: int, steps: int) -> None:
        """Move the parameters against the gradient, at the learning rate of `step` of `steps`, and forget it."""
        self.reduction.add_up()
        self.optimizer_config.schedule(self.optimizer, step, steps)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.project()

    @cached_property
    def constrained(self) -> list[Constrained]:
        """The layers that have constraints of their own."""
        return [module for module in self.network.modules() if isinstance(module, Constrained)]

    def project(self) -> None:
        """Bring the network back within its constraints."""
        for layer in self.constrained:
            layer.project()
        for regularizer in self.regularizers:
            regularizer.project(self.network)


@dataclass(frozen=True)
class Players:
    """The generator G and the discriminator D of one game, placed on a device.

    Attributes:
        networks: the family that both come from.
        engine: where and how they are executed.
        classes: how many classes the samples have; 0 if the players are not told.
        accumulate: parts into which each minibatch is cut; each is a pass of its own.
        team: the processes that share the parts.
        tricks: what is done to the discriminator's samples and labels, in this order.
        memory: what the tricks remember.
    """

    generator: Player
    discriminator: Player
    networks: Networks
    engine: Engine
    classes: int = 0
    accumulate: int = 1
    team: Team = ALONE
    tricks: tuple[Trick, ...] = ()
    memory: Memory = field(default_factory=dict)

    @classmethod
    def build(cls, recipe: Recipe, source: Source, engine: Engine, seed: int, team: Team = ALONE) -> "Players":
        """Initialise both players of `recipe` for the samples of `source`.

        Raises:
            InputError: two parts of the recipe do not go together, or one cannot serve the samples.
        """
        recipe.check(source)
        generator, discriminator = recipe.build_networks(source, seed)
        recipe.networks.fit_to_data(generator, discriminator, source.train.samples)
        freeze(discriminator, recipe.frozen_layers)

        def player(network: nn.Module, config: OptimizerConfig, *regularizers: Regularizer) -> Player:
            placed = engine.place(network)
            learning = list_learning(placed)
            reduction = team.reduction(learning)
            return Player(placed, config.build(learning), config, regularizers, recipe.accumulate, reduction)

        return cls(
            player(generator, recipe.generator_optimizer),
            player(discriminator, recipe.discriminator_optimizer, *recipe.regularizers),
            recipe.networks,
            engine,
            source.classes,
            recipe.accumulate,
            team,
            recipe.tricks,
        )

    def halve_rates(self) -> "Players":
        """Return the same players, networks and optimisers with half the learning rates."""

        def halve(player: Player) -> Player:
            return replace(player, optimizer_config=player.optimizer_config.halve())

        return replace(self, generator=halve(self.generator), discriminator=halve(self.discriminator))

    @property
    def parts(self) -> range:
        """The numbers of the parts of a minibatch that are played here: all, unless there are other processes."""
        return self.team.parts(self.accumulate)

    def random(self, seed: int, step: int, purpose: str, part: int = 0) -> AbstractContextManager[None]:
        """Enter a scope in which all randomness, on the CPU and on the device, is a function of the arguments."""
        return randomness.scope(seed, step, purpose, part, self.engine.device)

    def real_batch(self, data: Split, size: int, number: int, seed: int) -> Batch:
        """Draw minibatch `number` of `data`, with labels if the players are told the classes."""
        return data.minibatch(size, number, seed, device=self.engine.device, labelled=self.networks.conditional)

    def generate(self, labels: Tensor | None, count: int) -> Tensor:
        """Draw `count` latents from p_z and map them by G to samples, float32 [count, ...], of the classes `labels`."""
        latents = self.networks.sample_latents(count, self.engine.device, labels, self.classes)
        return self.engine.generate(self.generator.network, latents)

    def predict(self, samples: Tensor, labels: Tensor | None, done: float) -> Prediction:
        """Let D predict what `samples` are, as the tricks show them."""
        shown = reduce(lambda seen, trick: trick.show(seen, done, self.memory), self.tricks, samples)
        return self.engine.predict(self.discriminator.network, shown, labels)

    def predict_pair(
        self, predict: Callable[[Tensor, Tensor | None], Prediction], real: Tensor, fake: Tensor, labels: Tensor | None
    ) -> tuple[Prediction, Prediction]:
        """Apply `predict`, some D of the family, to real samples and to fakes, both of the classes `labels`.

        One pass over both, unless D's answer for a sample depends on its batch, which must then be of one kind.
        """
        if self.networks.separate_batches:
            return predict(real, labels), predict(fake, labels)
        return predict(torch.cat([real, fake]), None if labels is None else labels.repeat(2)).halves()

    def discriminate(
        self, real: Tensor, fake: Tensor, labels: Tensor | None, done: float, update: int = 0
    ) -> DiscriminatorPass:
        """Show D a batch of real samples and one of fakes for its `update`; both are of the classes `labels`."""
        fake = reduce(lambda fakes, trick: trick.replay(fakes, self.memory), self.tricks, fake)
        if any(each.penalizes and each.is_due(update) for each in self.discriminator.regularizers):
            # a penalty may differentiate D there; at other updates, nothing that leads back to samples is kept
            real.requires_grad_()
            fake.requires_grad_()
        predict = partial(self.predict, done=done)
        of_real, of_fake = self.predict_pair(predict, real, fake, labels)
        return DiscriminatorPass(
            lambda samples: predict(samples, labels).logits,
            real,
            fake,
            of_real.logits,
            of_fake.logits,
            of_real.class_loss,
            of_fake.class_loss,
            done,
            of_real.head_logits,
            of_fake.head_logits,
        )

    def discriminate_fakes(
        self, real: Tensor, fake: Tensor, labels: Tensor | None, done: float, *, relativistic: bool
    ) -> GeneratorPass:
        """Show D the fakes for G's update, and the real samples again if the game is `relativistic`."""
        of_fake = self.predict(fake, labels, done)
        of_real = of_fake.map(lambda part: torch.full_like(part, math.nan))
        if relativistic:
            with torch.no_grad():
                of_real = self.predict(real, labels, done)
        heads = of_real.head_logits, of_fake.head_logits
        return GeneratorPass(of_real.logits, of_fake.logits, of_fake.class_loss, *heads)

    def join(self, measured: Sequence[Sequence[Tensor]]) -> list[Tensor]:
        """Join what the parts of a minibatch measured, wherever: the means of scalars, and all the logits."""
        rows = self.team.gather(measured)
        if len(rows) == 1:
            return [each.detach() for each in rows[0]]
        columns = [[each.detach() for each in column] for column in zip(*rows, strict=True)]
        return [torch.cat(each) if each[0].dim() else torch.stack(each).mean() for each in columns]

    def remember(self, real_logits: Tensor, samples: int, update: int) -> None:
        """Let the tricks note what the next update should know, after discriminator update number `update`."""
        for trick in self.tricks:
            trick.remember(real_logits, samples, update, self.memory)
