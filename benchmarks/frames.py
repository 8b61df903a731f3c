"""Measure how fast the page of `zerosum explore` draws: the live game, the first paint, and samples of 64x64 pixels.

Usage: python benchmarks/frames.py [SECONDS], for which the game is counted in each round; 10 if not given. It needs
Debian's chromium (or Chrome) and playwright, and nothing beside it on the machine: program and browser share its cores.
"""

import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from protocol import COMMAND, write

from zerosum import recipes
from zerosum.game.engine import Engine
from zerosum.generator import TrainedGenerator

ROUNDS, OPENED, DRAWN = 3, 5, 5  # countings of the game, visits of its page, and drawings of samples
SECONDS = 10.0
SHAPE, SAMPLES, GENERATORS = (3, 64, 64), 100, ("compact", "photos")
TICK, PATIENCE = 50, 60_000  # milliseconds
WHICH = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# The step's words are written once for each picture of the game that is drawn.
WATCH = """() => {
    window.drawn = [];
    new MutationObserver((changes) => {
        if (changes.some(({ target }) => target.id === "step")) window.drawn.push(performance.now());
    }).observe(document, { childList: true, subtree: true });
}"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
DRAW = """async ([seed, count]) => {
    const { askArrays } = await import(new URL("messages.js", location));
    const { drawPicture } = await import(new URL("drawing.js", location));
    const began = performance.now();
    const { arrays } = await askArrays("latents/draw", { place: { seed: String(seed) }, count });
    const canvases = Array.from({ length: count }, (_, number) => {
        const canvas = document.createElement("canvas");
        drawPicture(canvas, arrays.pictures, number);
        return canvas;
    });
    document.getElementById("grid").replaceChildren(...canvases);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return performance.now() - began;
}"""


@contextmanager
def exploring(what: str) -> Iterator[str]:
    """Start `zerosum explore` and yield its address, when it has said it; then end it."""
    command = [str(COMMAND), "explore", what, "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            found = re.search(r"is shown at (http://\S+)", process.stdout.readline() if process.stdout else "")
            assert found, "it has not started"
            yield found[1]
        finally:
            process.send_signal(signal.SIGINT)


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[Page]:
    """Open an address in a context of its own, with nothing cached, and count what it draws from the start."""
    with browser.new_context(viewport={"width": 1200, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.add_init_script(f"({WATCH})()")
        page.goto(address)
        yield page


def wait_for(page: Page, expression: str) -> float:
    """Return the value of an expression in JavaScript, a number, when it has one."""
    for _ in range(PATIENCE // TICK):
        if (value := page.evaluate(expression)) is not None:
            return float(value)
        page.wait_for_timeout(TICK)
    raise TimeoutError(expression)


def measure_opening(browser: Browser, address: str) -> tuple[float, float]:
    """Return the seconds from the call of the page to its first words, and to the first picture of the game."""
    with opened(browser, address) as page:
        return wait_for(page, PAINT) / 1000, wait_for(page, "window.drawn[0] ?? null") / 1000


def count_pictures(browser: Browser, address: str, seconds: float) -> float:
    """Return how many pictures of the game are drawn in a second of playing, one iteration to each."""
    with opened(browser, address) as page:
        wait_for(page, "window.drawn[0] ?? null")
        page.click("#play")
        page.wait_for_timeout(2_000)  # until it goes evenly
        before = page.evaluate("window.drawn.length")
        page.wait_for_timeout(1_000 * seconds)
        times = page.evaluate("window.drawn")[before:]
        page.click("#play")
    return (len(times) - 1) / (times[-1] - times[0]) * 1_000


def time_samples(browser: Browser, recipe: str, folder: Path) -> list[float]:
    """Return the seconds from asking for SAMPLES samples of an untrained generator until they are on the page."""
    networks = recipes.find(recipe).networks
    network = networks.build_to_load(SHAPE, 0).eval()
    file = folder / f"{recipe}.safetensors"
    TrainedGenerator(network, networks, SHAPE, {}, Engine.choose("cpu"), {}).save(file)
    with exploring(str(file)) as address, opened(browser, address) as page:
        page.wait_for_selector("#around figure:nth-child(9)")  # what the page asks for by itself is there
        return [page.evaluate(DRAW, [seed, SAMPLES]) / 1000 for seed in range(1, DRAWN + 1)]


def summarise(values: list[float], digits: int) -> dict[str, object]:
    """Return the median and all values, rounded."""
    return {"median": round(statistics.median(values), digits), "all": [round(each, digits) for each in values]}


def main(seconds: str = str(SECONDS)) -> None:
    """Measure all of it and note it."""
    assert WHICH, "no chromium and no Chrome here"
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=WHICH, args=["--no-sandbox"])
        with exploring("ring") as address:
            openings = [measure_opening(browser, address) for _ in range(OPENED)]
            pictures = [count_pictures(browser, address, float(seconds)) for _ in range(ROUNDS)]
        words, first = (list(times) for times in zip(*openings, strict=True))
        figures = {
            "ring: pictures a second while it plays": summarise(pictures, 1),
            "ring: seconds to the first words": summarise(words, 2),
            "ring: seconds to the first picture": summarise(first, 2),
            **{
                f"{name}: seconds for {SAMPLES} samples of 64x64": summarise(
                    time_samples(browser, name, Path(folder)), 2
                )
                for name in GENERATORS
            },
        }
        version = browser.version
    protocol = (
        f"headless Chromium {version} at 1200 x 900 on the same machine, nothing else beside it; the game: one "
        f"iteration to a picture, counted for {float(seconds):g} s, {ROUNDS} times; first words (first contentful "
        f"paint) and first picture: from the call of the page of a running server, {OPENED} visits with empty caches; "
        "samples: untrained generators of these recipes, from the question until two frames after the last is drawn, "
        f"{DRAWN} times"
    )
    write("frames", protocol, figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
