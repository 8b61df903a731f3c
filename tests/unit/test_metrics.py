import numpy as np
import prdc
import pytest
import torch

from tests.conftest import images, points
from zerosum.data import Source, open_source
from zerosum.errors import InputError
from zerosum.metrics import Comparison, Evaluation, sample_count
from zerosum.metrics.features import ClassifierFeatures, RandomConvolutions, features_for
from zerosum.metrics.frechet import FrechetDistance, frechet_distance
from zerosum.metrics.modes import Modes
from zerosum.metrics.neighbours import Neighbours, overlap


def normal(count: int, dimension: int, seed: int, scale: float = 1.0, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(count, dimension, generator=torch.Generator().manual_seed(seed)) * scale + shift


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


def test_identical_sets_have_distance_zero_and_full_overlap() -> None:
    x = normal(300, 6, 4)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-6)
    means = {name: values.mean() for name, values in overlap(x.numpy(), x.numpy(), 5).items()}
    assert (means["precision"], means["recall"], means["coverage"]) == (1, 1, 1)
    assert means["density"] == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("shift", [0.0, 0.5, 10.0])
def test_neighbour_metrics_agree_with_the_reference_package(shift: float, capsys: pytest.CaptureFixture[str]) -> None:
    real, fake = normal(700, 16, 5).numpy(), normal(500, 16, 6, shift=shift).numpy()
    reference = prdc.compute_prdc(real, fake, nearest_k=5)
    for name, values in overlap(fake, real, 5).items():
        assert values.mean() == pytest.approx(reference[name], abs=1e-6), name


def test_overlap_is_the_same_whatever_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    import sklearn.metrics

    real, fake = normal(300, 4, 7).numpy(), normal(900, 4, 8).numpy()
    whole = overlap(fake, real, 5)
    chunked = sklearn.metrics.pairwise_distances_chunked

    def small(*args: object, working_memory: int) -> object:
        return chunked(*args, working_memory=0.05)

    monkeypatch.setattr(sklearn.metrics, "pairwise_distances_chunked", small)
    for name, values in overlap(fake, real, 5).items():
        np.testing.assert_array_equal(values, whole[name])


def test_intervals_hold_the_value_and_shrink_with_the_samples() -> None:
    real = normal(4_000, 4, 9)
    for metric in (FrechetDistance(), Neighbours()):
        few, many = (
            metric.measure(Comparison(normal(n, 4, 10, shift=0.5), real[:n], points(4), 0)) for n in (200, 4_000)
        )
        for small, large in zip(few, many, strict=True):
            assert large.low <= large.value <= large.high
            assert large.high - large.low < small.high - small.low


def test_the_bootstrap_is_a_function_of_the_seed() -> None:
    real, fake = normal(200, 3, 1), normal(200, 3, 2)
    for metric in (FrechetDistance(), Neighbours()):
        one, again, other = (metric.measure(Comparison(fake, real, points(3), seed)) for seed in (1, 1, 2))
        assert one == again
        assert one != other


def test_features_follow_from_the_data(digits: Source) -> None:
    assert isinstance(features_for(digits), ClassifierFeatures)
    assert isinstance(features_for(images((3, 9, 13))), RandomConvolutions)
    assert features_for(points(2)).name == "coordinates"


def test_the_classifier_is_good_repeatable_and_cached(
    digits: Source, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path))
    trained = ClassifierFeatures(digits)
    assert trained.classify(digits.test.samples).eq(digits.test.labels).float().mean() > 0.95
    monkeypatch.setattr("zerosum.metrics.features._train", None)  # would fail if it were called again
    cached = ClassifierFeatures(digits)
    assert torch.equal(trained(digits.test.samples), cached(digits.test.samples))
    assert trained(digits.test.samples).shape == (len(digits.test), 128)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 13), (4, 100, 40)])
def test_random_features_have_one_size_and_one_seed(shape: tuple[int, int, int]) -> None:
    source = images(shape, count=6)
    one, again = RandomConvolutions(shape)(source.train.samples), RandomConvolutions(shape)(source.train.samples)
    assert one.shape == (6, 256)
    assert torch.equal(one, again)


def test_classifiers_fit_any_shape(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path))
    monkeypatch.setattr("zerosum.metrics.features.CLASSIFIER_EPOCHS", 1)
    for shape in ((1, 8, 8), (3, 9, 40), (2, 70, 33)):
        source = images(shape, classes=3)
        assert ClassifierFeatures(source)(source.test.samples).shape == (32, 128)


def test_scores_carry_their_protocol() -> None:
    source = points(2)
    scores = Evaluation.of(source).scores(normal(1_000, 2, 3), seed=5)
    by_name = {score.metric: score for score in scores}
    assert list(by_name) == ["frechet-distance", "precision", "recall", "density", "coverage"]
    assert by_name["frechet-distance"].samples == 1_000
    assert by_name["precision"].samples == by_name["precision"].reference_samples == 512
    assert {(score.features, score.reference, score.seed) for score in scores} == {
        ("coordinates", "test split of normal", 5)
    }


def test_samples_that_cannot_be_scored() -> None:
    evaluation = Evaluation.of(points(2))
    for wrong in (torch.zeros(10, 3), torch.zeros(1, 2), torch.zeros(4, 1, 8, 8, dtype=torch.uint8)):
        with pytest.raises(InputError, match="cannot be scored against data of shape"):
            evaluation.scores(wrong, 0)
    with pytest.raises(InputError, match="not all finite"):
        evaluation.scores(torch.full((10, 2), torch.nan), 0)


def test_constant_samples_give_a_finite_score() -> None:
    scores = Evaluation.of(points(2)).scores(torch.zeros(100, 2), 0)
    assert all(np.isfinite([score.value, score.low, score.high]).all() for score in scores)


@pytest.mark.parametrize(("test", "expected"), [(300, 5_000), (7_000, 7_000), (50_000, 10_000)])
def test_how_many_samples_a_score_takes(test: int, expected: int) -> None:
    assert sample_count(images((1, 1, 1), count=2 * test)) == expected


@pytest.mark.parametrize(("name", "modes"), [("ring", 8), ("grid", 25)])
def test_real_points_cover_their_modes_as_theory_says(name: str, modes: int) -> None:
    """The share within 3 sigma in two coordinates is 1 - exp(-9 / 2) = 98.9%; five standard errors are allowed."""
    source = open_source(name)
    evaluation = Evaluation.of(source)
    scores = {score.metric: score for score in evaluation.scores(source.train.samples[:2_500], seed=0)}
    assert scores["modes-covered"].value == modes
    assert scores["high-quality"].value == pytest.approx(1 - np.exp(-4.5), abs=5 * (0.011 * 0.989 / 2_500) ** 0.5)
    assert scores["reverse-kl"].value < 3 * (modes - 1) / (2 * 2_500)  # its expectation is (K - 1) / 2N
    assert scores["spread-ratio"].value == pytest.approx(1, abs=0.05)


def test_modes_that_are_missed_or_blurred_are_seen() -> None:
    source = open_source("ring")
    assert source.density is not None
    one_mode = source.density.means[:1] + 0.02 * normal(2_500, 2, 1)
    measured = {e.metric: e.value for e in Modes().measure(Comparison(one_mode, one_mode, source, 0))}
    assert measured["modes-covered"] == 1
    assert measured["reverse-kl"] == pytest.approx(np.log(8))
    wide = source.density.means[torch.arange(2_504) % 8] + 0.06 * normal(2_504, 2, 1)
    measured = {e.metric: e.value for e in Modes().measure(Comparison(wide, wide, source, 0))}
    assert measured["spread-ratio"] == pytest.approx(3, rel=0.1)
    assert measured["high-quality"] == pytest.approx(1 - np.exp(-0.5), abs=0.05)
    assert measured["reverse-kl"] == pytest.approx(0, abs=1e-3)


def test_only_mixtures_have_modes() -> None:
    assert not Modes().applies(points(2))
    assert not Modes().applies(open_source("gaussian"))
    assert Modes().applies(open_source("ring"))
