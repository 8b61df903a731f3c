"""Precision, recall, density and coverage."""

import numpy as np
import prdc
import pytest
import torch

from tests.unit.metrics.sets import normal, seen
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.neighbours import LEAST, Neighbours, overlap


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


def test_identical_gaussians_overlap_as_published() -> None:
    """Naeem et al. 2020, eq. 8: equal distributions and numbers give a coverage of 1 - 2^-k, whatever they are."""
    for dimension in (3, 200):
        parts = overlap(normal(2_000, dimension, 1).numpy(), normal(2_000, dimension, 2).numpy(), 5)
        assert parts["coverage"].mean() == pytest.approx(1 - 2**-5, abs=0.02)


def test_intervals_of_shares_are_binomial() -> None:
    """Percentiles of 100 replicates; a relative error of a third is allowed for the interval's width."""
    estimates = Neighbours().measure(seen(normal(900, 4, 1, shift=0.5), normal(900, 4, 2)))
    for each in estimates:
        if each.metric != "density":
            width = 2 * 1.96 * (each.value * (1 - each.value) / 900) ** 0.5
            assert each.high - each.low == pytest.approx(width, rel=1 / 3), each.metric


def test_few_samples_say_nothing() -> None:
    for count, said in ((LEAST - 1, True), (LEAST, False)):
        estimates = Neighbours().measure(seen(normal(count, 4, 1), normal(900, 4, 2)))
        assert all(("too few for neighbours" in each.warning) == said for each in estimates)


def test_samples_in_the_middle_of_the_data_are_doubted() -> None:
    """They lie in the wide balls around a few outliers, and near none of the samples in forty narrow clusters."""
    centres = normal(40, 20, 1, scale=10).repeat_interleave(10, 0)
    outliers = normal(20, 20, 2, scale=10)
    real, more = (torch.cat([centres + normal(400, 20, seed, scale=0.1), outliers]) for seed in (3, 4))
    middle, like_real = (
        {each.metric: each for each in Neighbours().measure(seen(fake, real))}
        for fake in (normal(420, 20, 5, scale=5), more)
    )
    assert middle["precision"].value > 0.9
    assert middle["coverage"].value < 0.3
    assert "(coverage 0." in middle["precision"].warning == middle["density"].warning
    assert middle["coverage"].warning == middle["recall"].warning == ""
    assert all(each.warning == "" for each in like_real.values())
