"""An exported page in a real browser: it draws what PyTorch makes of the same latents, and asks no one else.

It needs Debian's chromium, playwright, and `npm install --no-save onnxruntime-web` in this folder; else it is skipped.
"""

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.end_to_end.conftest import Command
from tests.unit.export.untrained import small, untrained
from zerosum.export import deployed
from zerosum.generator import TrainedGenerator

MODULES = Path(__file__).parents[2] / "node_modules"
READ = """canvases => canvases.map(canvas => {
    const { width, height } = canvas;
    return [...canvas.getContext("2d").getImageData(0, 0, width, height).data];
})"""
INPUTS = "samples.map(each => [[...each.latents], each.class, [...each.noise]])"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        del arguments


@pytest.fixture(scope="module")
def browser(chromium: Any) -> Any:
    if not (MODULES / "onnxruntime-web").is_dir():
        pytest.skip(f"no onnxruntime-web in {MODULES}")
    return chromium


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    servers = []

    def start(folder: Path) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def export(generator: TrainedGenerator, command: Command, name: str) -> Path:
    generator.save(command.folder / f"{name}.safetensors")
    code, out, err = command("export", f"{name}.safetensors", "--page", name, "--runtime", MODULES)
    assert (code, err) == (0, "")
    assert f"{name}: a page of 14." in out
    assert "to look at it" in out.lower()
    return command.folder / name


def make(generator: TrainedGenerator, inputs: list[Any]) -> Tensor:
    """What PyTorch makes of the page's inputs, as RGBA bytes [N, H * W * 4]."""
    latents, classes, noise = zip(*inputs, strict=True)
    given = {"latents": torch.tensor(latents)}
    if generator.classes:
        given["classes"] = torch.tensor(classes)
    if generator.networks.dropout:
        given["noise"] = torch.tensor(noise)
    with torch.no_grad():
        samples = deployed.Deployed(generator).eval()(**given).expand(-1, 3, -1, -1)
    opaque = torch.full_like(samples[:, :1], 255)
    return torch.cat([samples, opaque], 1).permute(0, 2, 3, 1).flatten(1)


def shown(page: Any, selector: str) -> Tensor:
    return torch.tensor(page.eval_on_selector_all(selector, READ), dtype=torch.uint8)


def assert_same(found: Tensor, expected: Tensor) -> None:
    assert (found.int() - expected.int()).abs().max() <= 1
    assert len(expected) == 1 or expected.float().std(0).mean() > 5  # or mistakes would not show


def test_the_page_draws_what_pytorch_makes(browser: Any, serve: Callable[[Path], str], in_process: Command) -> None:
    generator = untrained(small("compact", condition="projection", binary=2, dropout=0.2), 3, 9, 12)
    address = serve(export(generator, in_process, "colours"))
    page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
    asked, troubles = list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.wait_for_selector("#main:not([hidden])")
    inputs, first = page.evaluate(INPUTS), shown(page, "#grid canvas")
    assert first.shape == (16, 9 * 12 * 4)
    assert_same(first, make(generator, inputs))
    assert {number for _, number, _ in inputs} == {0, 1, 2}
    assert {abs(value) for latents, _, _ in inputs for value in latents[-2:]} == {1}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.title() == page.inner_text("h1") == "colours"

    page.click("#next")
    page.wait_for_function("samples[0].latents[0] !== " + repr(inputs[0][0][0]))
    assert not torch.equal(shown(page, "#grid canvas"), first)
    page.fill("#seed", "0")
    page.select_option("#count", "4")
    page.wait_for_function("samples.length === 4")
    assert torch.equal(shown(page, "#grid canvas"), first[:4])

    page.select_option("#class", label="b")
    page.wait_for_function("samples.every(each => each.class === 1)")
    page.select_option("#count", "64")
    page.wait_for_function("samples.length === 64")
    page.eval_on_selector("#truncation", "slider => { slider.value = 0.5; slider.dispatchEvent(new Event('input')); }")
    page.wait_for_function("samples.every(each => each.latents.slice(0, -2).every(value => Math.abs(value) <= 0.5))")
    inputs = page.evaluate(INPUTS)
    assert_same(shown(page, "#grid canvas"), make(generator, inputs))
    middle = torch.tensor([latents[:-2] for latents, _, _ in inputs]).flatten()
    assert abs(middle.std() - 0.28) < 0.03  # of a normal distribution cut off at half its deviation

    page.click("#grid button:nth-child(3)")
    assert page.inner_text("#chosen-number") == "3, class b"
    slider = page.locator("#latents input").nth(1)
    slider.focus()
    before = shown(page, "#large")
    page.keyboard.press("End")
    page.wait_for_function("edited.latents[1] === 3 && edited.pixels !== samples[2].pixels")
    page.wait_for_function("busy.then(() => true)")
    edited = [3.0 if place == 1 else value for place, value in enumerate(inputs[2][0])]
    assert_same(shown(page, "#large"), make(generator, [[edited, *inputs[2][1:]]]))
    assert not torch.equal(shown(page, "#large"), before)
    page.click("#reset")
    assert torch.equal(shown(page, "#large"), before)
    assert troubles == []
    assert {url.startswith((address, "data:")) for url in asked} == {True}
    page.close()


def test_uniform_latents_and_gray_pictures(browser: Any, serve: Callable[[Path], str], in_process: Command) -> None:
    generator = untrained(small("paper-mlp"), 1, 8, 8)
    page = browser.new_page()
    page.goto(serve(export(generator, in_process, "gray")))
    page.wait_for_selector("#main:not([hidden])")
    page.select_option("#count", "64")
    page.wait_for_function("samples.length === 64")
    inputs = page.evaluate(INPUTS)
    assert_same(shown(page, "#grid canvas"), make(generator, inputs))
    latents = torch.tensor([latents for latents, _, _ in inputs])
    assert latents.abs().max() < 3**0.5
    assert abs(latents.std() - 1) < 0.1
    assert not page.is_visible("#class")
    page.close()


def test_what_is_wrong_is_said_on_the_page(browser: Any, serve: Callable[[Path], str], in_process: Command) -> None:
    folder = export(untrained(small("mlp"), 1, 8, 8), in_process, "gray")
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    page.wait_for_selector("[role=alert]")
    assert "python3 -m http.server" in page.inner_text("#status")
    (folder / "generator.onnx").unlink()
    page.goto(serve(folder))
    page.wait_for_selector("[role=alert]")
    assert page.inner_text("#status") == (
        "The generator cannot run here: generator.onnx is missing beside the page (404)"
    )
    page.close()


def test_refusals_come_first(trained: tuple[Path, str], in_process: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.generator.loading.load", lambda *_: pytest.fail("was loaded"))
    (in_process.folder / "full").mkdir()
    (in_process.folder / "full" / "mine").touch()
    for arguments, words in {
        ("--page", "full"): "full exists already and is not an empty folder: choose another --page",
        ("--page", "no/page"): "cannot write to no/page: no is not a folder",
        ("--page", "page"): "run 'npm install onnxruntime-web' here",
        ("--runtime", "full", "--onnx", "g.onnx"): "--runtime is for --page, which was not given",
    }.items():
        assert words in in_process.refused("export", trained[0], *arguments)
