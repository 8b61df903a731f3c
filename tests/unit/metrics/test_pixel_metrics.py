"""Metrics that look at samples themselves: Parzen windows, sliced Wasserstein; and those that look at classes."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve1d
from sklearn.neighbors import KernelDensity

from tests.conftest import images
from tests.unit.metrics.sets import normal
from zerosum.data import Source, Split
from zerosum.data.pixels import to_float
from zerosum.metrics import Metric
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features.random_convolutions import RandomConvolutions
from zerosum.metrics.inception_score import InceptionScore
from zerosum.metrics.parzen import Parzen, log_likelihoods
from zerosum.metrics.sliced import SlicedWasserstein, distance, pyramid


def test_parzen_windows_are_those_of_scikit_learn() -> None:
    points, centres = normal(40, 5, 1), normal(70, 5, 2)
    for sigma in (0.2, 1.0):
        theirs = KernelDensity(bandwidth=sigma).fit(centres.numpy()).score_samples(points.numpy())
        np.testing.assert_allclose(log_likelihoods(points, centres, [sigma])[0], theirs, rtol=1e-4)


def test_one_window_is_a_gaussian() -> None:
    expected = -0.5 * 4 / 0.25 - 3 * math.log(0.5 * math.sqrt(2 * math.pi))
    found = log_likelihoods(torch.tensor([[2.0, 0, 0]]), torch.zeros(1, 3), [0.5])[0]
    assert float(found) == pytest.approx(expected)


def test_parzen_prefers_real_digits_to_noise(digits: Source) -> None:
    evaluation = Evaluation.of(digits)
    real, noise = (
        evaluation.scores(samples, 0, [Parzen()])[0]
        for samples in (digits.train.samples[:500], images((1, 8, 8), count=500).train.samples)
    )
    assert real.low > noise.high
    assert real.real is not None
    assert real.real > real.value  # whose width is chosen by images of which some are among the samples


@pytest.mark.parametrize(
    ("metric", "measured_in", "comparable"),
    [
        (Parzen(), "pixels in [0, 1]", "Parzen log-likelihoods of the same test images"),
        (SlicedWasserstein(), "patches of Laplacian pyramids", "sliced Wasserstein distances of as many images"),
    ],
)
def test_what_needs_no_features_names_none(
    metric: Metric, measured_in: str, comparable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RandomConvolutions, "resizer", "to 299x299")
    source = images((3, 16, 16), count=20)
    (score,) = Evaluation.of(source).scores(source.train.samples, 0, [metric])
    assert (score.features, score.resizer) == (measured_in, "none")
    assert score.comparable.startswith(f"Compare with {comparable}")
    assert score.warning == ""


def test_sliced_distances_say_how_many_images_they_are_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlicedWasserstein, "most", 7)
    source = images((1, 16, 16), count=20)
    (score,) = Evaluation.of(source).scores(source.train.samples, 0, [SlicedWasserstein()])
    assert (score.samples, score.reference_samples) == (7, 7)


def enlarged(level: torch.Tensor) -> torch.Tensor:
    """Twice as large: binomial weights of the pixels around, mirrored at the edges."""
    count, channels, height, width = level.shape
    spread = np.zeros((count, channels, 2 * height, 2 * width), np.float32)
    spread[:, :, ::2, ::2] = level
    for axis in (2, 3):
        spread = convolve1d(spread, np.array([1, 4, 6, 4, 1]) / 8, axis, mode="mirror")
    return torch.from_numpy(spread)


def test_a_pyramid_adds_up() -> None:
    """From the coarsest image on: enlarged, and the differences of the next level added, up to the image itself."""
    samples = images((3, 64, 96), count=2).train.samples
    *differences, image = pyramid(samples)
    assert [tuple(level.shape[2:]) for level in differences] == [(64, 96), (32, 48)]
    assert tuple(image.shape[2:]) == (16, 24)
    for level in reversed(differences):
        image = enlarged(image) + level
    torch.testing.assert_close(image, to_float(samples), atol=1e-5, rtol=0)


def test_a_plain_image_has_no_texture() -> None:
    plain = torch.full((2, 3, 64, 48), 200, dtype=torch.uint8)
    torch.testing.assert_close(pyramid(plain)[0], torch.zeros(2, 3, 64, 48), atol=1e-6, rtol=0)


def test_the_sliced_distance_of_shifted_gaussians_is_the_mean_shift_along_the_directions() -> None:
    one = normal(20_000, 10, 1)
    shift = torch.zeros(10)
    shift[0] = 2
    along = 2 * float(
        torch.special.gammaln(torch.tensor(5.0)).exp()
        / (math.sqrt(math.pi) * torch.special.gammaln(torch.tensor(5.5)).exp())
    )
    assert distance(one, one) == 0
    assert distance(one + shift, one) == pytest.approx(along, rel=0.15)  # 128 directions


def test_texture_is_seen_at_its_scale() -> None:
    """Fine stripes against noise as strong: they differ at the finest level."""
    draw = torch.Generator().manual_seed(0)
    phases = torch.randint(0, 2, (200, 1, 1, 1), generator=draw)
    stripes = (100 + 50 * ((torch.arange(32) + phases) % 2)).expand(200, 3, 32, 32).byte()
    noise = (100 + 50 * torch.randint(0, 2, (100, 3, 32, 32), generator=draw)).byte()
    source = Source("stripes", Split(stripes[:100]), Split(stripes[100:]))
    scores = {s.metric: s for s in Evaluation.of(source).scores(noise, 0, [SlicedWasserstein()])}
    assert set(scores) == {"sliced-wasserstein-32", "sliced-wasserstein-16"}
    fine = scores["sliced-wasserstein-32"]
    assert fine.real is not None
    assert fine.low > 3 * fine.real


def test_the_classifier_score_counts_classes(digits: Source) -> None:
    evaluation = Evaluation.of(digits)
    everything, one_class = (
        evaluation.scores(digits.train.samples[rows], 0, [InceptionScore()])[0]
        for rows in (slice(None), digits.train.labels == 3)
    )
    assert everything.metric == "classifier-score"
    assert 9 < everything.value <= 10
    assert 1 <= one_class.value < 1.5
