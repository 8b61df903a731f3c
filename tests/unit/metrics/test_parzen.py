"""Parzen windows."""

import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import KernelDensity

from tests.conftest import images
from tests.unit.metrics.sets import normal
from zerosum.data import Source
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.parzen import Parzen, log_likelihoods, unit


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


def test_the_width_is_chosen_by_images_that_are_not_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real images are scored in place of generated ones: those are of the first half, the width's of the second."""
    pairs = []

    def noted(validation: torch.Tensor, centres: torch.Tensor) -> float:
        pairs.append((validation, centres))
        return 1.0

    monkeypatch.setattr("zerosum.metrics.parzen.best_width", noted)
    source, samples = images((1, 8, 8), count=60), images((1, 8, 8), count=50).train.samples
    Evaluation.of(source).scores(samples, 0, [Parzen()])
    (beside_fakes, fakes), (beside_real, real) = pairs
    assert torch.equal(fakes.sort(0)[0], unit(samples).sort(0)[0])
    assert len(real) == len(beside_real) == 30
    assert torch.equal(beside_fakes, beside_real)
    every = torch.cat([real, beside_real]).sort(0)[0]
    assert torch.equal(every, unit(source.train.samples).sort(0)[0])
