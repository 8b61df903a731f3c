"""Algorithm 1 of Goodfellow et al. 2014: k updates of the discriminator, then one of the generator, and again.

This page is the game being played and nothing else. A minibatch may be cut into parts, one pass after the other, whose
gradients are added: by default it is one.
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
    iterate = play_at_once if recipe.simultaneous else play_in_turns
    for step in range(start, steps):
        yield iterate(players, recipe, data, step, steps, seed)


def play_in_turns(players: Players, recipe: Recipe, data: Split, step: int, steps: int, seed: int) -> Iteration:
    """Play iteration `step` of `steps` as Algorithm 1 has it."""
    done, size = step / steps, recipe.batch_size // recipe.accumulate
    for k in range(recipe.discriminator_steps):
        update = step * recipe.discriminator_steps + k
        batches, of_discriminator = [], []
        for part in players.parts:
            with players.random(seed, step, f"discriminator update {k}", part):
                real, labels = players.real_batch(data, size, update * recipe.accumulate + part, seed)
                with torch.set_grad_enabled(recipe.same_fakes and k == recipe.discriminator_steps - 1):
                    fake = players.generate(labels, size)
                out = players.discriminate(real, fake.detach(), labels, done, update)
                d_loss, penalty = recipe.discriminator_loss(out), recipe.penalty(out, update)
                players.discriminator.backward(d_loss + penalty)
            batches.append((real, labels, fake))
            of_discriminator.append((d_loss, penalty, out.real_logits, out.fake_logits))
        players.discriminator.apply_gradients(step, steps)
        d_loss, penalty, real_logits, fake_logits = players.join(of_discriminator)
        players.remember(real_logits, recipe.batch_size, update)
    of_generator = []
    for part, (real, labels, fake) in zip(players.parts, batches, strict=True):
        with players.random(seed, step, "generator update", part):
            if not recipe.same_fakes:
                fake = players.generate(labels, size)
            answer = players.discriminate_fakes(real, fake, labels, done, relativistic=recipe.game.relativistic)
            g_loss = recipe.generator_loss(answer)
            players.generator.backward(g_loss)
        of_generator.append((g_loss,))
    players.generator.apply_gradients(step, steps)
    (g_loss,) = players.join(of_generator)
    return Iteration(step, d_loss, penalty, g_loss, real_logits, fake_logits)


def play_at_once(players: Players, recipe: Recipe, data: Split, step: int, steps: int, seed: int) -> Iteration:
    """Play iteration `step` of `steps` with one pass for both players, as the released code of 2014 does.

    Each learns against the other as it was before; the paper's text lets D go first. There is one update of D to each
    of G.
    """
    size, measured = recipe.batch_size // recipe.accumulate, []
    for part in players.parts:
        with players.random(seed, step, "discriminator update 0", part):
            real, labels = players.real_batch(data, size, step * recipe.accumulate + part, seed)
            out = players.discriminate(real, players.generate(labels, size), labels, step / steps, step)
            d_loss, penalty = recipe.discriminator_loss(out), recipe.penalty(out, step)
            g_loss = recipe.generator_loss(out.of_generator)
            players.discriminator.backward(d_loss + penalty, retain_graph=True)
            players.generator.backward(g_loss)
        measured.append((d_loss, penalty, g_loss, out.real_logits, out.fake_logits))
    for player in (players.generator, players.discriminator):
        player.apply_gradients(step, steps)
    d_loss, penalty, g_loss, real_logits, fake_logits = players.join(measured)
    players.remember(real_logits, recipe.batch_size, step)
    return Iteration(step, d_loss, penalty, g_loss, real_logits, fake_logits)
