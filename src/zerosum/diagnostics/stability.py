"""Is the game's equilibrium one that gradient steps stay at? The eigenvalues of its Jacobian say so, near the players.

Both players follow v = -(grad_G L_G, grad_D L_D). Near a point where v = 0 the game contracts if every eigenvalue of
the Jacobian v' has a negative real part; imaginary parts are rotation, which the real parts overcome only if the steps
are small enough (Mescheder et al. 2017, section 3; 2018, section 2).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from zerosum import randomness
from zerosum.data import Split
from zerosum.engine import Engine
from zerosum.games import Game
from zerosum.players import Players
from zerosum.regularizers import Judgement, total_penalty

MOST_PARAMETERS = 2_000


def jacobian(losses: Sequence[Tensor], parameters: Sequence[Sequence[Tensor]]) -> Tensor:
    """The derivative of v for players that each move their `parameters` against the gradient of their loss: [n, n].

    In float64; rows and columns follow the players, and within them the parameters, in order.
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
    return -torch.stack(rows).double()


def eigenvalues(
    players: Players, game: Game, engine: Engine, data: Split, batch_size: int, progress: float, seed: int
) -> Tensor | None:
    """The Jacobian's eigenvalues over one batch, complex128 [n], the largest real part first.

    The losses are those that the players descend, penalties included, tricks not. None where there are more than
    MOST_PARAMETERS parameters: the work grows with the cube of their number.
    """
    generator, discriminator = players.generator.network, players.discriminator.network
    own = [list(network.parameters()) for network in (generator, discriminator)]
    if sum(parameter.numel() for each in own for parameter in each) > MOST_PARAMETERS:
        return None
    with randomness.scope(seed, 0, "eigenvalues", device=engine.device):
        real, labels = data.minibatch(batch_size, 0, seed).on(engine.device, labelled=players.networks.conditional)
        fake = engine.samples(
            generator, players.networks.draw_codes(batch_size, engine.device, labels, players.classes)
        )
        real.requires_grad_()

        def judge(samples: Tensor) -> Tensor:
            return engine.verdict(discriminator, samples, labels).logits

        seen = Judgement(judge, real, fake, judge(real), judge(fake), progress)
        penalty = total_penalty(players.discriminator.regularizers, seen, 0)
        losses = [each(seen.real_logits, seen.fake_logits) for each in (game.generator_loss, game.discriminator_loss)]
        losses[1] = losses[1] + penalty
    found: Tensor = torch.linalg.eigvals(jacobian(losses, own))
    return found[found.real.argsort(descending=True)].cpu()
