"""Which values become black and white: one range for all, told by the values, or nothing where two are plausible."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from zerosum.data import values as module
from zerosum.data.values import (
    BYTES,
    SIGNED,
    UNIT,
    Extent,
    Range,
    Undecided,
    choose_range,
    count_outside,
    measure,
    scale,
)

JUST = 1.0000002


def spread(low: float, high: float, kind: type = np.float64, count: int = 1001) -> NDArray[np.float64]:
    return np.linspace(low, high, count).astype(kind)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (spread(0, 4095, np.uint16), (0, 4095)),
        (spread(3, 3900, np.uint16), (0, 4095)),
        (spread(0, 4096, np.uint16), (0, 8191)),
        (spread(0, 65535, np.uint16), (0, 65535)),
        (spread(0, 300, np.uint16), (0, 511)),
        (spread(0, 200, np.uint16), BYTES),
        (spread(0, 255, np.uint8), BYTES),
        (spread(0, 4095).round(), (0, 4095)),
        (spread(-1000, 3000, np.int32), (-1000, 3000)),
        (spread(-1024, 3071, np.int16), (-1024, 3071)),
        (np.array([0, 1], np.uint8), UNIT),
        (np.array([False, True]), UNIT),
        (np.array([-1, 1], np.int8), SIGNED),
        (spread(0, 1), UNIT),
        (spread(0, 1, np.float16), UNIT),
        (spread(0, JUST, np.float32), UNIT),
        (spread(-0.0000002, JUST), UNIT),
        (spread(0.2, 0.6), UNIT),
        (spread(-1, 1), SIGNED),
        (spread(-JUST, JUST), SIGNED),
        (spread(-0.3, 0.9), SIGNED),
        (spread(0, 254.5), BYTES),
        (spread(-0.2, 255.2), BYTES),
        (spread(-1000.5, 3000), (-1000.5, 3000)),
        (spread(-2.1, 2.6), (-2.1, 2.6)),
    ],
)
def test_the_range_that_values_are_of(values: NDArray[np.float64], expected: Range) -> None:
    assert choose_range(measure(values)) == expected


@pytest.mark.parametrize(
    ("values", "one", "other"),
    [
        (np.arange(21, dtype=np.uint8), "0..20", "0..255"),
        (np.arange(17.0), "0..16", "0..255"),
        (spread(0, 1.4), "0..1", "0..1.4"),
        (spread(-1.5, 1.2), "-1..1", "-1.5..1.2"),
        (spread(-0.1, 0.9), "0..1", "-1..1"),
        (spread(0, 0.05), "0..0.05", "0..1"),
        (spread(0, 30.5), "0..30.5", "0..255"),
        (np.append(spread(0, 0.9), 200.5), "0..1", "0..255"),
        (spread(-12.5, 270), "0..255", "-12.5..270"),
        (np.append(spread(0, 4095, np.uint16, 2000), 65535), "0..4095", "0..65535"),
    ],
)
def test_two_plausible_ranges_are_both_named(values: NDArray[np.float64], one: str, other: str) -> None:
    with pytest.raises(Undecided) as caught:
        choose_range(measure(values))
    assert f"--set data.range={one} or --set data.range={other}," in str(caught.value)


@pytest.mark.parametrize("mark", [-3.4028235e38, 1e30])
def test_marks_of_missing_values_are_no_end_of_a_range(mark: float) -> None:
    values = np.append(spread(100.5, 900), mark)
    with pytest.raises(Undecided, match=r"have marks of missing ones among them, it seems: say which .*=LOW\.\.HIGH"):
        choose_range(measure(values))
    assert scale(values, (0, 1000)).max() <= 255


@given(
    parts=st.lists(st.lists(st.integers(-(2**31), 2**31), min_size=1, max_size=9), min_size=1, max_size=4),
    factor=st.sampled_from([1, 0.5]),
)
def test_parts_measured_apart_are_as_all_measured_together(parts: list[list[int]], factor: float) -> None:
    apart = reduce(Extent.__or__, (measure(np.array(part) * factor) for part in parts))
    assert apart == measure(np.concatenate(parts) * factor)


def test_blocks_are_measured_scaled_and_counted_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(-9, 999, (7, 11, 3))
    whole = measure(values), scale(values, (0, 900)), count_outside(values, (0, 900))
    monkeypatch.setattr(module, "BLOCK", 5)
    assert measure(values) == whole[0]
    np.testing.assert_array_equal(scale(values, (0, 900)), whole[1])
    assert count_outside(values, (0, 900)) == whole[2] == int(((values < 0) | (values > 900)).sum())


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32, np.float64])
def test_ends_become_black_and_white_and_what_lies_outside_too(kind: type) -> None:
    found = scale(np.array([0, 100, 2048, 4095, 5000], kind), (100, 4095))
    assert found.tolist() == [0, 0, round((2048 - 100) * 255 / 3995), 255, 255]


def test_scaling_bytes_by_their_own_range_changes_nothing() -> None:
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(scale(values, BYTES), values)
    np.testing.assert_array_equal(scale(values / 255, UNIT), values)
    np.testing.assert_array_equal(scale(values / 127.5 - 1, SIGNED), values)
