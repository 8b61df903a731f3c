"""Each penalty against finite differences of a smooth discriminator, sample by sample, on non-square inputs."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from zerosum import randomness
from zerosum.game.predictions import DiscriminatorPass
from zerosum.game.regularizers import (
    DRAGAN,
    GradientNorm,
    GradientPenalty,
    MaxNorm,
    Regularizer,
    SpectralNorm,
    WeightClipping,
    squared_norms,
    total_penalty,
)

SHAPE = (2, 3, 5)
R1, R2 = (partial(GradientNorm, samples=kind) for kind in ("real", "fake"))


class Smooth(nn.Module):
    """A small discriminator with known slopes everywhere."""

    def __init__(self) -> None:
        super().__init__()
        with randomness.scope(0, 0, "test"):
            self.layers = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(60, 1))
        self.double()

    def forward(self, samples: Tensor) -> Tensor:
        return self.layers(samples).flatten()


def two_batches(count: int = 4) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(1)
    real, fake = (torch.randn(count, *SHAPE, generator=draw, dtype=torch.float64).requires_grad_() for _ in range(2))
    return real, fake


def discriminate(
    discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, *, together: bool = False
) -> DiscriminatorPass:
    """Show both batches to a discriminator that predicts no classes, one after the other or `together`."""
    if together:
        real_logits, fake_logits = discriminator(torch.cat([real, fake])).chunk(2)
    else:
        real_logits, fake_logits = discriminator(real), discriminator(fake)
    nothing = real.new_zeros(())
    return DiscriminatorPass(discriminator, real, fake, real_logits, fake_logits, nothing, nothing)


def numeric_squared_norms(discriminator: nn.Module, samples: Tensor) -> Tensor:
    """||grad D||^2 of each sample by central differences."""
    step, found = 1e-5, []
    with torch.no_grad():
        for sample in samples:
            directions = torch.eye(sample.numel(), dtype=torch.float64).view(-1, *SHAPE) * step
            found.append(
                ((discriminator(sample + directions) - discriminator(sample - directions)) / (2 * step)).square().sum()
            )
    return torch.stack(found)


def test_r1_and_r2_by_finite_differences() -> None:
    discriminator = Smooth()
    at = discriminate(discriminator, *two_batches())
    torch.testing.assert_close(
        R1(gamma=3).penalty(at), 1.5 * numeric_squared_norms(discriminator, at.real).mean(), rtol=1e-6, atol=0
    )
    torch.testing.assert_close(
        R2(gamma=3).penalty(at), 1.5 * numeric_squared_norms(discriminator, at.fake).mean(), rtol=1e-6, atol=0
    )


@pytest.mark.parametrize("together", [False, True])
def test_one_penalty_on_both_kinds_is_r1_plus_r2(together: bool) -> None:
    """Of the terms, which are squares, only the order of the sums differs: an error of eps for each of them at most."""
    discriminator = Smooth()
    values, gradients = [], []
    for samples in ("real", "fake", "both"):
        at = discriminate(discriminator, *two_batches(), together=together)
        penalty = GradientNorm(samples=samples, gamma=3, final_gamma=1).penalty(replace(at, done=0.3))
        values.append(penalty.detach())
        found = torch.autograd.grad(penalty, list(discriminator.parameters()), allow_unused=True)
        gradients.append([torch.zeros(()) if each is None else each for each in found])
    rounding = 2 * at.real.numel() * torch.finfo(torch.float64).eps
    torch.testing.assert_close(values[2], values[0] + values[1], rtol=rounding, atol=0)
    assert values[0] != values[1]
    assert sum(bool(each.any()) for each in gradients[2]) >= 3
    for r1, r2, both in zip(*gradients, strict=True):
        largest = float(r1.abs().max() + r2.abs().max())  # a sum may cancel, its terms' rounding does not
        torch.testing.assert_close(both, r1 + r2, rtol=0, atol=rounding * largest)


def test_a_penalty_on_one_kind_of_sample_does_not_differentiate_at_the_other() -> None:
    at = discriminate(Smooth(), *two_batches())
    for regularizer, one_kind in (
        (R1(), replace(at, fake=at.fake.detach(), fake_logits=at.fake_logits.detach())),
        (R2(), replace(at, real=at.real.detach(), real_logits=at.real_logits.detach())),
    ):
        torch.testing.assert_close(total_penalty([regularizer], one_kind, 0), regularizer.penalty(at))
    torch.testing.assert_close(total_penalty([R1(), R2()], at, 0), R1().penalty(at) + R2().penalty(at))


def test_a_penalty_of_ones_own_may_differentiate_the_same_pass_again() -> None:
    class Mine(Regularizer, name="mine"):
        """A researcher's, of real and of generated samples."""

        def penalty(self, out: DiscriminatorPass) -> Tensor:
            outputs, inputs = [out.real_logits.sum(), out.fake_logits.sum()], [out.real, out.fake]
            gradients = torch.autograd.grad(outputs, inputs, create_graph=True)
            return torch.stack([squared_norms(each, len(out.real)).mean() for each in gradients]).sum()

    at = discriminate(Smooth(), *two_batches())
    one, other = R1(gamma=2).penalty(at), R2(gamma=2).penalty(at)
    torch.testing.assert_close(total_penalty([Mine()], at, 0), one + other)
    torch.testing.assert_close(total_penalty([R1(gamma=2), Mine()], at, 0), 2 * one + other)


def test_gamma_falls_by_half_a_cosine() -> None:
    weights = [R2(gamma=3, final_gamma=1).weight(done) for done in (0, 0.5, 1)]
    assert weights == pytest.approx([3, 2, 1])
    assert R1(gamma=3).weight(0.7) == 3


def test_a_discriminator_of_packs_is_differentiated_at_packs() -> None:
    discriminator = Smooth()

    def packed(samples: Tensor) -> Tensor:
        return discriminator(samples).view(-1, 2).prod(1)

    draw = torch.Generator().manual_seed(1)
    real = torch.randn(4, *SHAPE, generator=draw, dtype=torch.float64).requires_grad_()
    fake = real.detach().clone().requires_grad_()
    at = discriminate(packed, real, fake)
    step, squares = 1e-5, torch.zeros(2, dtype=torch.float64)
    with torch.no_grad():
        for place in range(real.numel()):
            nudge = torch.zeros_like(real).flatten()
            nudge[place] = step
            squares += ((packed(real + nudge.view_as(real)) - packed(real - nudge.view_as(real))) / (2 * step)).square()
    torch.testing.assert_close(R1(gamma=2).penalty(at), squares.mean(), rtol=1e-6, atol=0)
    expected = 10 * (squares.sqrt() - 1).square().mean()  # real and fake are the same here, and so every mix of them
    torch.testing.assert_close(GradientPenalty().penalty(at), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("one_sided", [False, True])
def test_the_gradient_penalty_by_finite_differences(one_sided: bool) -> None:
    discriminator, target = Smooth(), 0.245  # two of the slopes are above, two below
    at = discriminate(discriminator, *two_batches())
    with randomness.scope(0, 0, "penalty"):
        found = GradientPenalty(target=target, one_sided=one_sided).penalty(at)
    with randomness.scope(0, 0, "penalty"):
        mix = torch.rand(4, 1, 1, 1)
    excess = numeric_squared_norms(discriminator, mix * at.real + (1 - mix) * at.fake).sqrt() - target
    assert (excess < 0).any()
    assert (excess > 0).any()
    expected = 10 * (excess.clamp(min=0) if one_sided else excess).square().mean()
    torch.testing.assert_close(found, expected.detach(), rtol=1e-6, atol=0)


def test_dragan_by_finite_differences() -> None:
    discriminator = Smooth()
    at = discriminate(discriminator, *two_batches())
    with randomness.scope(0, 0, "penalty"):
        found = DRAGAN(spread=0.7).penalty(at)
    with randomness.scope(0, 0, "penalty"):
        around = at.real + torch.rand(4, 1, 1, 1) * 0.7 * at.real.std() * torch.rand_like(at.real)
    torch.testing.assert_close(
        found, 10 * (numeric_squared_norms(discriminator, around).sqrt() - 1).square().mean().detach()
    )


@pytest.mark.parametrize("regularizer", [R1(), R2(), GradientNorm()])
def test_penalties_do_not_depend_on_how_often_a_batch_is_repeated(regularizer: Regularizer) -> None:
    discriminator = Smooth()
    small = discriminate(discriminator, *two_batches())
    real, fake = (samples.detach().repeat(3, 1, 1, 1).requires_grad_() for samples in (small.real, small.fake))
    large = discriminate(discriminator, real, fake)
    torch.testing.assert_close(regularizer.penalty(small), regularizer.penalty(large))


@pytest.mark.parametrize("regularizer", [R1(), R2(), GradientNorm(), GradientPenalty(), DRAGAN()])
def test_penalties_teach_the_discriminator_and_nobody_else(regularizer: Regularizer) -> None:
    discriminator = Smooth()
    penalty = regularizer.penalty(discriminate(discriminator, *two_batches()))
    assert penalty is not None
    gradients = torch.autograd.grad(penalty, list(discriminator.parameters()), allow_unused=True)
    assert sum(gradient is not None and bool(gradient.abs().sum() > 0) for gradient in gradients) >= 3


@pytest.mark.parametrize("regularizer", [GradientPenalty(), DRAGAN()])
def test_a_flat_discriminator_has_a_finite_gradient(regularizer: Regularizer) -> None:
    discriminator = Smooth()
    with torch.no_grad():
        for parameter in discriminator.parameters():
            parameter.zero_()
    penalty = regularizer.penalty(discriminate(discriminator, *two_batches()))
    assert penalty is not None
    gradients = torch.autograd.grad(penalty, list(discriminator.parameters()), allow_unused=True)
    assert all(gradient is None or gradient.isfinite().all() for gradient in gradients)


def test_spectral_norm_makes_every_layer_1_lipschitz_and_forward_passes_change_nothing() -> None:
    discriminator = Smooth().float()
    regularizer = SpectralNorm()
    with randomness.scope(0, 0, "test"):
        regularizer.prepare(discriminator)
    for _ in range(200):
        regularizer.project(discriminator)
    before = {name: tensor.clone() for name, tensor in discriminator.state_dict().items()}
    discriminator(torch.randn(3, *SHAPE))
    assert all(torch.equal(before[name], tensor) for name, tensor in discriminator.state_dict().items())
    for layer in discriminator.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)
            assert largest.item() == pytest.approx(1, rel=1e-3)


def test_weights_are_brought_back_within_their_limits() -> None:
    discriminator = Smooth()
    weights = discriminator.layers[0].weight.detach().clone()
    norms = weights.flatten(1).norm(dim=1)
    limit = float(norms.sort().values[1:3].mean())  # two units above it, two below
    MaxNorm(limit=limit).project(discriminator)
    after = discriminator.layers[0].weight.detach().flatten(1)
    torch.testing.assert_close(after.norm(dim=1), norms.clamp(max=limit))
    torch.testing.assert_close(after[norms <= limit], weights.flatten(1)[norms <= limit])
    WeightClipping(limit=0.01).project(discriminator)
    assert max(float(parameter.detach().abs().max()) for parameter in discriminator.parameters()) <= 0.01


def test_penalties_come_every_so_many_updates_with_that_weight() -> None:
    at = discriminate(Smooth(), *two_batches())
    eager, lazy = R1(), R1(every=4)
    once = float(eager.penalty(at).detach())
    found = [float(total_penalty([lazy, WeightClipping()], at, update).detach()) for update in range(5)]
    assert found == pytest.approx([4 * once, 0, 0, 0, 4 * once])
    assert float(total_penalty([eager, eager], at, 3).detach()) == pytest.approx(2 * once)
    assert float(total_penalty([], at, 0)) == 0
