"""The Dirac-GAN of Mescheder et al. (2018): the smallest game in which one sees which methods converge.

The data are a point at 0, the generator is a point theta, the discriminator D(x) = psi x. From (1, 1), 500 updates with
step 0.2, simultaneous or alternating (discriminator first): the norm of (theta, psi) at the end.
"""

import math

import pytest
import torch
from torch import Tensor, nn

from zerosum import randomness
from zerosum.games import Game, Minimax, NonSaturating, Wasserstein
from zerosum.regularizers import R1, GradientPenalty, Judgement, Regularizer, WeightClipping, total_penalty

STEP, UPDATES = 0.2, 500


def play(game: Game, regularizers: list[Regularizer], *, alternating: bool) -> float:
    discriminator = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    nn.init.ones_(discriminator.weight)
    psi, theta = discriminator.weight, torch.ones(1, 1, dtype=torch.float64, requires_grad=True)

    def judge(samples: Tensor) -> Tensor:
        return discriminator(samples).flatten()

    def slope_of_d(update: int) -> Tensor:
        real, fake = (each.detach().requires_grad_() for each in (torch.zeros_like(theta), theta))
        seen = Judgement(judge, real, fake, judge(real), judge(fake))
        loss = game.discriminator_loss(seen.real_logits, seen.fake_logits)
        with randomness.scope(0, update, "penalty"):
            return torch.autograd.grad(loss + total_penalty(regularizers, seen, update), psi)[0]

    def slope_of_g() -> Tensor:
        return torch.autograd.grad(game.generator_loss(judge(torch.zeros_like(theta)), judge(theta)), theta)[0]

    def move(parameter: Tensor, slope: Tensor) -> None:
        with torch.no_grad():
            parameter -= STEP * slope
            for regularizer in regularizers:
                regularizer.project(discriminator)

    for update in range(UPDATES):
        downhill = slope_of_g()
        move(psi, slope_of_d(update))
        move(theta, slope_of_g() if alternating else downhill)
    return math.hypot(theta.item(), psi.item())


@pytest.mark.parametrize(
    ("game", "regularizers", "simultaneous", "alternating"),
    [
        (Minimax(), [], 3.1, 1.42),
        (NonSaturating(), [], 0.64, 0.28),
        (Wasserstein(), [WeightClipping(limit=1.0)], 1.0, 1.02),
        (Wasserstein(), [GradientPenalty(weight=0.7, target=1.0)], 1.8, 1.2),
        (NonSaturating(), [R1(gamma=0.3)], 2.6e-6, 2.3e-7),
        (NonSaturating(), [R1(gamma=1.0)], 1e-21, 7e-17),
    ],
    ids=["minimax", "non-saturating", "wasserstein clipped", "wasserstein gp", "r1 0.3", "r1 1"],
)
def test_which_methods_converge(
    game: Game, regularizers: list[Regularizer], simultaneous: float, alternating: float
) -> None:
    """The published dynamics to the order of magnitude (half a decade): only R1 reaches the equilibrium."""
    for expected, in_turn in ((simultaneous, False), (alternating, True)):
        assert abs(math.log10(play(game, regularizers, alternating=in_turn) / expected)) < 0.5
