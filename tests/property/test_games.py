"""Laws that every game declares, held against every game that exists, in each of its forms."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from zerosum import catalog
from zerosum.game.losses import Game, LeastSquares, Relativistic, RelativisticAverage

GAMES: list[Game] = [cls() for cls in catalog.choices(Game).values()]
GAMES += [LeastSquares(a=-1, b=1, c=0)]
GAMES += [cls(pairwise_loss=form) for cls in (Relativistic, RelativisticAverage) for form in ("least-squares", "hinge")]
ZERO_SUM = ["minimax", "wasserstein"]
every_game = pytest.mark.parametrize("game", GAMES, ids=str)


def expected_loss(game: Game, p: Tensor, q: Tensor, logits: Tensor) -> Tensor:
    """The discriminator's loss over all pairs of n places, real drawn from p and fake from q: three [n] to a scalar."""
    losses = torch.stack(
        [torch.stack([game.discriminator_loss(real[None], fake[None]) for fake in logits]) for real in logits]
    )
    return p @ losses @ q


densities = st.lists(st.tuples(st.floats(0.02, 1), st.floats(0.02, 1)), min_size=2, max_size=3)


@every_game
@settings(max_examples=25)
@given(pairs=densities)
def test_no_discriminator_near_the_declared_optimum_is_better(game: Game, pairs: list[tuple[float, float]]) -> None:
    """Also a test of stationarity: at a point that is none, one of the two directions of some logit improves."""
    p, q = (column / column.sum() for column in torch.tensor(pairs, dtype=torch.float64).T)
    best = game.optimal_logit((p / q).log())
    if best is None:
        return
    optimum = expected_loss(game, p, q, best)
    for place in range(len(p)):
        for offset in (-0.5, -1e-3, 1e-3, 0.5):
            other = best.clone()
            other[place] += offset
            assert expected_loss(game, p, q, other) >= optimum - 1e-12


def test_which_games_have_a_known_optimum() -> None:
    unknown = {catalog.name_of(game) for game in GAMES if game.optimal_logit(torch.zeros(1)) is None}
    assert unknown == {"wasserstein", "relativistic", "relativistic-average"}  # relativistic: in two of its forms
    assert Relativistic().optimal_logit(torch.ones(1)) is not None


def gradients_by_fakes(game: Game, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of D's loss and of G's with respect to the fakes' logits."""
    fake = fake.clone().requires_grad_()
    losses = game.discriminator_loss(real, fake), game.generator_loss(real, fake)
    of_d, of_g = (torch.autograd.grad(loss, fake)[0] for loss in losses)
    return of_d, of_g


@every_game
@given(real=st.floats(-20, 20), fake=st.floats(-20, 20))
def test_the_players_pull_the_fakes_in_opposite_directions(game: Game, real: float, fake: float) -> None:
    of_d, of_g = gradients_by_fakes(game, *torch.tensor([[real], [fake]], dtype=torch.float64))
    if catalog.name_of(game) in ZERO_SUM:
        torch.testing.assert_close(of_d, -of_g)
    elif "least" not in str(game).lower():  # a square pulls back what lies beyond its aim, for both players alike
        assert of_d * of_g <= 0


def test_in_which_games_what_one_player_wins_the_other_loses() -> None:
    """Where the gradients of both losses by the fakes' logits cancel, whatever the logits: in no other form of any."""
    logits = torch.linspace(-20, 20, 41, dtype=torch.float64)
    batches = torch.stack([torch.cartesian_prod(logits, logits).T, torch.cartesian_prod(logits, -logits / 2).T])

    def cancel(game: Game) -> bool:
        pairs = (gradients_by_fakes(game, real, fake) for real, fake in batches)
        return all(torch.allclose(of_d, -of_g, rtol=1e-12, atol=1e-15) for of_d, of_g in pairs)

    assert [catalog.name_of(game) for game in GAMES if cancel(game)] == ZERO_SUM


@every_game
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("logit", [-1e4, -100.0, 0.0, 100.0, 1e4])
def test_losses_and_gradients_are_finite_for_any_logit(game: Game, dtype: torch.dtype, logit: float) -> None:
    real, fake = (torch.full((4,), sign * logit, dtype=dtype, requires_grad=True) for sign in (1, -1))
    for loss in (game.discriminator_loss(real, fake), game.generator_loss(real, fake)):
        gradients = torch.autograd.grad(loss, (real, fake), allow_unused=True)
        assert loss.isfinite()
        assert all(gradient is None or gradient.isfinite().all() for gradient in gradients)


@every_game
def test_only_relativistic_generators_look_at_real_samples(game: Game) -> None:
    fake, one, other = torch.tensor([0.3]), torch.tensor([0.1]), torch.tensor([0.7])
    assert game.relativistic == (not torch.equal(game.generator_loss(one, fake), game.generator_loss(other, fake)))


@every_game
def test_the_generators_gradient_raises_a_rejected_fake(game: Game) -> None:
    logits = torch.tensor([-0.5], requires_grad=True)
    (slope,) = torch.autograd.grad(game.generator_loss(torch.tensor([0.5]), logits), logits)
    assert slope < 0
