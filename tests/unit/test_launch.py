"""What the variables of a launcher say of this process."""

import pytest

from zerosum.errors import InputError
from zerosum.launch import is_follower, is_one_of_several


@pytest.mark.parametrize(
    ("size", "rank", "several", "follower"),
    [(None, None, False, False), ("1", "0", False, False), ("2", "0", True, False), ("2", "1", True, True)],
)
def test_a_follower_is_one_of_several_and_not_the_first(
    size: str | None, rank: str | None, several: bool, follower: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, word in (("WORLD_SIZE", size), ("RANK", rank)):
        monkeypatch.delenv(name, raising=False)
        if word is not None:
            monkeypatch.setenv(name, word)
    assert (is_one_of_several(), is_follower()) == (several, follower)


def test_a_variable_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "two")
    with pytest.raises(InputError, match="WORLD_SIZE=two in the environment is no number"):
        is_follower()
