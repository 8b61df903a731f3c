import math

import pytest
import torch
import torch.nn.functional as F

from zerosum.game.losses import Minimax, NonSaturating, PairwiseLoss, pairwise_loss, value

LOG4 = math.log(4)


def test_the_two_cross_entropies_are_minus_the_value_function() -> None:
    real_logits, fake_logits = torch.randn(2, 1000, dtype=torch.float64) * 3
    d_real, d_fake = real_logits.sigmoid(), fake_logits.sigmoid()
    v = d_real.log().mean() + (1 - d_fake).log().mean()
    labelled = F.binary_cross_entropy(d_real, torch.ones_like(d_real)) + F.binary_cross_entropy(
        d_fake, torch.zeros_like(d_fake)
    )
    torch.testing.assert_close(Minimax().discriminator_loss(real_logits, fake_logits), -v)
    torch.testing.assert_close(labelled, -v)
    torch.testing.assert_close(value(real_logits, fake_logits), v)


def test_an_undecided_discriminator_has_the_values_of_the_paper() -> None:
    zeros = torch.zeros(8, dtype=torch.float64)
    assert value(zeros, zeros).item() == pytest.approx(-LOG4)
    assert Minimax().discriminator_loss(zeros, zeros).item() == pytest.approx(LOG4)
    assert Minimax().generator_loss(zeros, zeros).item() == pytest.approx(-math.log(2))
    assert NonSaturating().generator_loss(zeros, zeros).item() == pytest.approx(math.log(2))


def test_losses_at_a_known_point() -> None:
    real_logits, fake_logits = torch.tensor([math.log(3)]), torch.tensor([-math.log(4)])  # D = 3/4 and 1/5
    assert Minimax().discriminator_loss(real_logits, fake_logits).item() == pytest.approx(
        -math.log(0.75 * 0.8), rel=1e-6
    )
    assert Minimax().generator_loss(real_logits, fake_logits).item() == pytest.approx(math.log(0.8), rel=1e-6)
    assert NonSaturating().generator_loss(real_logits, fake_logits).item() == pytest.approx(math.log(5), rel=1e-6)


@pytest.mark.parametrize("logit", [-12.0, 0.0, 2.0])
def test_the_gradients_of_the_two_generators(logit: float) -> None:
    """d/dl log(1 - D) = -D, which starves where D is near 0; d/dl (-log D) = -(1 - D), which does not."""
    logits = torch.tensor([logit], dtype=torch.float64, requires_grad=True)
    d = 1 / (1 + math.exp(-logit))
    for game, expected in ((Minimax(), -d), (NonSaturating(), -(1 - d))):
        (gradient,) = torch.autograd.grad(game.generator_loss(logits, logits), logits)
        assert gradient.item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("by", "expected"), [("softplus", math.log(1 + math.exp(-0.25))), ("hinge", 0.75), ("least-squares", 0.5625)]
)
def test_how_bad_a_lead_of_a_quarter_is(by: PairwiseLoss, expected: float) -> None:
    """By the definitions of relativistic games: softplus(-lead), max(0, 1 - lead) and (lead - 1) squared."""
    assert pairwise_loss(torch.full((3,), 0.25, dtype=torch.float64), by).item() == pytest.approx(expected, rel=1e-12)
