"""Modes of mixtures."""

import numpy as np
import pytest
import torch

from tests.conftest import points
from tests.unit.metrics.sets import normal, seen
from zerosum import randomness
from zerosum.data.readers import open_source
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.modes import Modes


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
        drawn = source.density.draw(2_500, randomness.rng(seed, 0, "test"))
        (divergence,) = (e for e in Modes().measure(seen(drawn, drawn, source, seed)) if e.metric == "reverse-kl")
        hits += divergence.low <= 24 / 5_000 <= divergence.high
    assert hits >= 34


def test_only_mixtures_have_modes() -> None:
    coordinates = Evaluation.of(points(2)).features
    assert Modes().refusal(points(2), coordinates)
    assert Modes().refusal(open_source("gaussian"), coordinates)
    assert not Modes().refusal(open_source("ring"), coordinates)


def test_the_interval_of_a_share_is_binomial() -> None:
    """The bootstrap's deviation of a share p is (p (1 - p) / N)^1/2; of 50 replicates its relative error is a tenth."""
    source = open_source("ring")
    assert source.density is not None
    wide = source.density.means[torch.arange(2_500) % 8] + 2 * source.density.sigma * normal(2_500, 2, 1)
    (share,) = (e for e in Modes().measure(seen(wide, wide, source)) if e.metric == "high-quality")
    deviation = (share.value * (1 - share.value) / 2_500) ** 0.5
    assert (share.high - share.low) / (2 * 1.96) == pytest.approx(deviation, rel=0.4)
    (alike,) = (e for e in Modes().measure(seen(wide[:1], wide, source)) if e.metric == "high-quality")
    assert (alike.low, alike.high) == (alike.value, alike.value)
