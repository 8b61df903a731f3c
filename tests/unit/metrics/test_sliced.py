"""The sliced Wasserstein distance on Laplacian pyramids."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve1d

from tests.conftest import images
from tests.unit.metrics.sets import normal
from zerosum.data import Source, Split, to_float
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.sliced import SlicedWasserstein, distance, pyramid


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


def test_the_interval_is_student_s_over_the_four_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A t of 3.182 at three degrees of freedom, over the square root of four; a distance is not negative."""
    source = images((1, 16, 16), count=20)
    evaluation = Evaluation.of(source)
    for rounds, least in (((0.005, 0.006, 0.004, 0.005), None), ((0.0, 0.0, 0.0, 0.004), 0.0)):
        left = list(rounds)
        monkeypatch.setattr("zerosum.metrics.sliced.distance", lambda *_, left=left: left.pop(0))
        (score,) = evaluation.scores(source.train.samples, 0, [SlicedWasserstein()], training=True)
        margin = 3.182446 * 1000 * np.std(rounds, ddof=1) / 2
        assert score.value == pytest.approx(1000 * np.mean(rounds))
        assert score.high == pytest.approx(score.value + margin)
        assert score.low == (pytest.approx(score.value - margin) if least is None else least)


def test_directions_are_a_function_of_the_seed_alone() -> None:
    one, other = normal(40, 6, seed=1), normal(40, 6, seed=2, shift=0.1)
    values = []
    for state, seed in ((0, 5), (1, 5), (0, 6)):
        torch.manual_seed(state)
        values.append(distance(one, other, seed))
    assert values[0] == values[1] != values[2]
