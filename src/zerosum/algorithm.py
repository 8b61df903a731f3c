"""Algorithm 1 of Goodfellow et al. 2014: k updates of the discriminator, then one of the generator, and again.

This page is the game being played and nothing else. The updates differentiate one player's loss with respect to that
player's parameters alone, so neither can reach the other's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from zerosum import optimizers, randomness
from zerosum.data import Split
from zerosum.engine import Engine
from zerosum.games import Game
from zerosum.networks import Networks
from zerosum.regularizers import Judgement, Regularizer, total_penalty


@dataclass(frozen=True)
class Player:
    """One player: a network, whose parameters are its own, and the optimiser that moves them."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    settings: optimizers.Optimizer
    regularizers: tuple[Regularizer, ...] = ()

    def descend(self, loss: Tensor, step: int, steps: int) -> None:
        """One update of this player's parameters, and of nothing else, against the gradient of `loss`."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward(inputs=list(self.network.parameters()))  # type: ignore[no-untyped-call]
        self.settings.schedule(self.optimizer, step, steps)
        self.optimizer.step()
        for regularizer in self.regularizers:
            regularizer.project(self.network)


@dataclass(frozen=True)
class Players:
    """The generator G and the discriminator D of one game, the family they come from, and the number of classes."""

    generator: Player
    discriminator: Player
    networks: Networks
    classes: int = 0


@dataclass(frozen=True)
class Iteration:
    """What one iteration saw: detached tensors on the device, so that looking at them is what waits, not the loop."""

    step: int
    discriminator_loss: Tensor
    penalty: Tensor
    generator_loss: Tensor
    real_logits: Tensor
    fake_logits: Tensor


def confront(players: Players, engine: Engine, real: Tensor, codes: Tensor, labels: Tensor | None) -> Judgement:
    """Show D a batch of real samples and one of fakes, G(z), that are held fixed; both are of the classes `labels`."""
    with torch.no_grad():
        fake = engine.samples(players.generator.network, codes)
    for samples in (real, fake):
        samples.requires_grad_(bool(players.discriminator.regularizers))  # a penalty may ask for D's slopes there
    judge = partial(engine.logits, players.discriminator.network)
    if players.networks.separate_batches:  # D normalises over the batch, which must then be of one kind
        real_logits, fake_logits = judge(real, labels), judge(fake, labels)
    else:
        both = None if labels is None else labels.repeat(2)
        real_logits, fake_logits = judge(torch.cat([real, fake]), both).chunk(2)
    return Judgement(partial(judge, labels=labels), real, fake, real_logits, fake_logits)


def generator_loss(
    players: Players, game: Game, engine: Engine, real: Tensor, codes: Tensor, labels: Tensor | None
) -> Tensor:
    """G's loss for the batch G(z), through D as it stands; only relativistic games look at `real` again."""
    judge = partial(engine.logits, players.discriminator.network, labels=labels)
    fake_logits = judge(engine.samples(players.generator.network, codes))
    if not game.relativistic:
        return game.generator_loss(fake_logits.detach(), fake_logits)
    with torch.no_grad():
        real_logits = judge(real)
    return game.generator_loss(real_logits, fake_logits)


def play(
    players: Players,
    game: Game,
    data: Split,
    engine: Engine,
    *,
    batch_size: int,
    discriminator_steps: int,
    steps: int,
    seed: int,
    start: int = 0,
) -> Iterator[Iteration]:
    """Play `game` from iteration `start` to `steps`, yielding after each.

    The minibatches, the latents and the players' own randomness are functions of (seed, step): playing on from `start`
    is the same as never having stopped.
    """
    networks, classes, device = players.networks, players.classes, engine.device
    for step in range(start, steps):
        for k in range(discriminator_steps):
            update = step * discriminator_steps + k
            with randomness.scope(seed, step, f"discriminator update {k}", device=device):
                real, labels = data.minibatch(batch_size, update, seed).on(device, labelled=networks.conditional)
                codes = networks.draw_codes(batch_size, device, labels, classes)
                seen = confront(players, engine, real, codes, labels)
                d_loss = game.discriminator_loss(seen.real_logits, seen.fake_logits)
                penalty = total_penalty(players.discriminator.regularizers, seen, update)
                players.discriminator.descend(d_loss + penalty, step, steps)
        with randomness.scope(seed, step, "generator update", device=device):
            codes = networks.draw_codes(batch_size, device, labels, classes)
            g_loss = generator_loss(players, game, engine, real, codes, labels)
            players.generator.descend(g_loss, step, steps)
        outcome = (d_loss, penalty, g_loss, seen.real_logits, seen.fake_logits)
        yield Iteration(step, *(tensor.detach() for tensor in outcome))
