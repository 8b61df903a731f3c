"""Laws that every game declares, held against every game that exists."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zerosum.catalog import choices
from zerosum.games import Game

GAMES = [cls() for cls in choices(Game).values()]
every_game = pytest.mark.parametrize("game", GAMES, ids=lambda game: type(game).__name__)


@every_game
@given(p=st.floats(0.01, 10), q=st.floats(0.01, 10))
def test_the_optimal_logit_is_stationary(game: Game, p: float, q: float) -> None:
    """Where real samples have density p and fakes q, the discriminator's expected loss is flat at the optimum."""
    best = game.optimal_logit(torch.tensor(p / q, dtype=torch.float64).log()).requires_grad_()
    flat = torch.zeros((), dtype=torch.float64)
    real_part = game.discriminator_loss(best, flat) - game.discriminator_loss(flat, flat)
    fake_part = game.discriminator_loss(flat, best) - game.discriminator_loss(flat, flat)
    (slope,) = torch.autograd.grad(p * real_part + q * fake_part, best)
    assert abs(slope.item()) < 1e-9 * (p + q)


@every_game
@given(real=st.floats(-20, 20), fake=st.floats(-20, 20))
def test_zero_sum_means_opposite_gradients_in_the_fakes(game: Game, real: float, fake: float) -> None:
    logits = torch.tensor([fake], dtype=torch.float64, requires_grad=True)
    other = torch.tensor([real], dtype=torch.float64)
    (of_d,) = torch.autograd.grad(game.discriminator_loss(other, logits), logits)
    (of_g,) = torch.autograd.grad(game.generator_loss(other, logits), logits)
    assert of_d * of_g <= 0
    if game.zero_sum:
        torch.testing.assert_close(of_d, -of_g)


def test_the_declarations_differ_somewhere() -> None:
    assert {game.zero_sum for game in GAMES} == {True, False}


@every_game
@pytest.mark.parametrize("logit", [-1e4, -100.0, 0.0, 100.0, 1e4])
def test_losses_and_gradients_are_finite_for_any_logit(game: Game, logit: float) -> None:
    real, fake = (torch.full((4,), sign * logit, requires_grad=True) for sign in (1, -1))
    for loss in (game.discriminator_loss(real, fake), game.generator_loss(real, fake)):
        gradients = torch.autograd.grad(loss, (real, fake), allow_unused=True)
        assert loss.isfinite()
        assert all(gradient is None or gradient.isfinite().all() for gradient in gradients)
