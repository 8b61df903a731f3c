"""Is the game's equilibrium one that gradient steps stay at? The eigenvalues of its Jacobian say so, near the players.

Both players follow v = -(grad_G L_G, grad_D L_D). Near a point where v = 0 the game contracts if every eigenvalue of
the Jacobian v' has a negative real part; imaginary parts are rotation, which the real parts overcome only if the steps
are small enough (Mescheder et al. 2017, section 3; 2018, section 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zerosum.data import Split
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe

MOST_PARAMETERS = 2_000
ZERO = 1e-5  # of the largest eigenvalue, in float32


@dataclass(frozen=True, eq=False)
class Stability:
    """The game to first order, near where its players are.

    Attributes:
        eigenvalues: of the Jacobian, complex128 [n], the largest real part first.
        speed: |v|, the norm of both players' gradients together; 0 at a stationary point, and only there do the
            eigenvalues decide whether steps stay.
    """

    eigenvalues: Tensor
    speed: float

    @property
    def nonzero_eigenvalues(self) -> Tensor:
        """The eigenvalues that are not 0 within rounding; along the directions of the others nothing changes.

        A bias that cancels has an eigenvalue of 0, and every weight of a rectifier that is never on; equilibria can be
        such sets of points, and attract all the same (Mescheder et al. 2018, assumption III).
        """
        lengths = self.eigenvalues.abs()
        return self.eigenvalues[lengths > ZERO * lengths.max()]

    @property
    def contracts(self) -> bool:
        """Whether small steps lead back to this point from every direction in which anything changes at all."""
        return bool((self.nonzero_eigenvalues.real < 0).all())


def compute_gradients(losses: Sequence[Tensor], parameters: Sequence[Sequence[Tensor]]) -> Tensor:
    """Compute -v: the gradient of each player's loss by its own `parameters`, one after the other, [n]."""
    return torch.cat(
        [
            gradient.reshape(-1)
            for loss, own in zip(losses, parameters, strict=True)
            for gradient in torch.autograd.grad(loss, list(own), create_graph=True, materialize_grads=True)
        ]
    )


def compute_jacobian(gradients: Tensor, parameters: Sequence[Sequence[Tensor]]) -> Tensor:
    """Differentiate v = -`gradients` [n] by both players' `parameters`: float64 [n, n] on the CPU.

    Rows and columns follow the players, and within them the parameters, in order.
    """
    everything = [parameter for own in parameters for parameter in own]
    rows = []
    for gradient in gradients:
        row = torch.autograd.grad(gradient, everything, retain_graph=True, materialize_grads=True)
        rows.append(torch.cat([each.reshape(-1) for each in row]))
    return -torch.stack(rows).cpu().double()


def compute_losses(players: Players, recipe: Recipe, data: Split, done: float, seed: int) -> tuple[Tensor, Tensor]:
    """Compute what G and D minimise on one batch, in the graph of both players' parameters.

    Penalties and class losses are included, tricks are not. A penalty that is taken every few updates counts with its
    mean over them.
    """
    bare = replace(players, tricks=())
    with players.random(seed, 0, "eigenvalues"):
        real, labels = players.real_batch(data, recipe.batch_size, 0, seed)
        out = bare.discriminate(real, players.generate(labels, recipe.batch_size), labels, done)
        penalties = [regularizer.penalty(out) for regularizer in players.discriminator.regularizers]
    added = [each for each in penalties if each is not None] + [recipe.further_loss(out)]
    d_loss = recipe.game.discriminator_loss(out.real_logits, out.fake_logits) + torch.stack(added).sum()
    return recipe.generator_loss(out.of_generator), d_loss


def measure_stability(players: Players, recipe: Recipe, data: Split, done: float, seed: int) -> Stability | None:
    """Compute the eigenvalues of the game's Jacobian on one batch.

    Args:
        players: both players.
        recipe: what they were trained with.
        data: where the batch is drawn from.
        done: the fraction of the training that is done, for penalties with a schedule.
        seed: of the batch, the latents and the players' own randomness.

    Returns:
        None if there are more than MOST_PARAMETERS parameters: the work grows with the cube of their number.
    """
    own = [player.parameters for player in (players.generator, players.discriminator)]
    if sum(parameter.numel() for each in own for parameter in each) > MOST_PARAMETERS:
        return None
    gradients = compute_gradients(compute_losses(players, recipe, data, done, seed), own)
    eigenvalues: Tensor = torch.linalg.eigvals(compute_jacobian(gradients, own))
    return Stability(eigenvalues[eigenvalues.real.argsort(descending=True)], float(gradients.detach().norm()))
