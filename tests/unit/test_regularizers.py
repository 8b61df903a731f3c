"""Each penalty against finite differences of a smooth discriminator, sample by sample, on non-square inputs."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from zerosum import randomness
from zerosum.regularizers import (
    R1,
    R2,
    Dragan,
    GradientPenalty,
    Judgement,
    MaxNorm,
    Regularizer,
    SpectralNorm,
    WeightClipping,
    total_penalty,
)

SHAPE = (2, 3, 5)


class Smooth(nn.Module):
    """A small discriminator with known slopes everywhere."""

    def __init__(self) -> None:
        super().__init__()
        with randomness.scope(0, 0, "test"):
            self.layers = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(60, 1))
        self.double()

    def forward(self, samples: Tensor) -> Tensor:
        return self.layers(samples).flatten()


def seen(judge: nn.Module, count: int = 4) -> Judgement:
    draw = torch.Generator().manual_seed(1)
    real, fake = (torch.randn(count, *SHAPE, generator=draw, dtype=torch.float64).requires_grad_() for _ in range(2))
    return Judgement(judge, real, fake, judge(real), judge(fake))


def numeric_slopes(judge: nn.Module, samples: Tensor) -> Tensor:
    """||grad D||^2 of each sample by central differences."""
    step, found = 1e-5, []
    with torch.no_grad():
        for sample in samples:
            directions = torch.eye(sample.numel(), dtype=torch.float64).view(-1, *SHAPE) * step
            found.append(((judge(sample + directions) - judge(sample - directions)) / (2 * step)).square().sum())
    return torch.stack(found)


def test_r1_and_r2_by_finite_differences() -> None:
    judge = Smooth()
    at = seen(judge)
    torch.testing.assert_close(R1(gamma=3).penalty(at), 1.5 * numeric_slopes(judge, at.real).mean(), rtol=1e-6, atol=0)
    torch.testing.assert_close(R2(gamma=3).penalty(at), 1.5 * numeric_slopes(judge, at.fake).mean(), rtol=1e-6, atol=0)


def test_a_penalty_on_one_kind_of_sample_does_not_ask_for_slopes_on_the_other() -> None:
    at = seen(Smooth())
    for regularizer, one_kind in (
        (R1(), replace(at, fake=at.fake.detach(), fake_logits=at.fake_logits.detach())),
        (R2(), replace(at, real=at.real.detach(), real_logits=at.real_logits.detach())),
    ):
        torch.testing.assert_close(total_penalty([regularizer], one_kind, 0), regularizer.penalty(at))
    torch.testing.assert_close(total_penalty([R1(), R2()], at, 0), R1().penalty(at) + R2().penalty(at))


def test_slopes_that_nobody_announced_are_found_all_the_same() -> None:
    class Both(Regularizer):
        """A researcher's, of real and of generated samples."""

        def penalty(self, seen: Judgement) -> Tensor:
            return seen.squared_slopes("real").mean() + seen.squared_slopes("fake").mean()

    at = seen(Smooth())
    one, other = R1(gamma=2).penalty(at), R2(gamma=2).penalty(at)
    torch.testing.assert_close(total_penalty([Both()], at, 0), one + other)
    torch.testing.assert_close(total_penalty([R1(gamma=2), Both()], at, 0), 2 * one + other)


def test_gamma_falls_by_half_a_cosine() -> None:
    weights = [R2(gamma=3, final_gamma=1).weight(progress) for progress in (0, 0.5, 1)]
    assert weights == pytest.approx([3, 2, 1])
    assert R1(gamma=3).weight(0.7) == 3


def test_where_packs_are_judged_the_slopes_are_those_of_packs() -> None:
    judge = Smooth()

    def packed(samples: Tensor) -> Tensor:
        return judge(samples).view(-1, 2).prod(1)

    draw = torch.Generator().manual_seed(1)
    real = torch.randn(4, *SHAPE, generator=draw, dtype=torch.float64).requires_grad_()
    fake = real.detach().clone().requires_grad_()
    at = Judgement(packed, real, fake, packed(real), packed(fake))
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
    judge, target = Smooth(), 0.245  # two of the slopes are above, two below
    at = seen(judge)
    with randomness.scope(0, 0, "penalty"):
        found = GradientPenalty(target=target, one_sided=one_sided).penalty(at)
    with randomness.scope(0, 0, "penalty"):
        mix = torch.rand(4, 1, 1, 1)
    excess = numeric_slopes(judge, mix * at.real + (1 - mix) * at.fake).sqrt() - target
    assert (excess < 0).any()
    assert (excess > 0).any()
    expected = 10 * (excess.clamp(min=0) if one_sided else excess).square().mean()
    torch.testing.assert_close(found, expected.detach(), rtol=1e-6, atol=0)


def test_dragan_by_finite_differences() -> None:
    judge = Smooth()
    at = seen(judge)
    with randomness.scope(0, 0, "penalty"):
        found = Dragan(spread=0.7).penalty(at)
    with randomness.scope(0, 0, "penalty"):
        around = at.real + torch.rand(4, 1, 1, 1) * 0.7 * at.real.std() * torch.rand_like(at.real)
    torch.testing.assert_close(found, 10 * (numeric_slopes(judge, around).sqrt() - 1).square().mean().detach())


@pytest.mark.parametrize("regularizer", [R1(), R2()])
def test_penalties_do_not_depend_on_how_often_a_batch_is_repeated(regularizer: Regularizer) -> None:
    judge = Smooth()
    small = seen(judge)
    real, fake = (samples.detach().repeat(3, 1, 1, 1).requires_grad_() for samples in (small.real, small.fake))
    large = Judgement(judge, real, fake, judge(real), judge(fake))
    torch.testing.assert_close(regularizer.penalty(small), regularizer.penalty(large))


@pytest.mark.parametrize("regularizer", [R1(), R2(), GradientPenalty(), Dragan()])
def test_penalties_teach_the_discriminator_and_nobody_else(regularizer: Regularizer) -> None:
    judge = Smooth()
    penalty = regularizer.penalty(seen(judge))
    assert penalty is not None
    gradients = torch.autograd.grad(penalty, list(judge.parameters()), allow_unused=True)
    assert sum(gradient is not None and bool(gradient.abs().sum() > 0) for gradient in gradients) >= 3


@pytest.mark.parametrize("regularizer", [GradientPenalty(), Dragan()])
def test_a_flat_discriminator_has_a_finite_gradient(regularizer: Regularizer) -> None:
    judge = Smooth()
    with torch.no_grad():
        for parameter in judge.parameters():
            parameter.zero_()
    penalty = regularizer.penalty(seen(judge))
    assert penalty is not None
    gradients = torch.autograd.grad(penalty, list(judge.parameters()), allow_unused=True)
    assert all(gradient is None or gradient.isfinite().all() for gradient in gradients)


def test_spectral_norm_makes_every_layer_1_lipschitz_and_forward_passes_change_nothing() -> None:
    judge = Smooth().float()
    regularizer = SpectralNorm()
    with randomness.scope(0, 0, "test"):
        regularizer.prepare(judge)
    for _ in range(200):
        regularizer.project(judge)
    before = {name: tensor.clone() for name, tensor in judge.state_dict().items()}
    judge(torch.randn(3, *SHAPE))
    assert all(torch.equal(before[name], tensor) for name, tensor in judge.state_dict().items())
    for layer in judge.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)
            assert largest.item() == pytest.approx(1, rel=1e-3)


def test_weights_are_brought_back_within_their_limits() -> None:
    judge = Smooth()
    weights = judge.layers[0].weight.detach().clone()
    norms = weights.flatten(1).norm(dim=1)
    limit = float(norms.sort().values[1:3].mean())  # two units above it, two below
    MaxNorm(limit=limit).project(judge)
    after = judge.layers[0].weight.detach().flatten(1)
    torch.testing.assert_close(after.norm(dim=1), norms.clamp(max=limit))
    torch.testing.assert_close(after[norms <= limit], weights.flatten(1)[norms <= limit])
    WeightClipping(limit=0.01).project(judge)
    assert max(float(parameter.detach().abs().max()) for parameter in judge.parameters()) <= 0.01


def test_penalties_come_at_their_interval_with_its_weight() -> None:
    at = seen(Smooth())
    every, lazy = R1(), R1(interval=4)
    once = float(every.penalty(at).detach())
    found = [float(total_penalty([lazy, WeightClipping()], at, update).detach()) for update in range(5)]
    assert found == pytest.approx([4 * once, 0, 0, 0, 4 * once])
    assert float(total_penalty([every, every], at, 3).detach()) == pytest.approx(2 * once)
    assert float(total_penalty([], at, 0)) == 0
