"""A picture that is sent is looked for, by one page at a time, and no longer than somebody waits for it."""

import http.client
import io
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.unit.explore.messages import unpack
from tests.unit.explore.site import PATIENCE, Site, served
from tests.unit.export.untrained import small, untrained
from zerosum.explore import inversion, latents, searching
from zerosum.explore.inversion import Inversion, invert
from zerosum.explore.latents import LatentSpace
from zerosum.explore.subject import Subject
from zerosum.generator import TrainedGenerator


def make() -> TrainedGenerator:
    return untrained(small("compact", condition="projection"), 3, 8, 8)


def encode(picture: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


RED = encode(Image.new("RGB", (9, 7), "red"))


def claim(width: int, height: int) -> bytes:
    """A PNG whose header claims so many pixels, and which has none."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name, few in {"DRAWN": 64, "STARTS": 4, "STEPS": 30}.items():
        monkeypatch.setattr(inversion, name, few)
    with served(Subject("it", space=LatentSpace(make(), "it", None))) as here:
        yield here


def find(site: Site, content: bytes, query: str = "", **headers: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Send a file and return the messages of the answer."""
    status, answer = site.ask(f"/latents/find{query}", content, **headers)
    assert status == 200, answer
    return list(split(io.BytesIO(answer)))


def split(answer: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    while size := answer.read(4):
        yield unpack(answer.read(int.from_bytes(size, "little")))


class Slow:
    """Takes the place of the search: it goes on until it is let go, or nobody waits for it any more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.let_go, self.left, self.done = (threading.Event() for _ in range(3))
        self.begun = 0
        monkeypatch.setattr(latents, "invert", self._search)

    def _search(self, generator: TrainedGenerator, *given: Any) -> Inversion:
        progress, turn = given[3:]
        self.begun += 1
        try:
            for step in range(1_000):
                with turn:
                    time.sleep(0.005)
                progress("searching", step, 1_000)
                if self.let_go.is_set():
                    break
        except searching.Left:
            self.left.set()
            raise
        self.done.set()
        latent = next(generator.sample_latents(1))[0]
        return Inversion(latent, generator.generate(latent[None])[0], 1, 2, 1, (0.9, 1.1))


def ask(site: Site) -> tuple[http.client.HTTPConnection, Any]:
    """Send a picture; return the connection and the messages as they come."""
    connection = http.client.HTTPConnection(site.door.host, site.door.port, timeout=PATIENCE)
    connection.request("POST", "/latents/find", RED, site.headers)
    return connection, split(connection.getresponse())


def test_a_picture_is_found_and_is_a_place_like_any_other(site: Site) -> None:
    generator = make()
    picture = generator.sample(1, seed=9, label="b")[0]
    expected = invert(generator, picture, seed=3, label="b")
    *told, (about, arrays) = find(site, encode(Image.fromarray(picture.numpy().transpose(1, 2, 0))), "?seed=3&label=b")
    for words, _ in told:
        assert words["doing"] in ("waiting for another search to end", "comparing", "searching")
    assert about["place"] == {"seed": "3", "label": "b", "found": 0}
    assert about["error-in-words"] == expected.error_in_words
    assert about["length-in-words"] == expected.length_in_words
    assert np.array_equal(arrays["pictures"], torch.stack([picture, expected.sample]).numpy())
    place, other = about["place"], {"seed": "1", "index": 2, "label": "a"}
    asked = {
        "show": place,
        "go": {"start": place, "goal": other},
        "around": {"place": place},
    }
    for path, question in asked.items():
        assert np.array_equal(site.arrays(f"/latents/{path}", question)[1]["pictures"][0], arrays["pictures"][1])
    along = site.arrays("/latents/along", {"place": place, "kind": "sefa", "number": 0, "steps": 9})[1]["pictures"]
    assert np.array_equal(along[4], arrays["pictures"][1])
    assert find(site, RED)[-1][0]["place"]["found"] == 1
    assert "not kept any more" in site.error("/latents/show", {"found": 2})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no picture", "the file cannot be used as a picture: it is text, not an image"),
        (b"", "the file cannot be used as a picture: it is empty"),
        (RED[:-30], "the file cannot be used as a picture: it is damaged"),
        (claim(20_000, 15_000), "the file cannot be used as a picture: it claims"),
        (b"\0" * 3_000, "the file is too large: at most 0.002 MB are read"),
    ],
    ids=["text", "empty", "damaged", "300 megapixels", "many bytes"],
)
def test_bad_files_get_a_line(site: Site, content: bytes, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST_UPLOAD", 2_000)
    monkeypatch.setattr(latents, "invert", lambda *_: pytest.fail("was looked for"))
    assert site.error("/latents/find", content).startswith(words)
    assert site.ask("/latents/show", {})[0] == 200


@pytest.mark.parametrize(
    "picture",
    [
        encode(Image.new("CMYK", (9, 7)), "JPEG"),
        encode(Image.new("RGBA", (9, 7))),
        encode(Image.new("I;16", (9, 7), 60_000)),
        encode(Image.new("P", (9, 7)), "GIF"),
    ],
    ids=["CMYK", "transparent", "16 bits", "palette"],
)
def test_pictures_of_other_channels_are_looked_for(site: Site, picture: bytes) -> None:
    assert "place" in find(site, picture)[-1][0]


def test_wrong_words_beside_the_picture(site: Site) -> None:
    assert "the seed must be a whole number" in site.error("/latents/find?seed=x", RED)
    assert "unknown class 'z'" in site.error("/latents/find?label=z", RED)


def test_a_search_that_fails_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(latents, "invert", lambda *_: 1 // 0)
        assert "ZeroDivisionError" in find(site, RED)[-1][0]["error"]
    assert "place" in find(site, RED)[-1][0]


def test_the_upload_is_guarded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "read_body", lambda *_: pytest.fail("was read"))
    for headers in ({"Cookie": ""}, {"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        assert site.ask("/latents/find", RED, **headers)[0] == 403


def test_one_is_looked_for_at_a_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch)
    first, of_first = ask(site)
    assert next(of_first)[0]["doing"] == "searching"
    second, of_second = ask(site)
    assert next(of_second)[0]["doing"] == "waiting for another search to end"
    assert slow.begun == 1
    slow.let_go.set()
    for connection, messages in ((first, of_first), (second, of_second)):
        assert "place" in list(messages)[-1][0]
        connection.close()


def test_a_search_ends_when_its_page_is_left(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch)
    first, messages = ask(site)
    next(messages)
    waiting, of_waiting = ask(site)
    next(of_waiting)
    waiting.close()
    first.close()
    assert slow.left.wait(PATIENCE)
    assert slow.begun == 1  # the other one left too, before its turn
    slow.let_go.set()
    assert "place" in find(site, RED)[-1][0]


def test_other_questions_are_answered_meanwhile(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch)
    connection, messages = ask(site)
    next(messages)
    for _ in range(3):
        assert site.ask("/latents/show", {})[0] == 200
    assert not slow.done.is_set()
    slow.let_go.set()
    assert "place" in list(messages)[-1][0]
    connection.close()


def test_what_was_found_long_ago_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latents, "MOST_FOUND", 2)
    with monkeypatch.context() as patch:
        Slow(patch).let_go.set()
        space = LatentSpace(make(), "it", None)
        picture = torch.zeros(3, 8, 8, dtype=torch.uint8)
        numbers = [space.find(picture, latents.Place(), lambda *_: None)[0] for _ in range(3)]
    assert numbers == [0, 1, 2]
    assert list(space._found) == [1, 2]


def test_generators_of_other_channels_find_no_pictures() -> None:
    space = LatentSpace(untrained(small("compact"), 5, 8, 8), "it", None)
    assert not space.describe()["finds"]
    with served(Subject("it", space=space)) as site:
        assert "cannot be compared with samples of shape [5, 8, 8]" in site.error("/latents/find", RED)
