"""What another process checks before it plays a run along."""

import pytest

from zerosum.errors import InputError
from zerosum.run import following


class Team:
    """Whose first process tells of a run, and of its versions."""

    def __init__(self, versions: dict[str, str]) -> None:
        self.versions = versions

    def hear(self) -> tuple[str, list[tuple[int, int]], dict[str, str]]:
        return "nowhere", [(0, 4)], self.versions


@pytest.mark.parametrize(
    ("versions", "problem"),
    [
        ({"torch": "2.9.0"}, r"torch is 2\.\S+ in this process and 2\.9\.0 in the first: install the same everywhere"),
        ({"python": "3.8.1"}, r"python is 3\.\S+ in this process and 3\.8\.1 in the first"),
        ({}, "no run at nowhere"),
    ],
)
def test_other_versions_are_refused(versions: dict[str, str], problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.game.distributed.join", lambda: Team(versions))
    monkeypatch.setattr(following, "STOPPING", ())
    with pytest.raises(InputError, match=problem):
        following.follow()
