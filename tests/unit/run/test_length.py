"""What a run does after equal parts of its length, while that length changes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerosum.run.length import Lengths, is_due, prolong


def list_due(lengths: Lengths, parts: int) -> list[int]:
    return [step for step in range(1, lengths[-1][1] + 1) if is_due(lengths, step, parts)]


@pytest.mark.parametrize(
    ("lengths", "due"),
    [
        ([(0, 100)], [25, 50, 75, 100]),
        ([(0, 10)], [3, 6, 9]),
        ([(0, 3)], [1, 2, 3]),
        ([(0, 100), (25, 104)], [25, 52, 78, 104]),  # the end of the first part moves to 26, and is not met again
        ([(0, 100), (30, 40)], [25, 40]),  # 30 follows 25 by half a part, and was played before the change
        ([(0, 100), (50, 200)], [25, 50, 100, 150, 200]),
        ([(0, 100), (100, 200)], [25, 50, 75, 100, 150, 200]),
    ],
)
def test_an_end_of_a_part_that_moves_ahead_is_met_once(lengths: Lengths, due: list[int]) -> None:
    assert list_due(lengths, 4) == due


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 400)), max_size=6), st.integers(1, 12))
def test_what_is_due_lies_half_a_part_apart_and_never_depends_on_what_comes(
    changes: list[tuple[int, int]], parts: int
) -> None:
    lengths: list[tuple[int, int]] = [(0, 400)]
    for ahead, more in changes:
        step = lengths[-1][0] + ahead
        if step >= lengths[-1][1]:
            break
        before = list_due(lengths, parts)
        lengths = prolong(lengths, step, step + more)
        assert [each for each in list_due(lengths, parts) if each <= step] == [each for each in before if each <= step]
    due = list_due(lengths, parts)
    shortest = min(-(-steps // parts) for _, steps in lengths)
    assert all(2 * (later - earlier) >= shortest for earlier, later in itertools.pairwise([0, *due]))
