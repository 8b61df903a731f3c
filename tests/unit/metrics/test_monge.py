"""The Monge inception distance: against a calculation by hand, closed forms, and what the FID cannot see."""

import numpy as np
import pytest
import torch

from tests.unit.metrics.sets import normal, seen
from zerosum.metrics.frechet import FrechetDistance
from zerosum.metrics.monge import DIRECTIONS, MongeDistance, draw_directions

COUNT, DIMENSION = 1_200, 6


def test_it_is_the_mean_squared_difference_of_sorted_projections_times_three_d() -> None:
    fake, real = normal(COUNT, DIMENSION, 1, shift=0.4), normal(COUNT, DIMENSION, 2, scale=1.5)
    directions = draw_directions(DIMENSION, 7)
    assert directions.shape == (DIRECTIONS, DIMENSION)
    assert np.linalg.norm(directions, axis=1) == pytest.approx(np.ones(DIRECTIONS))
    total = 0.0
    for u in directions:
        one, other = np.sort(fake.double().numpy() @ u), np.sort(real.double().numpy() @ u)
        total += float(np.mean((one - other) ** 2))
    (found,) = MongeDistance().measure(seen(fake, real, seed=7))
    assert (found.metric, found.better, found.warning) == ("monge-distance", "lower", "")
    assert found.value == pytest.approx(3 * DIMENSION * total / DIRECTIONS, rel=1e-9)


def test_a_shifted_and_widened_copy_is_the_closed_form() -> None:
    """Y = s X + v moves each sorted projection by (s - 1) u x + u v, so 3 d E[...] = 3 ((s - 1)^2 E|x|^2 + |v|^2)
    + 6 (s - 1) E[x] v; the mean over 1,000 directions of a square has a relative deviation of about sqrt(2 / 1,000)."""
    x = normal(COUNT, DIMENSION, 3)
    shift = torch.arange(DIMENSION) / 2
    cross = float((x.mean(0) * shift).sum())
    expected = 3 * (0.25 * float(x.square().sum(1).mean()) + float(shift.square().sum()) + cross)
    (found,) = MongeDistance().measure(seen(1.5 * x + shift, x))
    assert found.value == pytest.approx(expected, rel=4 * (2 / DIRECTIONS) ** 0.5)
    assert MongeDistance().measure(seen(x, x))[0].value == 0


def test_what_has_the_moments_of_real_data_and_another_shape_is_seen() -> None:
    """Corners of a cube have mean 0 and covariance I, as the normal distribution has."""
    corners = torch.randint(0, 2, (5_000, 3), generator=torch.Generator().manual_seed(0)) * 2.0 - 1
    inputs, floor = seen(corners, normal(5_000, 3, 1)), seen(normal(5_000, 3, 2), normal(5_000, 3, 1))
    frechet, unseen = (FrechetDistance().measure(each)[0].value for each in (inputs, floor))
    monge, real = (MongeDistance().measure(each)[0].value for each in (inputs, floor))
    assert frechet < 5 * unseen + 1e-3
    assert monge > 20 * real


def test_the_interval_covers_what_other_samples_and_other_directions_say() -> None:
    """Of 40 pairs of sets, those whose interval holds the mean of all are binomial: 95% less four deviations is 81%."""
    found = [
        MongeDistance().measure(seen(normal(400, 4, 2 * seed, shift=0.5), normal(400, 4, 2 * seed + 1), seed=seed))[0]
        for seed in range(40)
    ]
    middle = np.mean([each.value for each in found])
    held = sum(each.low <= middle <= each.high for each in found)
    assert held >= 33
    widths = np.mean([each.half_width for each in found])
    assert widths == pytest.approx(2 * np.std([each.value for each in found], ddof=1), rel=0.5)


def test_few_samples_are_warned_of_with_the_number_that_would_do() -> None:
    (few,) = MongeDistance().measure(seen(normal(999, 2, 1), normal(999, 2, 2)))
    assert few.warning == "999 samples of each kind are few for a Monge distance: 1,000 would do, 5,000 are better"
    (enough,) = MongeDistance().measure(seen(normal(1_000, 2, 1), normal(1_000, 2, 2)))
    assert enough.warning == ""


def test_it_is_called_mind_in_inceptions_features_only() -> None:
    inputs = seen(normal(50, 2, 1), normal(50, 2, 2))
    inputs.features.is_pool3 = True
    assert MongeDistance().measure(inputs)[0].metric == "mind"
