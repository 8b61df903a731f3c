"""The Fréchet distance: against closed forms, torchmetrics and its own sampling error."""

import math

import numpy as np
import pytest
import torch
from torchmetrics.image.fid import FrechetInceptionDistance

from tests.unit.metrics.sets import GivenFeatures, normal, seen
from zerosum.data import Source, Split
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.frechet import (
    FrechetDistance,
    FrechetInfinity,
    Gaussian,
    bootstrap,
    distance_between,
    fit_gaussian,
    frechet_distance,
)
from zerosum.metrics.memorisation import MiFID
from zerosum.metrics.statistics import student


def test_the_frechet_distance_of_two_gaussians_is_the_closed_form() -> None:
    """N(0, I) and N(1, 4 I) in 8 dimensions: 8 + 8 (1 + 4 - 2 * 2) = 16; the sampling error at 50,000 is below 1%."""
    assert frechet_distance(normal(50_000, 8, 1), normal(50_000, 8, 2, scale=2, shift=1)) == pytest.approx(16, rel=0.01)


def test_the_frechet_distance_of_exact_moments_is_exact() -> None:
    """A set and its affine image have known moments: distance = |A mu + b - mu|^2 + Tr of the commuting covariances."""
    x = normal(4_000, 5, 3).double()
    factors = torch.tensor([1.0, 2.0, 0.5, 3.0, 1.0], dtype=torch.float64)
    x = (x - x.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(x.T.cov()).T)  # identity covariance, mean 0
    expected = float(((factors - 1) ** 2).sum() + 5 * 0.25)
    assert frechet_distance(x * factors + 0.5, x) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("fakes", "reals"), [(20, 30), (20, 300), (200, 30), (200, 300)])
def test_the_trace_of_the_root_is_that_of_the_eigenvalues(fakes: int, reals: int, known: bool) -> None:
    """Of the product, which is not symmetric; also where covariances have no full rank, and from moments in a file."""
    one, other = (fit_gaussian(normal(count, 40, seed, scale=seed)) for seed, count in enumerate((fakes, reals), 1))
    assert (one.rows is None, other.rows is None) == (fakes > 40, reals > 40)
    roots = torch.linalg.eigvals(one.covariance @ other.covariance).sqrt().real.sum()
    shift = (one.mean - other.mean).square().sum()
    expected = float(shift + one.covariance.trace() + other.covariance.trace() - 2 * roots)
    if not known:
        one, other = Gaussian(one.mean, one.covariance), Gaussian(other.mean, other.covariance)
    assert distance_between(one, other) == pytest.approx(expected, rel=1e-6)
    assert distance_between(other, one) == pytest.approx(expected, rel=1e-6)


def test_moments_that_are_not_finite_give_no_number() -> None:
    bad = Gaussian(torch.zeros(2), torch.full((2, 2), torch.nan))
    assert math.isnan(distance_between(bad, Gaussian(torch.zeros(2), torch.eye(2))))


def test_too_few_samples_for_the_features_are_warned_of() -> None:
    source = Source("normal", *(Split(normal(100, 60, seed)) for seed in (1, 2)))
    evaluation = Evaluation.of(source)
    assert "50 samples are few for 60 features" in evaluation.scores(normal(50, 60, 3), 0)[0].warning
    assert evaluation.scores(normal(90, 60, 3), 0)[0].warning == ""


def test_only_distances_of_gaussians_need_more_samples_than_features() -> None:
    source = Source("normal", *(Split(normal(100, 60, seed)) for seed in (1, 2)))
    evaluation, samples = Evaluation.of(source), normal(50, 60, 3)
    scores = evaluation.scores(samples, 0) + evaluation.scores(samples, 0, [FrechetInfinity(), MiFID()])
    warned = [score.metric for score in scores if "samples are few" in score.warning]
    assert warned == ["frechet-distance", "frechet-distance-infinity", "mi-frechet-distance"]


def test_a_line_through_the_distances_ends_near_the_truth() -> None:
    """Two equal Gaussians in 30 dimensions: the distance at 1,000 samples is mostly bias, its limit nearly none."""
    fake, real = normal(1_000, 30, 1), normal(20_000, 30, 2)
    (limit,) = FrechetInfinity().measure(seen(fake, real))
    assert abs(limit.value) < 0.2 * frechet_distance(fake, real)
    assert limit.metric == "frechet-distance-infinity"


def test_the_interval_of_the_limit_holds_the_truth() -> None:
    """Equal Gaussians, 20 draws."""
    real, hits = normal(20_000, 16, 0), 0
    for seed in range(1, 21):
        fake = normal(800, 16, seed)
        (limit,) = FrechetInfinity().measure(seen(fake, real, seed=seed))
        hits += limit.low <= 0 <= limit.high
        assert limit.warning == ""
    assert hits >= 17
    few = normal(80, 32, 1)
    (limit,) = FrechetInfinity().measure(seen(few, normal(1_000, 32, 2)))
    assert limit.warning == "80 samples are few to extrapolate from with 32 features"


def by_singular_values(fake: torch.Tensor, real: torch.Tensor) -> float:
    """Compute the distance without a covariance: the trace of the root is the sum of singular values of R Q^T."""
    means = [rows.double().mean(0) for rows in (fake, real)]
    pair = zip((fake, real), means, strict=True)
    rows = [(each.double() - mean) / math.sqrt(len(each) - 1) for each, mean in pair]
    (_, one), (_, other) = map(torch.linalg.qr, rows)
    traces = sum(each.square().sum() for each in rows)
    return float((means[0] - means[1]).square().sum() + traces - 2 * torch.linalg.svdvals(one @ other.T).sum())


def torchmetrics_distance(fake: torch.Tensor, real: torch.Tensor) -> float:
    metric = FrechetInceptionDistance(feature=GivenFeatures(fake.shape[1]))
    metric.update(real.double(), real=True)
    metric.update(fake.double(), real=False)
    return float(metric.compute())


def nearly_singular(count: int, seed: int) -> torch.Tensor:
    """Sixteen features that are mixtures of four, but for a millionth."""
    return normal(count, 4, seed) @ normal(4, 16, 0) + 1e-6 * normal(count, 16, seed + 100)


@pytest.mark.parametrize(
    ("fake", "real"),
    [
        (normal(500, 8, 1, scale=2, shift=1), normal(700, 8, 2)),
        (normal(5_000, 3, 1), normal(9_000, 3, 2, shift=0.1)),  # several blocks
        (normal(20, 60, 1), normal(30, 60, 2)),  # fewer samples than features
        (nearly_singular(300, 1), nearly_singular(200, 2)),
        (nearly_singular(300, 1), normal(200, 16, 2)),
        (normal(400, 5, 1, shift=100), normal(300, 5, 2)),
        (torch.zeros(50, 4), normal(50, 4, 1)),
        (normal(2, 4, 1), normal(2, 4, 2)),
    ],
)
def test_the_frechet_distance_is_that_of_torchmetrics(fake: torch.Tensor, real: torch.Tensor) -> None:
    """And nearer to what the samples' singular values give, whose roots lose nothing where an eigenvalue is 0."""
    found = frechet_distance(fake, real)
    assert found == pytest.approx(by_singular_values(fake, real), rel=1e-9, abs=1e-9)
    assert found == pytest.approx(torchmetrics_distance(fake, real), rel=2e-6, abs=1e-9)


def test_a_gaussian_is_fitted_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    features = normal(1_000, 5, 1, scale=3, shift=2)
    for block in (1, 7, 10_000):
        monkeypatch.setattr("zerosum.metrics.frechet.BLOCK", block)
        mean, covariance, _ = fit_gaussian(features)
        torch.testing.assert_close(mean, features.double().mean(0), rtol=1e-12, atol=0)
        torch.testing.assert_close(covariance, features.double().T.cov(), rtol=1e-12, atol=1e-12)


def test_the_bootstrap_resamples_both_sets() -> None:
    """A set of equal rows is the same however it is resampled: what varies is the other set."""
    constant, varied = torch.zeros(100, 3), normal(100, 3, 1)
    for fake, real in ((constant, varied), (varied, constant)):
        deviation, draws = bootstrap(seen(fake, real))
        assert draws == 25
        assert deviation > 0.1
        (estimate,) = FrechetDistance().measure(seen(fake, real))
        assert estimate.high - estimate.value == pytest.approx(student(24) * deviation, rel=1e-9)
    assert bootstrap(seen(constant, constant))[0] == 0


def test_the_interval_is_as_wide_as_the_distance_varies() -> None:
    """Of 100 pairs of sets; the relative standard error of a deviation of n draws is (2 n)^-1/2, four are allowed."""
    found = [
        FrechetDistance().measure(seen(normal(400, 2, seed, shift=1), normal(300, 2, seed + 1_000)))[0]
        for seed in range(100)
    ]
    deviations = [(each.high - each.value) / student(24) for each in found]
    assert np.mean(deviations) == pytest.approx(np.std([each.value for each in found], ddof=1), rel=4 / 200**0.5)


def test_the_line_is_fitted_to_sizes_from_a_tenth_but_at_least_twice_the_features(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []

    def measure(real: Gaussian, fake: Gaussian) -> float:
        return 1 / sizes[-1]

    def fit(features: torch.Tensor) -> Gaussian:
        sizes.append(len(features))
        return Gaussian(features.mean(0), features.T.cov())

    monkeypatch.setattr("zerosum.metrics.frechet.distance_between", measure)
    monkeypatch.setattr("zerosum.metrics.frechet.fit_gaussian", fit)
    monkeypatch.setattr("zerosum.metrics.frechet.bootstrap", lambda inputs: (0.1, 25))
    for count, dimension, least in ((1_000, 4, 100), (1_000, 80, 160), (100, 80, 50)):
        sizes.clear()
        FrechetInfinity().measure(seen(normal(count, dimension, 1), normal(200, dimension, 2)))
        assert sizes.pop(0) == 200  # the real samples are fitted once
        assert (min(sizes), max(sizes), len(sizes)) == (least, count, 15)
