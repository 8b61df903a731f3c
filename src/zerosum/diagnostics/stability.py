"""Is the game's equilibrium one that gradient steps stay at? The eigenvalues of its Jacobian say so, near the players.

Both players follow v = -(grad_G L_G, grad_D L_D). Near a point where v = 0 the game contracts if every eigenvalue of
the Jacobian v' has a negative real part; imaginary parts are rotation, which the real parts overcome only if the steps
are small enough (Mescheder et al. 2017, section 3; 2018, section 2).
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from zerosum import randomness
from zerosum.data import Split
from zerosum.engine import Engine
from zerosum.games import Game
from zerosum.players import Players
from zerosum.regularizers import Judgement

MOST_PARAMETERS = 2_000


def jacobian(losses: Sequence[Tensor], parameters: Sequence[Sequence[Tensor]]) -> Tensor:
    """The derivative of v for players that each move their `parameters` against the gradient of their loss: [n, n].

    In float64 on the CPU; rows and columns follow the players, and within them the parameters, in order.
    """
    slopes = [
        slope.reshape(-1)
        for loss, own in zip(losses, parameters, strict=True)
        for slope in torch.autograd.grad(loss, list(own), create_graph=True, materialize_grads=True)
    ]
    everything = [parameter for own in parameters for parameter in own]
    rows = []
    for slope in torch.cat(slopes):
        row = torch.autograd.grad(slope, everything, retain_graph=True, materialize_grads=True)
        rows.append(torch.cat([each.reshape(-1) for each in row]))
    return -torch.stack(rows).cpu().double()


def losses(
    players: Players, game: Game, engine: Engine, data: Split, batch_size: int, progress: float, seed: int
) -> tuple[Tensor, Tensor]:
    """What G and D descend over one batch, as functions of both's parameters: penalties and class losses included.

    Tricks are not. A penalty that is taken every few updates counts with its mean over them.
    """
    generator, judge = players.generator.network, partial(engine.verdict, players.discriminator.network)
    with randomness.scope(seed, 0, "eigenvalues", device=engine.device):
        real, labels = data.minibatch(batch_size, 0, seed).on(engine.device, labelled=players.networks.conditional)
        codes = players.networks.draw_codes(batch_size, engine.device, labels, players.classes)
        fake = engine.samples(generator, codes)
        of_real, of_fake = players.verdicts(judge, real.requires_grad_(), fake, labels)

        def logits(samples: Tensor) -> Tensor:
            return judge(samples, labels).logits

        seen = Judgement(logits, real, fake, of_real.logits, of_fake.logits, progress)
        penalties = [regularizer.penalty(seen) for regularizer in players.discriminator.regularizers]
    both = of_real.logits, of_fake.logits
    costs = [each for each in penalties if each is not None] + [of_real.class_loss, of_fake.class_loss]
    return game.generator_loss(*both) + of_fake.class_loss, game.discriminator_loss(*both) + torch.stack(costs).sum()


def eigenvalues(
    players: Players, game: Game, engine: Engine, data: Split, batch_size: int, progress: float, seed: int
) -> Tensor | None:
    """The eigenvalues of the Jacobian of `losses`, complex128 [n], the largest real part first.

    None where there are more than MOST_PARAMETERS parameters: the work grows with the cube of their number.
    """
    own = [list(player.network.parameters()) for player in (players.generator, players.discriminator)]
    if sum(parameter.numel() for each in own for parameter in each) > MOST_PARAMETERS:
        return None
    found: Tensor = torch.linalg.eigvals(jacobian(losses(players, game, engine, data, batch_size, progress, seed), own))
    return found[found.real.argsort(descending=True)]
