"""Is the game's equilibrium one that gradient steps stay at? The eigenvalues of its Jacobian say so, near the players.

Both players follow v = -(grad_G L_G, grad_D L_D). Near a point where v = 0 the game contracts if every eigenvalue of
the Jacobian v' has a negative real part; imaginary parts are rotation, which the real parts overcome only if the steps
are small enough (Mescheder et al. 2017, section 3; 2018, section 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
ZERO = 1e-5  # of the largest eigenvalue, in float32


@dataclass(frozen=True, eq=False)
class Stability:
    """The game to first order, near where its players are.

    Attributes:
        eigenvalues: of the Jacobian, complex128 [n], the largest real part first.
        speed: |v|, the length of what both players follow; 0 at a stationary point, the only place of which the
            eigenvalues say whether steps stay there.
    """

    eigenvalues: Tensor
    speed: float

    @property
    def moving(self) -> Tensor:
        """The eigenvalues but those that are 0 within rounding, along whose directions nothing changes.

        A bias that cancels has one, and every weight of a rectifier that is never on; equilibria can be such sets of
        points, and attract all the same (Mescheder et al. 2018, assumption III).
        """
        lengths = self.eigenvalues.abs()
        return self.eigenvalues[lengths > ZERO * lengths.max()]

    @property
    def contracts(self) -> bool:
        """Whether small steps lead back to this point from every direction in which anything changes at all."""
        return bool((self.moving.real < 0).all())


def slopes(losses: Sequence[Tensor], parameters: Sequence[Sequence[Tensor]]) -> Tensor:
    """-v, the gradient of each player's loss by its own `parameters`, one after the other: [n]."""
    return torch.cat(
        [
            slope.reshape(-1)
            for loss, own in zip(losses, parameters, strict=True)
            for slope in torch.autograd.grad(loss, list(own), create_graph=True, materialize_grads=True)
        ]
    )


def jacobian(slopes: Tensor, parameters: Sequence[Sequence[Tensor]]) -> Tensor:
    """The derivative of v, whose opposite `slopes` [n] are, by both players' `parameters`: [n, n].

    In float64 on the CPU; rows and columns follow the players, and within them the parameters, in order.
    """
    everything = [parameter for own in parameters for parameter in own]
    rows = []
    for slope in slopes:
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
        real, labels = data.minibatch(batch_size, 0, seed, device=engine.device, labelled=players.networks.conditional)
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


def stability(
    players: Players, game: Game, engine: Engine, data: Split, batch_size: int, progress: float, seed: int
) -> Stability | None:
    """Of the Jacobian of `losses`, over one batch.

    None where there are more than MOST_PARAMETERS parameters: the work grows with the cube of their number.
    """
    own = [list(player.network.parameters()) for player in (players.generator, players.discriminator)]
    if sum(parameter.numel() for each in own for parameter in each) > MOST_PARAMETERS:
        return None
    followed = slopes(losses(players, game, engine, data, batch_size, progress, seed), own)
    found: Tensor = torch.linalg.eigvals(jacobian(followed, own))
    return Stability(found[found.real.argsort(descending=True)], float(followed.detach().norm()))
