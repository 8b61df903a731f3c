"""`zerosum explore` as a user meets it: the command, its end, and the page in a real browser.

The browser is Debian's chromium, driven by playwright; without one these tests are skipped.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import torch

from tests.end_to_end.conftest import Command, start
from tests.unit.explore.written import write_run
from tests.unit.export.untrained import small, untrained
from zerosum.explore import serving
from zerosum.explore.latents import LatentSpace
from zerosum.export.samples import save
from zerosum.game.engine import Engine
from zerosum.generator import TrainedGenerator

PATIENCE, TICK = 60_000, 50  # milliseconds
BEYOND_TEN = "Number(document.querySelector('#step').textContent.match(/[0-9]+/) ?? 0) > 10"


class Explore:
    """Starts the command, and ends it with Ctrl-C, which has to be its end."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._processes = folder, list[subprocess.Popen[str]]()

    def __call__(self, *arguments: object) -> str:
        """Start it and return the address that it prints."""
        process = start("explore", *arguments, "--no-browser", cwd=self._folder)
        self._processes.append(process)
        assert process.stdout is not None
        found = re.search(r"is shown at (http://\S+)", process.stdout.readline())
        assert found, process.communicate()
        return found[1]

    def end(self) -> None:
        while self._processes:
            process = self._processes.pop()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
            assert (process.returncode, err) == (0, "")
            assert out.endswith("Ended\n")


@pytest.fixture
def explore(tmp_path: Path) -> Iterator[Explore]:
    command = Explore(tmp_path)
    yield command
    command.end()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open pages, and find at the end that nothing went wrong on them and no one else was asked."""
    opened, troubles, asked = list[Any](), list[str](), list[tuple[str, str]]()

    def open_at(address: str, width: int = 1200, scheme: str = "light") -> Any:
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: asked.append((address.split("?")[0], request.url)))
        page.goto(address)
        opened.append(page)
        return page

    yield open_at
    for page in opened:
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
        page.close()
    assert [each for each in troubles if "400 (Bad Request)" not in each] == []
    assert all(url.startswith((own, "data:")) for own, url in asked)


def until(page: Any, condition: str) -> None:
    """Wait until a condition in JavaScript holds; playwright's own way is forbidden by the page's policy."""
    for _ in range(PATIENCE // TICK):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(TICK)
    pytest.fail(f"never: {condition}; {page.inner_text('body')}")


def painted(page: Any, selector: str) -> int:
    """Count the colours on a canvas."""
    return int(
        page.eval_on_selector(
            selector,
            """canvas => new Set(new Uint32Array(canvas.getContext("2d")
            .getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size""",
        )
    )


def test_the_command_opens_a_page_and_ctrl_c_ends_it(explore: Explore) -> None:
    address = explore("gaussian")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{20,}", address)
    with urllib.request.urlopen(address) as answer:  # noqa: S310  # its scheme has been checked
        assert b"<title>zerosum explore</title>" in answer.read()


def test_a_game_in_the_browser(explore: Explore, open_page: Callable[..., Any]) -> None:
    address = explore("ring")
    page = open_page(address, 390, "dark")
    until(page, "document.querySelector('#step').textContent === '0 of 8,000 iterations are done.'")
    assert page.url == address.split("?")[0]
    assert page.title() == "ring · zerosum explore"
    assert page.inner_text("#command") == "zerosum train ring --recipe toy-vanilla --seed 0"
    assert painted(page, "#board") > 50
    assert painted(page, "#best") > 10
    page.click("#iteration")
    until(page, "document.querySelector('#step').textContent === '1 of 8,000 iterations are done.'")
    page.click("#line")
    page.wait_for_selector("#algorithm li:nth-child(1)[aria-current]")
    assert page.inner_text("#moment").startswith("Iteration 2 of 8,000: Sample minibatch of m = 128 noise samples")
    page.click("#line")
    page.wait_for_selector("#algorithm li:nth-child(2)[aria-current]")
    page.select_option("[name=game]", "hinge")
    until(page, "document.querySelector('#command').textContent.includes('--set game=hinge')")
    page.fill("[name=width]", "8")
    page.press("[name=width]", "Enter")
    until(page, "document.querySelector('#command').textContent.includes('networks.width=8')")
    page.fill("[name=seed]", "1e30")
    page.press("[name=seed]", "Tab")
    page.wait_for_selector("#status:not([hidden])")
    seed = "Seed: the seed must be a whole number of at most 40 digits, but it was '1e30'"
    assert page.inner_text("#status") == seed
    assert page.get_attribute("[name=seed]", "aria-invalid") == "true"
    page.fill("[name=seed]", "0")
    page.press("[name=seed]", "Tab")
    page.wait_for_selector("#status", state="hidden")
    assert page.query_selector("[aria-invalid]") is None
    page.fill("[name=generator_lr]", "-1")
    page.press("[name=generator_lr]", "Tab")
    until(page, "document.querySelector('#status').textContent.startsWith(\"Generator's learning rate: it must be\")")
    page.fill("[name=generator_lr]", "")
    page.press("[name=generator_lr]", "Tab")
    page.fill("[name=k]", "many")
    page.press("[name=k]", "Tab")
    until(page, "document.querySelector('#status').textContent === 'k: a number is needed, not “many”'")
    page.focus("#play")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#play').textContent === 'Pause'")
    until(page, BEYOND_TEN)
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#play').textContent === 'Play'")
    assert painted(page, "#losses") > 3

    second = open_page(address)
    until(second, BEYOND_TEN)
    assert second.inner_text("#command") == page.inner_text("#command")
    assert painted(second, "#losses") > 3  # what was measured before it was opened
    second.select_option("[name=data]", "grid")
    for each in (page, second):
        until(each, "document.title === 'grid · zerosum explore'")
        assert each.inner_text("h1") == "grid"


def test_points_on_the_line(explore: Explore, open_page: Callable[..., Any]) -> None:
    page = open_page(explore("gaussian"))
    until(page, "document.querySelector('#board-caption').textContent.includes('Proposition 1')")
    assert painted(page, "#board") > 20
    assert not page.is_visible("#best")
    page.check("#slow")
    page.click("#play")
    page.wait_for_selector("#algorithm li:nth-child(4)[aria-current]")
    page.click("#play")


def test_a_latent_space_in_the_browser(explore: Explore, open_page: Callable[..., Any], tmp_path: Path) -> None:
    untrained(small("compact", condition="projection"), 3, 8, 8).save(tmp_path / "<b>g.safetensors")
    page = open_page(explore("<b>g.safetensors"), 390)
    page.wait_for_selector("#grid button:nth-child(36)")
    page.wait_for_selector("#around figure:nth-child(9)")
    assert page.inner_text("h1") == "<b>g.safetensors"
    assert not page.is_visible("#nearest")
    read = "element => element.toDataURL()"
    before = page.eval_on_selector("#large", read)
    slider = page.locator("#sliders input").nth(1)
    slider.focus()
    page.keyboard.press("End")
    until(page, "document.querySelector('#along-name').textContent.startsWith('direction 2')")
    until(page, f"document.querySelector('#large').toDataURL() !== {before!r}")
    page.click("#put-back")
    until(page, f"document.querySelector('#large').toDataURL() === {before!r}")
    page.check("[name=slot][value=b]")
    page.click("#grid button:nth-child(5)")
    page.wait_for_selector("#grid button:nth-child(5)[data-slots=B]")
    page.select_option("#kind", "ganspace")
    page.select_option("#class", "b")
    until(page, "document.querySelector('#sample-command').textContent.includes('--label b')")
    page.fill("#seed", "x")
    page.press("#seed", "Tab")
    until(page, "document.querySelector('#status').textContent.startsWith('the seed must be')")
    page.click("#next-seed")
    page.wait_for_selector("#status", state="hidden")


DROP = """length => {
    const data = new DataTransfer();
    data.items.add(new File(["x".repeat(length)], "notes.txt"));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def test_a_picture_is_looked_for_in_the_browser(
    explore: Explore, open_page: Callable[..., Any], tmp_path: Path
) -> None:
    generator = untrained(small("mlp", condition="concatenation"), 3, 8, 8)
    generator.save(tmp_path / "g.safetensors")
    save(generator.sample(1, seed=9, label="b"), tmp_path / "<b>.png")
    page = open_page(explore("g.safetensors"), 390, "dark")
    page.wait_for_selector("#around figure:nth-child(9)")
    page.evaluate(DROP, 10)
    words = "the file cannot be used as a picture: it is text, not an image"
    until(page, f"document.querySelector('#search-state').textContent === '{words}'")
    page.evaluate(DROP, 50_000_001)
    until(page, "document.querySelector('#search-state').textContent.startsWith('The file is too large')")
    page.set_input_files("#picture", tmp_path / "<b>.png")
    until(page, "document.querySelector('#search-progress').value > 0")
    page.click("#stop-search")
    until(page, "document.querySelector('#search-state').textContent === 'Stopped.'")
    page.select_option("#class", "b")
    page.set_input_files("#picture", tmp_path / "<b>.png")
    page.wait_for_selector("#found .found button")
    assert not page.is_visible("#search-progress")
    found = page.inner_text("#found")
    assert re.match(r"<b>.png, and the nearest sample that was found. Class b. Error: [\d.]+ of 255, the root", found)
    before = page.eval_on_selector("#large", "element => element.toDataURL()")
    page.focus("#found button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#found button[data-slots=A]")
    until(page, f"document.querySelector('#large').toDataURL() !== {before!r}")
    page.click("#next-seed")
    until(page, "document.querySelector('#sample-command').textContent.includes('--seed 1')")
    page.wait_for_selector("#found button[data-slots=A]")
    assert page.query_selector("#grid [data-slots=A]") is None


def test_points_of_a_generator_in_the_browser(explore: Explore, open_page: Callable[..., Any], tmp_path: Path) -> None:
    generator = untrained(small("mlp"), 2)
    generator.save(tmp_path / "points.safetensors")
    page = open_page(explore("points.safetensors"), 390, "dark")
    read = "document.querySelector('#plane-words').textContent"
    until(page, f"{read}.includes('A, moved, is')")
    assert painted(page, "#plane") > 10
    for hidden in ("#grid", "#search", "#large", "#nearest", "#between"):
        assert not page.is_visible(hidden)
    x, y = (f"{value:.2f}".replace("-", "\N{MINUS SIGN}") for value in generator.sample(9)[8].tolist())
    page.fill("#number-b", "9")
    page.press("#number-b", "Tab")
    until(page, f"{read}.includes('B is ({x}, {y})')")
    window = LatentSpace(generator, "", None).describe()["window"]
    box = page.locator("#plane").bounding_box()
    across, up = ((generator.sample(1)[0] - torch.tensor(window["middle"])) / window["half"] / 2).tolist()
    page.check("[name=slot][value=b]")
    page.click("#plane", position={"x": (0.5 + across) * box["width"], "y": (0.5 - up) * box["height"]})
    until(page, "document.querySelector('#number-b').value === '1'")
    slider = page.locator("#sliders input").nth(0)
    slider.focus()
    before = page.inner_text("#plane-words")
    page.keyboard.press("End")
    until(page, f"{read}.trim() !== {before!r}")
    assert page.query_selector("#status:not([hidden])") is None


def test_a_run_in_the_browser(explore: Explore, open_page: Callable[..., Any], tmp_path: Path) -> None:
    folder = write_run(tmp_path / "cats")
    for picture in folder.samples.iterdir():
        picture.write_bytes((Path(__file__).parents[2] / "docs" / "digits.png").read_bytes())
    page = open_page(explore("cats"), 390, "dark")
    until(page, "document.querySelector('#run-state').textContent.startsWith('3 of 4 iterations')")
    assert "All are <the same>. (collapse)" in page.inner_text("#findings")
    assert "frechet-distance" in page.inner_text("#run-scores")
    assert page.is_visible("#run-scores td:nth-child(6)")
    assert page.inner_text("#time-value") == "after 3 iterations"
    page.focus("#time")
    page.keyboard.press("Home")
    until(page, "document.querySelector('#time-value').textContent === 'after 1 iterations'")
    until(page, "document.querySelector('#time-picture').naturalWidth > 8")
    page.click("#tabs button:nth-child(2)")
    page.wait_for_selector("#around figure:nth-child(9)")
    page.click("#nearest")
    page.wait_for_selector("#training figure:nth-child(6)")
    folder.description.unlink()
    page.click("#tabs button:nth-child(1)")
    until(page, "document.querySelector('#status').textContent === 'no run at cats any more'")
    page.click("#tabs button:nth-child(2)")
    page.click("#grid button:nth-child(3)")
    page.wait_for_selector("#grid button:nth-child(3)[data-slots=A]")
    page.reload()
    until(page, "document.querySelector('#status').textContent === 'no run at cats any more'")
    assert page.is_visible("#run-title")
    assert not page.is_visible("#run h3")


def test_a_run_that_is_gone_is_compared_with_nothing(
    explore: Explore, open_page: Callable[..., Any], tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "cats")
    page = open_page(explore("cats"))
    page.click("#tabs button:nth-child(2)")
    page.wait_for_selector("#around figure:nth-child(9)")
    folder.description.unlink()
    page.click("#nearest")
    until(page, "document.querySelector('#status').textContent === 'no run at cats any more'")
    until(page, "document.querySelector('#training').textContent === ''")
    assert not page.query_selector_all("#training figure")


def test_a_run_without_a_generator_says_so(explore: Explore, open_page: Callable[..., Any], tmp_path: Path) -> None:
    write_run(tmp_path / "run", generator=False)
    page = open_page(explore("run"))
    page.click("#tabs button:nth-child(2)")
    until(page, "document.querySelector('#no-space').textContent.startsWith('The run has no generator yet')")
    assert not page.is_visible("#space")


def test_wrong_calls_are_a_line(in_process: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "serve", lambda *_: pytest.fail("was served"))
    for arguments, words in {
        ("rng",): "no run and no generator at rng",
        (".",): "is not a run folder",
        ("mnist",): "mnist is a data set, data to train on: 'zerosum train mnist'",
        ("ring", "--port", "70000"): "Invalid value for '--port'",
        ("ring", "--host", "no.such.host.invalid"): "--host no.such.host.invalid is no address",
        ("digits", "--device", "tpu"): "unknown device 'tpu'",
    }.items():
        assert words in in_process.refused("explore", *arguments)
    with serving.bind("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        assert f"port {port} of 127.0.0.1 is used by another program" in in_process.refused("explore", "--port", port)
    monkeypatch.setattr(serving, "PACKAGES", ("starlette_of_nowhere",))
    assert "pip install 'zerosum[explore]'" in in_process.refused("explore", "ring")


def test_others_are_let_in_with_a_warning_only(in_process: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = list[str]()
    monkeypatch.setattr(serving, "leave", lambda: None)
    monkeypatch.setattr(serving, "serve", lambda bound, door, application, open_page: opened.append(open_page))
    code, out, err = in_process("explore", "digits", "--host", "0.0.0.0", "--no-browser")  # noqa: S104
    assert (code, opened) == (0, [None])
    assert err.startswith("Warning: whoever reaches 0.0.0.0")
    assert out.startswith("digits is shown at http://")
    code, _, err = in_process("explore", "digits")
    assert (code, err) == (0, "")
    assert opened[1] is not None


def test_help_needs_none_of_it(tmp_path: Path) -> None:
    heavy = ("starlette", "uvicorn", "websockets", "torch")
    code = (
        "import sys; from zerosum.cli import application; application();"
        f"sys.exit(str([name for name in {heavy} if name in sys.modules] or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=os.environ, capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_ctrl_c_does_not_wait_for_an_answer(explore: Explore, tmp_path: Path) -> None:
    networks, shape = small("compact", width=32), (3, 128, 128)
    network = networks.build_to_load(shape, 0).eval()
    TrainedGenerator(network, networks, shape, {}, Engine.choose("cpu"), {}).save(tmp_path / "slow.safetensors")
    address = urlsplit(explore("slow.safetensors"))
    with socket.create_connection((address.hostname, address.port), timeout=60) as asking:
        question = b'{"place": {}, "count": 256}'
        head = f"POST /latents/draw?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 27\r\n\r\n"
        asking.sendall(head.encode() + question)
        time.sleep(0.5)
        explore.end()
        assert not asking.recv(100).startswith(b"HTTP/1.1 200")  # which it would be, were the samples waited for
