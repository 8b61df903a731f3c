"""The page's addresses, asked as a browser asks, at a real server."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

from tests.unit.explore.messages import unpack
from tests.unit.explore.site import PATIENCE, Site, served
from tests.unit.explore.written import PICTURE, write_run
from tests.unit.export.untrained import small, untrained
from zerosum.explore import application, session
from zerosum.explore.application import PAGE
from zerosum.explore.latents import LatentSpace
from zerosum.explore.session import Session
from zerosum.explore.settings import Settings
from zerosum.explore.subject import Subject, open_subject


@pytest.fixture(scope="module")
def latents() -> Iterator[Site]:
    generator = untrained(small("compact", condition="projection"), 5, 8, 8)
    with served(Subject("<name>", space=LatentSpace(generator, "it", None))) as site:
        yield site


@pytest.fixture
def game(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(session, "FRAME_SECONDS", 0.0)
    with served(Subject("gaussian", session=Session(Settings("gaussian", width=4)))) as site:
        yield site


def hear(socket: ClientConnection, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait for a message, of either kind, whose header is `wanted`."""
    while True:
        message = socket.recv(timeout=PATIENCE)
        about = json.loads(message) if isinstance(message, str) else unpack(message)[0]
        if wanted(about):
            return dict(about)


def test_the_page_and_nothing_else(latents: Site) -> None:
    folder = Path(application.__file__).parent / "page"
    assert {name for name, _ in PAGE.values()} == {file.name for file in folder.iterdir()}
    for address, (name, _) in PAGE.items():
        assert latents.ask(f"/{address}") == (200, (folder / name).read_bytes())
    assert latents.ask("/colours.css") == (200, (folder.parents[1] / "export" / "web" / "colours.css").read_bytes())
    for path in (
        "/session.py",
        "/../application.py",
        "/page/index.html",
        "/%2e%2e/session.py",
        "//etc/passwd",
        "/run",
        "/game",
    ):
        assert latents.ask(path)[0] == 404
    status, content = latents.ask("/about")
    about = json.loads(content)
    assert (status, about["name"], about["game"], about["run"]) == (200, "<name>", None, False)
    assert about["space"]["classes"] == ["a", "b", "c"]


def test_pages_without_the_token_see_nothing(latents: Site) -> None:
    for path in ("/", "/page.css", "/about", "/latents/draw", "/nowhere"):
        assert latents.ask(path, Cookie="")[0] == 403
    assert latents.ask(f"/?token={latents.door.token}", Cookie="")[0] == 200
    assert latents.ask("/", Host="evil.example")[0] == 403
    assert latents.ask("/about", Origin="http://evil.example")[0] == 403


def test_questions_about_latents(latents: Site) -> None:
    place = {"seed": "1" + "0" * 30, "index": 3, "label": "b"}
    about, arrays = latents.arrays("/latents/draw", {"place": place, "count": 5})
    assert about["command"] == f"zerosum sample it --seed {10**30} --count 5 --label b"
    assert arrays["pictures"].shape == (5, 3, 8, 8)  # of five channels, three are shown
    moved = {**place, "moves": [{"kind": "sefa", "number": 0, "amount": 2.5}]}
    shown = latents.arrays("/latents/show", place)[1]["pictures"]
    assert (shown[0] == arrays["pictures"][3]).all()
    assert (latents.arrays("/latents/show", moved)[1]["pictures"] != shown).any()
    way = latents.arrays("/latents/go", {"start": place, "goal": moved, "steps": 4})[1]["pictures"]
    assert len(way) == 4
    assert len(latents.arrays("/latents/around", {"place": place, "share": 0.5})[1]["pictures"]) == 9
    along = {"place": place, "kind": "ganspace", "number": 1, "reach": 2, "steps": 3}
    assert len(latents.arrays("/latents/along", along)[1]["pictures"]) == 3


def test_points_are_numbers() -> None:
    generator = untrained(small("mlp"), 2)
    with served(Subject("it", space=LatentSpace(generator, "it", None))) as site:
        about, arrays = site.arrays("/latents/draw", {"place": {}, "count": 5})
        assert about["command"] == "zerosum sample it --seed 0 --count 5"
        assert np.array_equal(arrays["points"], generator.sample(5).numpy())
        assert site.arrays("/latents/around", {"place": {}})[1]["points"].shape == (9, 2)
        assert "cannot be compared with samples of shape [2]" in site.error("/latents/find", PICTURE)


@pytest.mark.parametrize(
    ("path", "question", "words"),
    [
        ("/latents/draw", {"place": {"seed": "1e30"}}, "the seed must be a whole number"),
        ("/latents/draw", {"place": {}, "count": 10**9}, "count: "),
        ("/latents/draw", {}, "place: it is missing"),
        ("/latents/draw", {"place": {"truncation": -1}}, "truncation: "),
        ("/latents/show", {"label": "<b>"}, "unknown class '<b>'"),
        ("/latents/show", {"moves": [{"kind": "pca", "number": 0, "amount": 1}]}, "kind: "),
        ("/latents/show", {"moves": [{"kind": "sefa", "number": 0, "amount": 1e9}]}, "amount: "),
        ("/latents/show", {"nope": 1}, "has no field 'nope'"),
        ("/latents/training", {}, "explore its run's folder"),
        ("/latents/show", b"[1", "the question is no JSON object"),
        ("/latents/show", b"[" * 60_000, "the question is no JSON object"),
        ("/latents/show", b"[]", "the question is no JSON object"),
        ("/latents/show", b" " * 70_000, "the question is too long"),
    ],
)
def test_bad_questions_get_a_line(latents: Site, path: str, question: object, words: str) -> None:
    assert words in latents.error(path, question)
    assert latents.ask("/latents/show", {})[0] == 200


def test_what_breaks_is_said_and_the_server_lives_on(latents: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(LatentSpace, "show", lambda *_: 1 // 0)
        assert "ZeroDivisionError" in latents.error("/latents/show", {}, 500)
    assert latents.ask("/latents/show", {})[0] == 200


def test_a_run_and_then_none(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    (tmp_path / "secret.png").write_bytes(PICTURE)
    with served(open_subject(str(folder.path))) as site:
        status, content = site.ask("/run")
        assert (status, json.loads(content)["pictures"]) == (200, [1, 3])
        assert site.ask("/run/pictures/3") == (200, PICTURE + b"\x03")
        for path in ("/run/pictures/..%2f..%2fsecret", "/run/pictures/-1", "/run/run.json", "/run/pictures/000003.png"):
            assert site.ask(path)[0] == 404
        assert "has no picture of step 2" in site.error("/run/pictures/2")
        assert len(site.arrays("/latents/training", {})[0]["distances"]) == 6
        folder.metrics.write_text("nonsense\n")
        assert "metrics.jsonl is damaged in line 1" in site.error("/run")
        shutil.rmtree(folder.path)
        gone = f"no run at {folder.path} any more"
        for path in ("/run", "/run/pictures/3"):
            assert site.error(path) == gone
        assert site.ask("/latents/show", {})[0] == 200


def test_a_game_in_two_tabs(game: Site) -> None:
    with game.play() as one, game.play() as other:
        for tab in (one, other):
            assert hear(tab, lambda about: "columns" in about)
            assert hear(tab, lambda about: "command" in about)["settings"]["data"] == "gaussian"
            assert hear(tab, lambda about: about.get("line") == "start")["step"] == 0
        one.send(json.dumps({"command": "iteration"}))
        assert {hear(tab, lambda about: about.get("line") == "done")["step"] for tab in (one, other)} == {1}
        other.send(json.dumps({"command": "restart", "settings": {"data": "ring", "width": 4, "seed": "7"}}))
        for tab in (one, other):
            assert hear(tab, lambda about: about.get("settings", {}).get("seed") == "7")
            assert hear(tab, lambda about: about.get("line") == "start" and about["dimension"] == 2)
    with game.play() as later:
        assert hear(later, lambda about: about.get("line") == "start")["dimension"] == 2


def test_bad_commands_get_a_line_and_the_game_goes_on(game: Site) -> None:
    with game.play() as socket:
        for said, words in {
            "nonsense": "the question is no JSON object",
            b"\x00\x01": "the question is no JSON object",
            '{"command": "restart", "settings": {"seed": "-1"}}': "the seed must be a whole number",
            '{"command": "restart", "settings": {"game": "hinje"}}': "unknown game 'hinje'",
            '{"command": ["restart"]}': "unknown command",
        }.items():
            socket.send(said)
            assert words in hear(socket, lambda about: "error" in about)["error"]
        for field, value in {"generator_lr": -1, "seed": "one", "k": 0.5}.items():
            socket.send(json.dumps({"command": "restart", "settings": {field: value}}))
            about = hear(socket, lambda about: "error" in about)
            assert (about["field"], about["error"]) == (field, f"{field}: {about['problem']}")
        socket.send('{"command": "iteration"}')
        assert hear(socket, lambda about: about.get("step") == 1)


def test_a_socket_needs_the_token_too(game: Site) -> None:
    for headers in ({"Cookie": ""}, {"Origin": "http://evil.example"}):
        with pytest.raises(InvalidStatus), game.play(**headers):
            pass
