"""Vendi score, RKE and MS-SSIM: against closed forms, their definitions and torchmetrics."""

import math

import numpy as np
import pytest
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from tests.conftest import images
from tests.unit.metrics.sets import normal, seen
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
from zerosum.metrics.ms_ssim import WEIGHTS, MultiScaleSimilarity, ms_ssim
from zerosum.metrics.rke import RKE, mean_likeness
from zerosum.metrics.vendi import Vendi, vendi_score


def corners(groups: int, each: int) -> torch.Tensor:
    """`each` copies of `groups` orthogonal directions."""
    return torch.eye(groups, 20).repeat_interleave(each, 0)


@pytest.mark.parametrize(("groups", "each"), [(1, 7), (4, 5), (12, 3)])
def test_equal_groups_of_unlike_samples_are_counted(groups: int, each: int) -> None:
    assert vendi_score(corners(groups, each) * 3) == pytest.approx(groups)
    far = corners(groups, each) * 1e3
    assert 1 / float(mean_likeness(far, 1.0).mean()) == pytest.approx(groups)


@pytest.mark.parametrize("count", [6, 30])
def test_the_vendi_score_is_that_of_its_definition(count: int) -> None:
    features = normal(count, 10, 0).double().numpy()
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    shares = np.linalg.eigvalsh(unit @ unit.T / count)
    shares = shares[shares > 1e-12]
    assert vendi_score(torch.from_numpy(features)) == pytest.approx(math.exp(-(shares * np.log(shares)).sum()))


def test_the_rke_score_is_that_of_its_definition() -> None:
    """The exponential of the order-2 entropy of K / N: 1 over its squared Frobenius norm."""
    features, width = normal(40, 3, 0).double(), 0.7
    kernel = torch.exp(-torch.cdist(features, features).square() / (2 * width**2))
    expected = 1 / float((kernel / 40).square().sum())
    assert 1 / float(mean_likeness(features, width).mean()) == pytest.approx(expected)


@pytest.mark.parametrize(("metric", "few", "enough"), [(Vendi(), 40, 600), (RKE(), 40, 600)])
def test_the_interval_varies_as_the_score_does_and_few_samples_are_warned_of(
    metric: Vendi | RKE, few: int, enough: int
) -> None:
    scales = torch.tensor([4.0, 2.0, 1.0, 0.5])
    real = normal(enough, 4, 0) * scales
    found = [metric.measure(seen(normal(enough, 4, seed) * scales, real))[0] for seed in range(1, 21)]
    deviation = float(np.std([each.value for each in found], ddof=1))
    half = float(np.mean([each.high - each.low for each in found])) / 2
    assert 1.2 < half / deviation < 3.2
    assert all(each.warning == "" or isinstance(metric, RKE) for each in found)
    (warned,) = metric.measure(seen(normal(few, 20, 1), normal(few, 20, 2)))
    assert f"{few} samples are few" in warned.warning
    assert "would do" in warned.warning


def their_term(one: torch.Tensor, other: torch.Tensor, *, last: bool) -> torch.Tensor:
    """SSIM, or its contrast term, where a window has room: torchmetrics averages the former over a border too."""
    if last:
        _, full = structural_similarity_index_measure(one[None], other[None], data_range=255.0, return_full_image=True)
        return full[..., 5:-5, 5:-5].mean()
    _, contrast = structural_similarity_index_measure(
        one[None], other[None], data_range=255.0, return_contrast_sensitivity=True
    )
    return contrast.mean()


@pytest.mark.parametrize(("size", "scales"), [((3, 200, 190), 5), ((1, 48, 64), 3), ((3, 16, 16), 1)])
def test_ms_ssim_is_made_of_the_terms_of_torchmetrics(size: tuple[int, int, int], scales: int) -> None:
    rng = torch.Generator().manual_seed(0)
    one = torch.nn.functional.avg_pool2d(torch.rand(3, *size, generator=rng) * 255, 5, 1, 2)
    other = one + torch.randn(3, *size, generator=rng) * 8
    product, parts = torch.ones(3, size[0]), (one.flatten(0, 1)[:, None], other.flatten(0, 1)[:, None])
    for number, weight in enumerate(WEIGHTS[:scales]):
        term = torch.stack([their_term(*pair, last=number == scales - 1) for pair in zip(*parts, strict=True)])
        product = product * term.view(3, size[0]) ** (weight / sum(WEIGHTS[:scales]))
        parts = tuple(torch.nn.functional.avg_pool2d(each, 2) for each in parts)
    expected = product.mean(1)
    assert torch.allclose(ms_ssim(one, other), expected, atol=1e-4)
    assert torch.allclose(ms_ssim(one, one), torch.ones(3))


def test_a_collapsed_generator_has_a_high_similarity_and_a_low_score() -> None:
    source = images((3, 32, 32), 120)
    evaluation = Evaluation.of(source, Request("random-convolutions"))
    same = source.train.samples[:2].repeat(30, 1, 1, 1)
    metrics = [MultiScaleSimilarity(), Vendi(), RKE()]
    similarity, vendi, rke = evaluation.scores(same, 0, metrics)
    assert similarity.real is not None
    assert similarity.value > similarity.real + 0.3
    assert similarity.features == "pixels"
    assert "30 pairs of samples are few: 200 samples would do" in similarity.warning
    for score in (vendi, rke):
        assert score.real is not None
        assert score.value <= min(2, score.real) + 1e-6
