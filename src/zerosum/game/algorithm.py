"""Algorithm 1 of Goodfellow et al. 2014: k updates of the discriminator, then one of the generator, and again.

This page is the game being played and nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.data import Split
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe


@dataclass(frozen=True)
class Iteration:
    """What one iteration measured: detached tensors on the device, so that whoever reads them waits, not the loop.

    Attributes:
        step: number of the iteration, from 0.
        discriminator_loss: scalar, of the last of the k updates, as are the next and both logits.
        penalty: scalar, what was added to it: penalties, and the losses of D's class predictions and heads on features.
        generator_loss: scalar.
        real_logits: D's logits for real samples, [N].
        fake_logits: D's logits for generated samples, [N].
    """

    step: int
    discriminator_loss: Tensor
    penalty: Tensor
    generator_loss: Tensor
    real_logits: Tensor
    fake_logits: Tensor


def play(
    players: Players, recipe: Recipe, data: Split, *, steps: int, seed: int, start: int = 0
) -> Iterator[Iteration]:
    """Play from iteration `start` to `steps`, yielding after each.

    Minibatches, latents and the players' own randomness are functions of (seed, step): playing on from `start` gives
    the same bits as never having stopped.
    """
    if recipe.simultaneous:
        yield from play_simultaneously(players, recipe, data, steps=steps, seed=seed, start=start)
        return
    for step in range(start, steps):
        done = step / steps
        for k in range(recipe.discriminator_steps):
            update = step * recipe.discriminator_steps + k
            with players.random(seed, step, f"discriminator update {k}"):
                real, labels = players.real_batch(data, recipe.batch_size, update, seed)
                with torch.set_grad_enabled(recipe.same_fakes and k == recipe.discriminator_steps - 1):
                    fake = players.generate(labels, recipe.batch_size)
                out = players.discriminate(real, fake.detach(), labels, done, update)
                d_loss, penalty = recipe.discriminator_loss(out), recipe.penalty(out, update)
                players.discriminator.step(d_loss + penalty, step, steps)
                players.remember(out, update)
        with players.random(seed, step, "generator update"):
            if not recipe.same_fakes:
                fake = players.generate(labels, recipe.batch_size)
            answer = players.discriminate_fakes(real, fake, labels, done, relativistic=recipe.game.relativistic)
            g_loss = recipe.generator_loss(answer)
            players.generator.step(g_loss, step, steps)
        measured = [each.detach() for each in (d_loss, penalty, g_loss, out.real_logits, out.fake_logits)]
        del fake, out, answer, d_loss, penalty, g_loss  # free the graphs before whoever consumes this takes its time
        yield Iteration(step, *measured)


def play_simultaneously(
    players: Players, recipe: Recipe, data: Split, *, steps: int, seed: int, start: int = 0
) -> Iterator[Iteration]:
    """Play with one pass for both players, each against the other as it was before, as the released code of 2014 does.

    The paper's text lets D go first. There is one update of D to each of G.
    """
    for step in range(start, steps):
        with players.random(seed, step, "discriminator update 0"):
            real, labels = players.real_batch(data, recipe.batch_size, step, seed)
            out = players.discriminate(real, players.generate(labels, recipe.batch_size), labels, step / steps, step)
            d_loss, penalty = recipe.discriminator_loss(out), recipe.penalty(out, step)
            g_loss = recipe.generator_loss(out.of_generator)
            players.discriminator.backward(d_loss + penalty, retain_graph=True)
            players.generator.step(g_loss, step, steps)
            players.discriminator.apply_gradients(step, steps)
            players.remember(out, step)
        measured = [each.detach() for each in (d_loss, penalty, g_loss, out.real_logits, out.fake_logits)]
        del out, d_loss, penalty, g_loss
        yield Iteration(step, *measured)
