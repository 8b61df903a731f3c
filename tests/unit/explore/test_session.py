"""Play, pause, one iteration, one line; another game; what goes wrong does not end it."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from tests.unit.explore.messages import unpack
from zerosum.errors import InputError
from zerosum.explore import session
from zerosum.explore.match import Match
from zerosum.explore.session import HISTORY, Session
from zerosum.explore.settings import Settings

SMALL = Settings("gaussian", width=4)
PATIENCE = 60  # seconds, after which a test has failed


class Viewer:
    """Waits for what a session shows."""

    def __init__(self, game: Session) -> None:
        self.game, self._news = game, threading.Event()
        self._watching = game.watched(self._news.set)

    def __enter__(self) -> "Viewer":
        self._watching.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self._watching.__exit__(None, None, None)

    def wait(self, wanted: Callable[[dict[str, Any], dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until `wanted(frame, state)`, and return the frame's header."""
        while True:
            self._news.clear()
            number, message = self.game.frame()
            about = unpack(message)[0] if number else {}
            if number and wanted(about, self.game.state()):
                return about
            assert self._news.wait(PATIENCE)

    def until(self, step: int, line: str = "done") -> dict[str, Any]:
        return self.wait(lambda about, _: (about["step"], about["line"]) == (step, line))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "FRAME_SECONDS", 0.0)
    monkeypatch.setattr(session, "SLOW_SECONDS", 0.01)


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    game = Session(SMALL)
    with Viewer(game) as found:
        yield found
    game.close()


def test_iterations_and_lines(viewer: Viewer) -> None:
    game = viewer.game
    viewer.until(0, "start")
    game.tell("iteration")
    viewer.until(1)
    for line in ("d-samples", "d-updated", "g-samples", "g-updated"):
        game.tell("line")
        viewer.until(1, line)
    game.tell("line")
    viewer.until(2, "d-samples")
    game.tell("iteration")  # ends the one that was begun
    viewer.until(3)
    about, arrays = unpack(game.history())
    assert about["columns"] == list(HISTORY)
    assert arrays["history"][:, 0].tolist() == [0, 1, 2, 3]
    assert torch.tensor(arrays["history"][0, 1]).isnan()


def test_play_pause_and_slow_motion(viewer: Viewer) -> None:
    game = viewer.game
    game.tell("pace", {"slow": True})
    game.tell("play")
    assert game.state()["pace"] == {"playing": True, "slow": True, "stride": 1}
    viewer.wait(lambda about, _: about["line"] == "g-samples")
    game.tell("pace", {"slow": False, "stride": 5})
    viewer.wait(lambda about, _: about["step"] >= 10 and about["step"] % 5 == 0)
    game.tell("pause")
    assert not game.state()["pace"]["playing"]


def test_nobody_looks_and_nothing_is_played() -> None:
    game = Session(SMALL)
    with Viewer(game) as viewer:
        viewer.until(0, "start")
    shown = game.frame()
    game.tell("play")
    time.sleep(0.3)  # a session that played meanwhile would be some iterations further
    assert game.frame() == shown
    with Viewer(game) as viewer:
        assert viewer.wait(lambda about, _: about["step"] > 2)["step"] > 2
    game.close()


def test_the_frames_do_not_depend_on_how_they_came_about(viewer: Viewer) -> None:
    viewer.until(0, "start")
    for step in range(1, 4):
        viewer.game.tell("iteration")
        viewer.until(step)
    by_hand = viewer.game.frame()[1]
    viewer.game.tell("restart", {"settings": SMALL.as_json()})
    viewer.until(0, "start")
    for _ in range(5):
        viewer.game.tell("line")
        viewer.wait(lambda about, _: about["line"] != "start")
    viewer.game.tell("pace", {"stride": 3})
    viewer.game.tell("play")
    viewer.wait(lambda about, _: about["step"] >= 3)
    viewer.game.tell("restart", {"settings": SMALL.as_json()})
    viewer.game.tell("pause")
    viewer.until(0, "start")
    for step in range(1, 4):
        viewer.game.tell("iteration")
        viewer.until(step)
    assert viewer.game.frame()[1] == by_hand


def test_another_game(viewer: Viewer) -> None:
    viewer.game.tell("restart", {"settings": {"data": "ring", "game": "hinge", "width": 4, "seed": "1" + "0" * 30}})
    about = viewer.wait(lambda about, _: about["dimension"] == 2)
    assert (about["step"], about["probabilities"]) == (0, False)
    state = viewer.game.state()
    assert state["settings"]["seed"] == "1" + "0" * 30
    assert state["command"].startswith(
        "zerosum train ring --recipe toy-vanilla --set game=hinge --set networks.width=4"
    )
    assert state["own"] == {"generator_lr": 0.003, "discriminator_lr": 0.003, "k": 1, "width": 4}
    viewer.game.tell("iteration")
    viewer.until(1)


@pytest.mark.parametrize(
    ("command", "values", "words"),
    [
        ("jump", {}, "unknown command 'jump'"),
        ("restart", {"settings": {"game": "hinje"}}, "unknown game 'hinje'"),
        ("restart", {"settings": {"regularizer": "r3"}}, "unknown regularizer 'r3'"),
        ("restart", {}, "settings are an object"),
        ("pace", {"stride": 0}, "1 to 100 iterations"),
        ("pace", {"stride": True}, "1 to 100 iterations"),
        ("pace", {"slow": "yes"}, "slow or not"),
    ],
)
def test_what_cannot_be_done_changes_nothing(viewer: Viewer, command: str, values: Any, words: str) -> None:
    before = viewer.game.state()
    with pytest.raises(InputError, match=words):
        viewer.game.tell(command, values)
    assert viewer.game.state() == before
    viewer.game.tell("iteration")
    viewer.until(1)


def test_a_game_that_diverges_says_so_and_another_one_goes_on(viewer: Viewer) -> None:
    viewer.game.tell("restart", {"settings": {"data": "gaussian", "width": 4, "generator_lr": 1e30}})
    viewer.game.tell("play")
    viewer.wait(lambda _, state: "the game diverged" in state["message"])
    viewer.game.tell("play")
    viewer.wait(lambda _, state: "the game diverged" in state["message"] and not state["pace"]["playing"])
    viewer.game.tell("restart", {"settings": SMALL.as_json()})
    viewer.until(0, "start")
    assert viewer.game.state()["message"] == ""


def test_the_end_of_a_game_is_said(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Match, "steps", 2)
    viewer.game.tell("restart", {"settings": SMALL.as_json()})
    viewer.game.tell("play")
    viewer.wait(lambda about, state: about["step"] == 2 and "all 2 iterations" in state["message"])
    assert not viewer.game.state()["pace"]["playing"]


def test_a_game_that_breaks_is_no_end(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer.until(0, "start")
    with monkeypatch.context() as patch:
        patch.setattr(Match, "advance", lambda self: 1 // 0)
        viewer.game.tell("iteration")
        viewer.wait(lambda _, state: state["message"].startswith("the game ended: ZeroDivisionError"))
    viewer.game.tell("restart", {"settings": SMALL.as_json()})
    viewer.until(0, "start")
    viewer.game.tell("iteration")
    viewer.until(1)
    assert viewer.game.state()["message"] == ""


def test_history_stays_small(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MOST_HISTORY", 6)
    viewer.game.tell("play")
    viewer.wait(lambda about, _: about["step"] > 12)
    viewer.game.tell("pause")
    steps = unpack(viewer.game.history())[1]["history"][:, 0].tolist()
    assert len(steps) <= 6
    assert steps[0] == 0
    assert steps == sorted(steps)
