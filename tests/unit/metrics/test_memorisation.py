"""Memorisation, and Kaggle's score that punishes it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchmetrics.image.mifid import MemorizationInformedFrechetInceptionDistance

from tests.conftest import images
from tests.unit.metrics.sets import GivenFeatures, normal, seen
from zerosum.data import Source, Split
from zerosum.metrics import Estimate
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.memorisation import Memorisation, MiFID, cosine_distance, find_nearest


def measured(fake: torch.Tensor, train: torch.Tensor, test: torch.Tensor) -> dict[str, Estimate]:
    return {each.metric: each for each in Memorisation().measure(seen(fake, train, others=test))}


def test_new_samples_are_as_far_from_the_training_samples_as_held_out_ones() -> None:
    found = measured(normal(800, 6, 1), normal(2_000, 6, 2), normal(700, 6, 3))
    assert found["nearer-than-real"].low < 0.5 < found["nearer-than-real"].high
    assert found["nearer-than-real"].warning == ""
    assert found["nearest-training"].value == pytest.approx(found["nearest-training"].real, rel=0.1)


@pytest.mark.parametrize(("copied", "least"), [(1.0, 0.99), (0.3, 0.6)])
def test_copies_are_found(copied: float, least: float) -> None:
    train, fake = normal(2_000, 6, 2), normal(800, 6, 1)
    count = int(copied * 800)
    fake[:count] = train[:count] + 0.01 * normal(count, 6, 4)
    share = measured(fake, train, normal(700, 6, 3))["nearer-than-real"]
    assert share.low > 0.5
    assert share.value > least
    assert "nearer to training images than held-out images are (p = " in share.warning


@pytest.mark.parametrize("mirrored", [False, True])
def test_copies_of_any_real_image_are_found_in_samples_made_elsewhere(mirrored: bool) -> None:
    """Copies of the test split too, which may have been learned from where nothing says otherwise."""
    real = torch.randint(256, (600, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    source = Source("noise", Split(real[:400]), Split(real[400:]))
    copies = real[450:600].flip(3) if mirrored else real[450:600]
    found = {}
    for elsewhere in (False, True):
        evaluation = Evaluation.of(source, Request("pixels"), made_elsewhere=elsewhere)
        found[elsewhere] = {each.metric: each for each in evaluation.scores(copies, 0, [Memorisation()])}
    assert found[False]["nearer-than-real"].value < 0.6
    share, nearest = found[True]["nearer-than-real"], found[True]["nearest-training"]
    assert (share.value, share.reference, share.reference_samples) == (1, "whole of noise", 600)
    assert "nearer to training images" in share.warning
    assert (nearest.value, nearest.real_samples) == (0, 600)
    assert nearest.real > 0.5
    new = torch.randint(256, (150, 1, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    assert (
        evaluation.scores(new, 0, [Memorisation()])[1].low < 0.5 < evaluation.scores(new, 0, [Memorisation()])[1].high
    )


def test_copies_of_mirror_images_are_found_where_training_mirrored() -> None:
    """Half of the copies are mirrored; where training did not mirror, those are new."""
    real = torch.randint(256, (600, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    copies = real[:300].clone()
    copies[::2] = copies[::2].flip(3)
    shares = {}
    for flip in (False, True):
        source = Source("noise", Split(real[:300], flip=flip), Split(real[300:]))
        evaluation = Evaluation.of(source, Request("pixels"))
        shares[flip] = {each.metric: each for each in evaluation.scores(copies, 0, [Memorisation()])}
        pairs = evaluation.closest(copies, 0, 300)
        same = int((pairs[::2] == pairs[1::2]).flatten(1).all(1).sum())
        assert same == (300 if flip else 150)
    assert shares[True]["nearer-than-real"].value == 1
    assert 0.7 < shares[False]["nearer-than-real"].value < 0.8
    held_out = Evaluation.of(source, Request("pixels")).scores(real[300:].flip(3), 0, [Memorisation()])
    assert held_out[1].value == pytest.approx(0.5)


def test_the_interval_holds_a_half_as_often_as_it_says() -> None:
    """200 draws of equal distributions: 95% +- 3 standard errors of a share."""
    train = normal(300, 3, 0)
    hits = 0
    for seed in range(200):
        sets = seen(normal(80, 3, 2 * seed + 1), train, others=normal(90, 3, 2 * seed + 2))
        _, share = Memorisation().measure(replace(sets, replicates=1))
        hits += share.low <= 0.5 <= share.high
    assert hits / 200 > 0.95 - 3 * (0.95 * 0.05 / 200) ** 0.5


@pytest.mark.parametrize("held_out", [30, 300])
def test_the_interval_is_as_wide_as_the_share_varies(held_out: int) -> None:
    """Exponential distances, for which the formula is exact, of means 1 and 4: a share of 4/5; sets of unequal sizes.

    The deviation of n draws has a relative standard error of (2 n)^-1/2; four are allowed.
    """
    draw, draws, shares, margins = np.random.default_rng(0), 150, [], []
    for _ in range(draws):
        ours, theirs = (
            torch.from_numpy(draw.exponential(mean, (count, 1)).astype(np.float32))
            for mean, count in ((1, 330 - held_out), (4, held_out))
        )
        _, share = Memorisation().measure(replace(seen(ours, torch.zeros(2, 1), others=theirs), replicates=1))
        shares.append(share.value)
        margins.append(share.value - share.low)
    assert np.mean(shares) == pytest.approx(0.8, abs=4 * np.std(shares) / draws**0.5)
    assert np.mean(margins) / 1.96 == pytest.approx(np.std(shares, ddof=1), rel=4 / (2 * draws) ** 0.5)


def test_the_nearest_is_the_nearest() -> None:
    one, other = normal(50, 4, 1), normal(60, 4, 2)
    distances, indices = find_nearest(one, other)
    every = torch.cdist(one.double(), other.double())
    np.testing.assert_array_equal(indices, every.argmin(1))
    np.testing.assert_allclose(distances, every.amin(1), rtol=1e-4)


@pytest.mark.parametrize("noise", [0.05, 0.2, 3.0])
def test_mifid_is_that_of_torchmetrics_with_the_roles_exchanged(noise: float) -> None:
    """Kaggle averages over the generated images; torchmetrics over what it calls real."""
    real = normal(400, 12, 1)
    fake = real[:300] + noise * normal(300, 12, 2)
    theirs = MemorizationInformedFrechetInceptionDistance(feature=GivenFeatures(12), reset_real_features=True)
    theirs.update(fake.double(), real=True)
    theirs.update(real.double(), real=False)
    ours, distance = MiFID().measure(seen(fake, real))
    assert ours.value == pytest.approx(float(theirs.compute()), rel=1e-4)
    penalised = noise < 1
    assert (distance.value < 0.1) == penalised
    assert ours.value == pytest.approx(frechet_distance(fake, real) / (distance.value if penalised else 1), rel=1e-6)
    assert ("in Inception's features only" in distance.warning) == penalised
    assert ours.metric == "mi-frechet-distance"


def test_the_threshold_is_on_the_mean() -> None:
    """Half of the samples are copies, half are far away: the mean is above 0.1, so nothing is punished."""
    real = torch.eye(10)[torch.arange(40) % 5]
    fake = torch.cat([real[:20], torch.eye(10)[torch.arange(20) % 5 + 5]])
    assert cosine_distance(fake, real) == pytest.approx(0.5)
    _, distance = MiFID().measure(seen(fake, real))
    assert distance.warning == ""


def test_features_of_zero_have_no_direction() -> None:
    real = normal(10, 3, 1)
    assert cosine_distance(torch.zeros(4, 3), real) == 1
    assert cosine_distance(torch.cat([torch.zeros(4, 3), real]), real) == pytest.approx(0, abs=1e-6)


def test_the_closest_pairs_are_copies_beside_what_they_copy() -> None:
    source = images((3, 12, 12), count=40)
    samples = images((3, 12, 12), count=60).train.samples.flip(3)
    samples[[5, 9]] = source.train.samples[[30, 2]]
    pairs = Evaluation.of(source).closest(samples, seed=0, count=2)
    assert torch.equal(pairs[0], pairs[1])
    assert torch.equal(pairs[2], pairs[3])
    assert {pairs[0].numpy().tobytes(), pairs[2].numpy().tobytes()} == {
        source.train.samples[row].numpy().tobytes() for row in (30, 2)
    }


def test_the_interval_of_the_median_is_as_wide_as_the_median_varies() -> None:
    """Of 100 sets; the relative standard error of a deviation of n draws is (2 n)^-1/2, four are allowed."""
    train, held_out = normal(300, 3, 0), normal(100, 3, 1)
    found = [measured(normal(200, 3, seed), train, held_out)["nearest-training"] for seed in range(2, 102)]
    deviations = [(each.high - each.low) / (2 * 1.96) for each in found]
    assert np.mean(deviations) == pytest.approx(np.std([each.value for each in found], ddof=1), rel=4 / 200**0.5)
