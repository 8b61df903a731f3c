import numpy as np
import prdc
import pytest
import torch

from tests.conftest import images, points
from tests.unit.metrics.sets import normal, seen
from zerosum import catalog, randomness
from zerosum.data import Source, Split, open_source
from zerosum.errors import InputError
from zerosum.metrics import Metric
from zerosum.metrics.evaluation import Evaluation, sample_count
from zerosum.metrics.frechet import FrechetDistance, FrechetInfinity, frechet_distance
from zerosum.metrics.kernel import KernelDistance
from zerosum.metrics.memorisation import Mifid
from zerosum.metrics.modes import Modes
from zerosum.metrics.neighbours import Neighbours, overlap


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
    for metric in (FrechetDistance(), KernelDistance(), Neighbours()):
        few, many = (metric.measure(seen(normal(n, 4, 10, shift=0.5), real[:n])) for n in (200, 4_000))
        for small, large in zip(few, many, strict=True):
            assert large.low <= large.value <= large.high
            assert large.high - large.low < small.high - small.low


def test_the_bootstrap_is_a_function_of_the_seed() -> None:
    real, fake = normal(200, 3, 1), normal(200, 3, 2)
    for metric in (FrechetDistance(), Neighbours()):
        one, again, other = (metric.measure(seen(fake, real, seed=seed)) for seed in (1, 1, 2))
        assert one == again
        assert one != other


def test_a_seed_may_be_larger_than_the_machines_numbers() -> None:
    source, samples = points(2, 100), normal(60, 2, 3)
    evaluation = Evaluation.of(source)
    metrics = [cls() for cls in catalog.choices(Metric).values()]
    metrics = [each for each in metrics if not each.refusal(source, evaluation.features)]
    one, again, other = (evaluation.scores(samples, seed, metrics) for seed in (10**20, 10**20, 10**20 + 2**64))
    assert one == again
    assert [score.low for score in one] != [score.low for score in other]


def test_scores_carry_their_protocol() -> None:
    source = points(2)
    scores = Evaluation.of(source).scores(normal(1_000, 2, 3), seed=5)
    by_name = {score.metric: score for score in scores}
    near = ["nearest-training", "nearer-than-real"]
    overlaps = ["precision", "recall", "density", "coverage"]
    assert list(by_name) == ["frechet-distance", "kernel-distance", *near, *overlaps]
    assert by_name["frechet-distance"].samples == 1_000
    assert by_name["precision"].samples == by_name["precision"].reference_samples == 512
    assert {(score.features, score.resizer, score.seed) for score in scores} == {("coordinates", "none", 5)}
    assert {score.reference for score in scores if score.metric not in near} == {"test split of normal"}
    assert {by_name[name].reference for name in near} == {"training split of normal"}
    assert all(score.comparable.startswith("Compare with scores of points") for score in scores)
    assert all(score.real is not None for score in scores)


def test_what_real_data_score_is_measured_on_real_data() -> None:
    source = points(2)
    scores = Evaluation.of(source).scores(normal(400, 2, 3, shift=3), seed=5)
    training = Evaluation.of(source).train.samples[:400]
    expected = {score.metric: score.value for score in Evaluation.of(source).scores(training, seed=5)}
    for score in scores:
        if score.metric == "frechet-distance":
            assert score.real == pytest.approx(expected[score.metric], rel=1e-6)
        if score.metric in ("frechet-distance", "kernel-distance"):
            assert score.value > 10 * score.real


def test_scores_do_not_depend_on_the_order_of_samples_or_reference() -> None:
    samples, order = normal(300, 2, 3), torch.randperm(300, generator=torch.Generator().manual_seed(1))
    source = points(2)
    rows = torch.randperm(512, generator=torch.Generator().manual_seed(2))
    turned = Source("normal", Split(source.train.samples[rows]), Split(source.test.samples[rows]))
    one, other = (
        Evaluation.of(each).scores(part, seed=0) for each, part in ((source, samples), (turned, samples[order]))
    )
    for before, after in zip(one, other, strict=True):
        assert (after.value, after.low, after.high) == pytest.approx((before.value, before.low, before.high), rel=1e-9)


def test_the_reference_is_the_users_choice() -> None:
    source = points(2)
    samples = normal(600, 2, 3)
    test, train, whole = (
        Evaluation.of(source, reference=each).scores(samples, 0, [FrechetDistance()])[0]
        for each in ("test", "train", "all")
    )
    assert (test.reference_samples, train.reference_samples, whole.reference_samples) == (512, 512, 1_024)
    assert whole.reference == "whole of normal"
    assert whole.real is None
    both = torch.cat([source.train.samples, source.test.samples])
    assert whole.value == pytest.approx(frechet_distance(samples, both), rel=1e-6)


@pytest.mark.parametrize("split", ["test", "train"])
def test_of_a_long_split_a_random_part_is_the_reference(split: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two classes, one after the other: of 2 n points n are drawn, so n / 2 +- sqrt(n / 8) of each class."""
    monkeypatch.setattr("zerosum.metrics.evaluation.MOST_SAMPLES", 1_000)
    monkeypatch.setattr("zerosum.metrics.evaluation.MOST_TRAINING", 1_000)
    classes = torch.cat([normal(1_000, 2, 1), normal(1_000, 2, 2, shift=100)])
    evaluation = Evaluation.of(Source("classes", Split(classes), Split(classes)))
    chosen = getattr(evaluation, split).samples
    assert len(chosen.unique(dim=0)) == 1_000
    second = int((chosen[:, 0] > 50).sum())
    assert second == pytest.approx(500, abs=5 * (1_000 / 8) ** 0.5)
    again = Evaluation.of(evaluation.source)
    assert torch.equal(getattr(again, split).samples, chosen)


def test_a_split_that_is_not_too_long_is_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    source = points(2)
    whole = Evaluation.of(source).test.samples
    monkeypatch.setattr("zerosum.metrics.evaluation.MOST_SAMPLES", len(source.test))
    assert torch.equal(Evaluation.of(source).test.samples, whole)
    assert torch.equal(whole.sort(0)[0], source.test.samples.sort(0)[0])


def test_too_few_samples_for_the_features_are_warned_of() -> None:
    source = Source("normal", *(Split(normal(100, 60, seed)) for seed in (1, 2)))
    evaluation = Evaluation.of(source)
    assert "50 samples are few for 60 features" in evaluation.scores(normal(50, 60, 3), 0)[0].warning
    assert evaluation.scores(normal(90, 60, 3), 0)[0].warning == ""


def test_only_distances_of_gaussians_need_more_samples_than_features() -> None:
    source = Source("normal", *(Split(normal(100, 60, seed)) for seed in (1, 2)))
    evaluation, samples = Evaluation.of(source), normal(50, 60, 3)
    scores = evaluation.scores(samples, 0) + evaluation.scores(samples, 0, [FrechetInfinity(), Mifid()])
    warned = [score.metric for score in scores if "samples are few" in score.warning]
    assert warned == ["frechet-distance", "frechet-distance-infinity", "mi-frechet-distance"]


def test_the_number_of_samples_is_that_which_was_looked_at() -> None:
    source = open_source("ring")
    scores = Evaluation.of(source).scores(source.train.samples[:3_000], 0, [FrechetDistance(), Modes()], training=True)
    counts = {score.metric: score.samples for score in scores}
    assert (counts["frechet-distance"], counts["modes-covered"]) == (3_000, 2_500)


def test_identical_gaussians_overlap_as_published() -> None:
    """Naeem et al. 2020, eq. 8: equal distributions and numbers give a coverage of 1 - 2^-k, whatever they are."""
    for dimension in (3, 200):
        parts = overlap(normal(2_000, dimension, 1).numpy(), normal(2_000, dimension, 2).numpy(), 5)
        assert parts["coverage"].mean() == pytest.approx(1 - 2**-5, abs=0.02)


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


def test_the_kernel_distance_is_unbiased_and_sees_a_shift() -> None:
    real = normal(3_000, 8, 1)
    (same,) = KernelDistance().measure(seen(normal(3_000, 8, 2), real))
    (shifted,) = KernelDistance().measure(seen(normal(3_000, 8, 2, shift=0.5), real))
    assert same.low < 0 < same.high
    assert shifted.low > same.high
    # the expectation of k over pairs, with k(x, y) = (x y / 8 + 1)^3, from other and many samples
    one, two = normal(4_000, 8, 5, shift=0.5).double(), normal(4_000, 8, 6).double()
    halves = [
        (x @ y.T / 8 + 1).pow(3).mean() for x, y in ((one[:2000], one[2000:]), (two[:2000], two[2000:]), (one, two))
    ]
    assert shifted.value == pytest.approx(float(halves[0] + halves[1] - 2 * halves[2]), rel=0.15)


def test_every_metric_is_measured_when_it_is_asked_for_or_says_why_not() -> None:
    source = points(2)
    evaluation = Evaluation.of(source)
    for metric in (cls() for cls in catalog.choices(Metric).values()):
        if refusal := metric.refusal(source, evaluation.features):
            with pytest.raises(InputError, match=r"cannot be measured here: .*" + refusal[:10]):
                evaluation.scores(normal(100, 2, 1), 0, [metric])
        else:
            assert evaluation.scores(normal(100, 2, 1), 0, [metric])


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
    measured = {e.metric: e.value for e in Modes().measure(seen(one_mode, one_mode, source))}
    assert measured["modes-covered"] == 1
    assert measured["reverse-kl"] == pytest.approx(np.log(8))
    wide = source.density.means[torch.arange(2_504) % 8] + 0.06 * normal(2_504, 2, 1)
    measured = {e.metric: e.value for e in Modes().measure(seen(wide, wide, source))}
    assert measured["spread-ratio"] == pytest.approx(3, rel=0.1)
    assert measured["high-quality"] == pytest.approx(1 - np.exp(-0.5), abs=0.05)
    assert measured["reverse-kl"] < 3 * 7 / (2 * 0.39 * 2_504)  # of the samples that are near
    bridged = torch.cat([source.density.means[torch.arange(2_000) % 4], torch.zeros(500, 2)])  # four modes, and between
    measured = {e.metric: e.value for e in Modes().measure(seen(bridged, bridged, source))}
    assert measured["high-quality"] == pytest.approx(0.8)
    assert measured["reverse-kl"] == pytest.approx(np.log(2))
    nowhere = torch.zeros(100, 2)
    measured = {e.metric: e.value for e in Modes().measure(seen(nowhere, nowhere, source))}
    assert (measured["modes-covered"], measured["high-quality"]) == (0, 0)
    assert measured["reverse-kl"] == pytest.approx(np.log(8))


def test_the_interval_of_the_masses_divergence_holds_the_mean_of_perfect_samples() -> None:
    source = open_source("grid")
    assert source.density is not None
    hits = 0
    for seed in range(40):
        drawn = source.density.draw(2_500, randomness.generator(seed, 0, "test"))
        (divergence,) = (e for e in Modes().measure(seen(drawn, drawn, source, seed)) if e.metric == "reverse-kl")
        hits += divergence.low <= 24 / 5_000 <= divergence.high
    assert hits >= 34


def test_only_mixtures_have_modes() -> None:
    coordinates = Evaluation.of(points(2)).features
    assert Modes().refusal(points(2), coordinates)
    assert Modes().refusal(open_source("gaussian"), coordinates)
    assert not Modes().refusal(open_source("ring"), coordinates)
