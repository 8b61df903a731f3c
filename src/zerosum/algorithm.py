"""Algorithm 1 of Goodfellow et al. 2014: k updates of the discriminator, then one of the generator, and again.

This page is the game being played and nothing else.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial, reduce

import torch
from torch import Tensor

from zerosum import randomness
from zerosum.data import Split
from zerosum.engine import Engine
from zerosum.games import Game, Labelled
from zerosum.players import Players
from zerosum.regularizers import Judgement, total_penalty
from zerosum.tricks import Trick


@dataclass(frozen=True)
class Iteration:
    """What one iteration saw: detached tensors on the device, so that looking at them is what waits, not the loop.

    `penalty` is what was added to the discriminator's loss: regularisers' penalties, and what its guesses of the
    classes cost.
    """

    step: int
    discriminator_loss: Tensor
    penalty: Tensor
    generator_loss: Tensor
    real_logits: Tensor
    fake_logits: Tensor


def confront(
    players: Players,
    engine: Engine,
    progress: float,
    real: Tensor,
    codes: Tensor,
    labels: Tensor | None,
    *,
    shared: bool = False,
) -> tuple[Judgement, tuple[Tensor, Tensor]]:
    """Show D a batch of real samples and one of fakes, G(z); both are of the classes `labels`.

    The fakes are held fixed, unless the pass is `shared`: then G learns from it too. The second value is what D's
    guesses of the classes cost, where it makes any: their cross-entropy on real samples, and on fakes.
    """
    with torch.set_grad_enabled(shared):
        fake = engine.samples(players.generator.network, codes)
    fake = reduce(lambda fakes, trick: trick.replay(fakes, players.memory), players.tricks, fake)
    if players.discriminator.regularizers:  # a penalty may ask for D's slopes there
        real.requires_grad_()
        fake.requires_grad_()
    judge = partial(players.judge, engine, progress)
    of_real, of_fake = players.verdicts(judge, real, fake, labels)

    def logits(samples: Tensor) -> Tensor:
        return judge(samples, labels).logits

    seen = Judgement(logits, real, fake, of_real.logits, of_fake.logits, progress)
    return seen, (of_real.class_loss, of_fake.class_loss)


def discriminator_loss(game: Game, tricks: tuple[Trick, ...], real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """D's loss; where a trick blurs the labels, real = 1 and fake = 0 are only what it begins with."""
    if not isinstance(game, Labelled) or not any(trick.relabels for trick in tricks):
        return game.discriminator_loss(real_logits, fake_logits)
    ones_and_zeros = torch.ones_like(real_logits), torch.zeros_like(fake_logits)
    real, fake = reduce(lambda labels, trick: trick.labels(*labels), tricks, ones_and_zeros)
    return game.against(real_logits, real) + game.against(fake_logits, fake)


def generator_loss(
    players: Players, game: Game, engine: Engine, progress: float, real: Tensor, codes: Tensor, labels: Tensor | None
) -> Tensor:
    """G's loss for the batch G(z), through D as it stands; only relativistic games look at `real` again."""
    judge = partial(players.judge, engine, progress, labels=labels)
    of_fake = judge(engine.samples(players.generator.network, codes))
    real_logits = torch.full_like(of_fake.logits, math.nan)  # so that a game which uses them and does not say so stops
    if game.relativistic:
        with torch.no_grad():
            real_logits = judge(real).logits
    return game.generator_loss(real_logits, of_fake.logits) + of_fake.class_loss


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
    simultaneous: bool = False,
) -> Iterator[Iteration]:
    """Play `game` from iteration `start` to `steps`, yielding after each.

    Where the updates are `simultaneous`, each player answers the other as it was before this iteration, and both learn
    from one and the same pass, as in the released code of the paper; `discriminator_steps` is then 1.

    The minibatches, the latents and the players' own randomness are functions of (seed, step): playing on from `start`
    is the same as never having stopped.
    """
    networks, classes, device = players.networks, players.classes, engine.device
    for step in range(start, steps):
        for k in range(discriminator_steps):
            update = step * discriminator_steps + k
            with randomness.scope(seed, step, f"discriminator update {k}", device=device):
                real, labels = data.minibatch(batch_size, update, seed, device=device, labelled=networks.conditional)
                codes = networks.draw_codes(batch_size, device, labels, classes)
                seen, class_losses = confront(players, engine, step / steps, real, codes, labels, shared=simultaneous)
                d_loss = discriminator_loss(game, players.tricks, seen.real_logits, seen.fake_logits)
                penalty = total_penalty(players.discriminator.regularizers, seen, update) + sum(class_losses)
                players.discriminator.differentiate(d_loss + penalty, retain_graph=simultaneous)
                if simultaneous:
                    g_loss = game.generator_loss(seen.real_logits, seen.fake_logits) + class_losses[1]
                    players.generator.descend(g_loss, step, steps)
                players.discriminator.follow(step, steps)
                for trick in players.tricks:
                    trick.remember(seen.real_logits, batch_size, update, players.memory)
        if not simultaneous:
            with randomness.scope(seed, step, "generator update", device=device):
                codes = networks.draw_codes(batch_size, device, labels, classes)
                g_loss = generator_loss(players, game, engine, step / steps, real, codes, labels)
                players.generator.descend(g_loss, step, steps)
        outcome = [each.detach() for each in (d_loss, penalty, g_loss, seen.real_logits, seen.fake_logits)]
        del d_loss, penalty, g_loss, seen, class_losses  # and with them what is left of their graphs
        yield Iteration(step, *outcome)
