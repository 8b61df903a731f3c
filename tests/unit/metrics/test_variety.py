"""Variety: whether a generator has collapsed."""

import pytest
import torch

from tests.unit.metrics.sets import normal, seen
from zerosum.metrics import Estimate
from zerosum.metrics.variety import Variety


def measured(fake: torch.Tensor) -> Estimate:
    (found,) = Variety().measure(seen(fake, normal(400, 4, 1)))
    return found


def test_samples_like_real_ones_have_a_variety_near_1() -> None:
    found = measured(normal(400, 4, 2))
    assert found.low < 1 < found.high
    assert found.warning == ""


def test_half_the_spread_is_half_the_variety() -> None:
    assert measured(normal(400, 4, 2, scale=0.5)).value == pytest.approx(0.5, rel=0.1)


def test_a_sample_that_comes_twice_has_none() -> None:
    found = measured(normal(200, 4, 2).repeat(2, 1))
    assert found.value == 0
    assert "the generator has collapsed" in found.warning
    assert "(200 of 400 differ at all)" in found.warning


def test_the_same_sample_over_and_over_is_called_so() -> None:
    assert "they are all the same" in measured(normal(1, 4, 2).expand(400, -1)).warning


def test_nearly_the_same_samples_are_a_collapse_too() -> None:
    assert "(400 of 400 differ at all)" in measured(normal(400, 4, 2, scale=0.01)).warning


def test_where_real_samples_are_all_the_same_distances_are_taken_as_they_are() -> None:
    fake = torch.arange(0.0, 80, 2)[:, None].expand(-1, 4) / 2
    (found,) = Variety().measure(seen(fake, torch.zeros(40, 4)))
    assert found.value == pytest.approx(2)
