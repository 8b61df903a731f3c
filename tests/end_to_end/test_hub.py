"""Generators on the Hugging Face hub: what is uploaded can be loaded, by a server that answers as the hub does."""

import base64
import hashlib
import http.server
import json
import runpy
import sys
import threading
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zerosum as package
from tests.end_to_end.conftest import Command, Zerosum
from tests.unit.export.untrained import small, untrained
from zerosum.export import hub

COMMIT = "a" * 40
NAME = "me/my-gan"


class Hub(http.server.ThreadingHTTPServer):
    """A hub of one owner: repositories of files, by name."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.tokens: list[str] = []
        self.private: list[bool] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(http.server.BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *arguments: object) -> None:
        del arguments

    def reply(self, status: int, content: bytes = b"{}", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), "X-Repo-Commit": COMMIT, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_POST(self) -> None:
        self.server.tokens.append(self.headers.get("Authorization", ""))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.tokens[-1] != "Bearer good":
            self.reply(401, b'{"error": "Invalid username or password."}')
        elif self.path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked.get('organization', 'me')}/{asked['name']}"
            self.server.private.append(asked.get("private") is True or asked.get("visibility") == "private")
            self.server.repositories.setdefault(name, {})
            self.reply(200, json.dumps({"url": f"{self.server.address}/{name}", "id": name}).encode())
        elif self.path == "/api/validate-yaml":
            self.reply(200, b'{"errors": [], "warnings": []}')
        elif self.path.endswith("/preupload/main"):
            files = [{"path": each["path"], "uploadMode": "regular"} for each in json.loads(body)["files"]]
            self.reply(200, json.dumps({"files": [{**each, "shouldIgnore": False} for each in files]}).encode())
        elif self.path.endswith("/commit/main"):
            name = "/".join(self.path.split("/")[3:5])
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    self.server.repositories[name][line["value"]["path"]] = content
            answer = {
                "success": True,
                "commitOid": COMMIT,
                "commitUrl": f"{self.server.address}/{name}/commit/{COMMIT}",
            }
            self.reply(200, json.dumps(answer).encode())
        else:
            self.reply(404)

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        api = parts[:2] == ["api", "models"]
        name, rest = "/".join(parts[2:4] if api else parts[:2]), parts[4:] if api else parts[2:]
        files = self.server.repositories.get(name)
        if files is None:
            self.reply(404, X_Error_Code="RepoNotFound")
        elif api:
            found = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": each} for each in files]}
            tree = [{"type": "file", "path": each, "size": len(files[each]), "oid": COMMIT} for each in files]
            self.reply(200, json.dumps(tree if "tree" in rest else found).encode())
        elif (content := files.get("/".join(rest[2:]))) is None:
            self.reply(404, X_Error_Code="EntryNotFound")
        else:
            self.reply(200, content, ETag=f'"{hashlib.sha256(content).hexdigest()}"')

    def do_HEAD(self) -> None:
        self.do_GET()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    started = Hub()
    threading.Thread(target=started.serve_forever, daemon=True).start()
    for name, value in {
        "HF_ENDPOINT": started.address,
        "HF_HOME": str(tmp_path / "hf"),
        "HF_TOKEN": "good",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }.items():
        monkeypatch.setenv(name, value)
    yield started
    started.shutdown()
    started.server_close()


def test_what_was_pushed_can_be_loaded(
    server: Hub, trained: tuple[Path, str], installed: Zerosum, tmp_path: Path
) -> None:
    done = installed("push", trained[0], NAME, "--private")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"{trained[0]} is at {server.address}/{NAME}"), (
        done.stderr
    )
    files = server.repositories[NAME]
    assert set(files) == {"README.md", "config.json", "model.safetensors", "generator.onnx", *hub.APP}
    assert server.private == [True]
    assert f'zerosum.load("hub:{NAME}")' in files["README.md"].decode()
    done = installed("sample", f"hub:{NAME}", "--count", 5, "--seed", 3, "--out", "a.npy")
    assert (done.returncode, done.stderr) == (0, "")
    assert np.array_equal(np.load(tmp_path / "a.npy"), package.load(trained[0]).sample(5, seed=3))


def test_pickles_and_what_is_not_there_are_refused(server: Hub, installed: Zerosum) -> None:
    server.repositories |= {"me/old": {"pytorch_model.bin": b"code"}, "me/text": {"model.safetensors": b"no weights"}}
    for place, words in {
        "hub:me/old": "hub:me/old has no model.safetensors, but pytorch_model.bin: pickles can run code",
        "hub:me/none": "hub:me/none: the hub has no such repository, or it is private",
        "hub:me/text": "cannot be read as safetensors",
        "hub:me": "'me' names no repository of the hub: write OWNER/NAME",
        "hub:../..": "'../..' names no repository of the hub: write OWNER/NAME",
    }.items():
        done = installed("sample", place)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert words in done.stderr


def test_a_push_that_is_refused_is_one_line(
    server: Hub, trained: tuple[Path, str], installed: Zerosum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "bad")
    done = installed("push", trained[0], NAME)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert f"error: cannot upload to hub:{NAME}: " in done.stderr
    assert "log in with 'hf auth login' or set HF_TOKEN" in done.stderr
    assert server.repositories == {}


def test_the_card_says_what_was_measured(trained: tuple[Path, str], in_process: Command) -> None:
    code, out, err = in_process("export", trained[0], "--hub", "folder")
    assert (code, err) == (0, "")
    assert "folder: README.md, app.py, config.json, generator.onnx, model.safetensors, requirements.txt" in out
    card = (in_process.folder / "folder" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: zerosum\npipeline_tag: unconditional-image-generation\n")
    assert "- Training data: `digits` (fingerprint `" in card
    assert "- Their licence: CC BY 4.0 (UCI" in card
    assert "| frechet-distance | " in card
    assert "; it is no FID." in card
    assert "- `nearer-than-real`: " in card
    assert '"name": "compact"' in card
    config = json.loads((in_process.folder / "folder" / "config.json").read_text())
    assert (config["model_type"], config["shape"]) == ("zerosum-generator", [1, 8, 8])
    same = package.load(in_process.folder / "folder" / "model.safetensors").sample(4)
    assert torch.equal(same, package.load(trained[0]).sample(4))
    (in_process.folder / "full").mkdir()
    (in_process.folder / "full" / "mine").touch()
    refused = in_process.refused("export", trained[0], "--hub", "full")
    assert "full exists already and is not an empty folder: choose another --hub" in refused


def test_words_from_outside_stay_words(tmp_path: Path) -> None:
    classes = {"a`<script>": 1, "b\n# title": 1, "c": 1}
    generator = replace(untrained(small("mlp", condition="projection"), 1, 8, 8), classes=classes)
    card = hub.write_card(generator, tmp_path / "g.safetensors", "mine")
    assert "It is told classes: `a'<script>`, `b # title`, `c`." in card
    assert "FILL IN: whose the training data are" in card
    assert "These weights were not scored where they were trained" in card
    assert "Not measured. Compare samples with the training data" in card


def test_the_app_of_a_space_draws(in_process: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradio is a large package: a stand-in takes its calls, so that what the app computes is seen here."""
    untrained(small("mlp", condition="projection", dropout=0.2), 1, 8, 9).save(in_process.folder / "g.safetensors")
    assert in_process("export", "g.safetensors", "--hub", "space")[0] == 0

    class Anything:
        def __init__(self, *arguments: Any, **options: Any) -> None: ...
        def __enter__(self) -> "Anything":
            return self

        def __exit__(self, *arguments: object) -> None: ...
        def click(self, *arguments: object) -> None: ...
        def load(self, *arguments: object) -> None: ...

    stand_in = types.SimpleNamespace(
        **dict.fromkeys(("Blocks", "Row", "Number", "Slider", "Dropdown", "Gallery", "Button"), Anything)
    )
    monkeypatch.setitem(sys.modules, "gradio", stand_in)
    draw = runpy.run_path(str(in_process.folder / "space" / "app.py"))["draw"]
    pictures = draw(3, 5)
    assert [(each.shape, each.dtype) for each in pictures] == [((8 * 16, 9 * 16, 3), np.uint8)] * 5
    assert np.array_equal(pictures[0], draw(3, 5)[0])
    assert not np.array_equal(pictures[0], draw(4, 5)[0])
    assert not np.array_equal(draw(3, 5, "a")[0], draw(3, 5, "b")[0])
    assert not np.array_equal(draw(3, 5, "a", 0.5)[0], draw(3, 5, "a")[0])
