"""The proximal game: a discriminator may answer the generator's move, but must stay near where it stands.

A GAN need not have a Nash equilibrium, and players with a good generator are often at none; they may still be at an
equilibrium of this game, in which the generator pays max_D~ M(G', D~) - lambda E ||grad D~(x) - grad D(x)||^2
(Farnia & Ozdaglar 2020, section 5; the duality gap of this game is that of Sidheekh et al. 2021b). Here M is half the
value V, so that lambda counts twice in units of V.
"""

from functools import partial

import torch
from torch import Tensor, nn

from zerosum.equilibrium.zero_sum_game import GameBatch, ZeroSumGame
from zerosum.game.regularizers import squared_norms

ANSWERS = 3  # updates of the discriminator for each of the generator


def measure_lowest_payoff(game: ZeroSumGame, proximity: float) -> Tensor:
    """Search for min_G' max_D~ of the proximal payoff and measure it: float64 [batches].

    The generator stays what it is if the search finds no better one.

    Args:
        game: the two players.
        proximity: lambda, the price of the discriminator's distance from where it stands.
    """
    generator, discriminator = game.players.generator.network, game.players.discriminator.network

    def payoff(g: nn.Module, answer: nn.Module, batch: GameBatch) -> Tensor:
        distance = gradient_distance(game, answer, discriminator, batch)
        return game.payoff_on_fixed_fakes(g, answer, batch) - proximity * distance

    def answer_loss(g: nn.Module, answer: nn.Module, batch: GameBatch) -> Tensor:
        return -payoff(g, answer, batch)

    candidates = []
    for g in (generator, _train_generator(game, proximity)):
        answer = game.train_best_response(game.players.discriminator, partial(answer_loss, g), "answer")
        chosen = game.measure(partial(payoff, g, answer), "choosing")
        candidates.append((float(chosen.mean()), g, answer))
    _, g, answer = min(candidates, key=lambda candidate: candidate[0])
    return game.measure(partial(payoff, g, answer), "scoring")


def _train_generator(game: ZeroSumGame, proximity: float) -> nn.Module:
    """Train a copy of the generator to lower the payoff of a discriminator that answers it."""
    steps, discriminator = game.protocol.steps, game.players.discriminator
    g, answer = game.perturb(game.copy_player(game.players.generator), "proximal"), game.copy_player(discriminator)
    for step in range(steps):
        with game.players.random(game.seed, step, "proximal"):
            for number in range(step * ANSWERS, (step + 1) * ANSWERS):
                batch = game.draw_batch("training", number, "answers")
                penalty = proximity * gradient_distance(game, answer.network, discriminator.network, batch)
                answer.step(penalty - game.payoff_on_fixed_fakes(g.network, answer.network, batch), step, steps)
            batch = game.draw_batch("training", step, "proximal")
            g.step(game.payoff(g.network, answer.network, batch), step, steps)
    return g.network


def gradient_distance(game: ZeroSumGame, one: nn.Module, other: nn.Module, batch: GameBatch) -> Tensor:
    """Return E ||grad D~(x) - grad D(x)||^2 of the logits over the batch's real samples, or packs; a scalar."""

    def gradient(discriminator: nn.Module, *, create_graph: bool) -> tuple[Tensor, int]:
        with torch.enable_grad():
            real = batch.real.detach().requires_grad_()
            logits = game.players.engine.predict(discriminator, real, batch.labels).logits
            (found,) = torch.autograd.grad(logits.sum(), real, create_graph=create_graph)
        return found, len(logits)

    of_one, count = gradient(one, create_graph=torch.is_grad_enabled())
    of_other, _ = gradient(other, create_graph=False)
    return squared_norms(of_one - of_other, count).mean()
