"""The comparisons agree with what is known of two distributions, and with SciPy."""

import numpy as np
import pytest
from scipy import stats

from zerosum.diagnostics import oscillation
from zerosum.diagnostics.comparisons import (
    compare_pairs,
    count_in_groups,
    find_fewer,
    measure_missed,
    measure_nearest,
    tell_apart,
)
from zerosum.diagnostics.evidence import Evidence, Unsaid
from zerosum.diagnostics.oscillation import find_period


def draw(count: int, seed: int, shift: float = 0.0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(count, 4)) + shift).astype(np.float32)


def test_samples_of_one_distribution_cannot_be_told_apart() -> None:
    shares = [tell_apart(draw(200, seed), draw(200, seed + 100)) for seed in range(40)]
    covered = [each.low <= 0.5 <= each.high for each in shares]
    assert np.mean(covered) > 0.8  # neighbours depend on each other, so it is not quite 95%
    assert abs(np.mean([each.value for each in shares]) - 0.5) < 0.02


def test_samples_far_apart_are_told_apart_and_copies_never_are() -> None:
    assert tell_apart(draw(100, 0), draw(100, 1, shift=9.0)).value == 1.0
    rows = draw(100, 0)
    assert tell_apart(rows, rows).value == 0.0


def test_the_nearest_other_sample_is_not_the_sample_itself() -> None:
    rows = np.array([[0.0], [1.0], [1.0], [4.0]], np.float32)
    assert measure_nearest(rows).tolist() == [1.0, 0.0, 0.0, 3.0]


def test_pairs_agree_with_a_count_of_them() -> None:
    ours, theirs = np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0])
    counted = np.mean([(a > b) + (a == b) / 2 for a in ours for b in theirs])
    assert compare_pairs(ours, theirs).value == pytest.approx(counted)


def test_groups_with_fewer_samples_are_those_of_the_two_proportion_test() -> None:
    some, real = np.array([0, 100, 100]), np.array([60, 70, 70])
    assert find_fewer(some, real, 5.0).tolist() == [True, False, False]
    assert find_fewer(real, real, 1.0).tolist() == [False, False, False]
    pooled = 60 / 400
    z = 0.3 / np.sqrt(pooled * (1 - pooled) * 2 / 200)
    assert z > stats.norm.ppf(1 - 0.05 / 3)
    missed = measure_missed(some, real, 5.0)
    assert missed.value == pytest.approx(0.3)
    assert missed.low < 0.3 < missed.high


def test_a_left_out_mode_is_a_group_of_its_own() -> None:
    modes = [draw(300, seed, shift=20.0 * seed) for seed in range(4)]
    learned = np.concatenate(modes)
    fake, real = count_in_groups(learned, np.concatenate(modes[:3]), learned)
    assert measure_missed(fake, real, 5.0).value == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("cycles", [7, 20, 60])
def test_one_period_has_nearly_all_the_power_and_noise_has_little(cycles: int) -> None:
    line = np.linspace(0, 1, 200, endpoint=False)
    share, found = find_period(np.sin(2 * np.pi * cycles * line) + 3 * line)
    assert share > 0.9
    assert found == cycles
    assert find_period(np.random.default_rng(0).normal(size=200))[0] < 0.2
    assert find_period(np.zeros(200)) == (0.0, 0.0)


def test_noise_has_no_period_in_as_many_lines_as_are_looked_at() -> None:
    """In 14 lines, with which it once was looked for, the strongest period of noise has half of the power by chance."""
    shares = {
        count: [find_period(np.random.default_rng(seed).normal(size=count))[0] for seed in range(500)]
        for count in (14, oscillation.LEAST)
    }
    assert max(shares[oscillation.LEAST]) < oscillation.MOST_SHARE < np.median(shares[14])


def test_few_lines_say_nothing_of_a_period() -> None:
    steps = np.arange(1, 41)
    evidence = Evidence(40, 40, curves={"step": steps, "discriminator_loss": np.sin(steps)})
    with pytest.raises(Unsaid, match="28 lines are too few to tell a period from chance: 60 would do"):
        oscillation.Oscillation().measure(evidence)
