"""The tables of a plan: times in few letters."""

import pytest

from zerosum.cli._plan import _shorten


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (1.14, "1.1 s"),
        (9.7, "9.7 s"),
        (42.4, "42 s"),
        (100.2, "100 s"),
        (200, "3.3 min"),
        (3_600, "60 min"),
        (400_000, "111 h"),
    ],
)
def test_times_are_short_and_never_powers_of_ten(seconds: float, expected: str) -> None:
    assert _shorten(seconds) == expected
