"""The report in a real browser: on a phone and on a desk, light and dark, in print."""

from pathlib import Path
from typing import Any

import pytest

CONTRAST = """() => {
    const parse = text => (text.match(/[0-9.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = element => {
        for (let e = element; e; e = e.parentElement) {
            const found = parse(getComputedStyle(e).backgroundColor);
            if (found.length === 3 || found[3] > 0) return found;
        }
        return [255, 255, 255];
    };
    let worst = 21;
    for (const element of document.querySelectorAll("p, li, td, th, h1, h2, h3, pre, figcaption, summary, span")) {
        const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
        worst = Math.min(worst, (a + 0.05) / (b + 0.05));
    }
    return worst;
}"""
READABLE = 4.5  # WCAG 2.2, level AA, for text of normal size


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_fits_and_can_be_read(
    chromium: Any, trained: tuple[Path, str], width: int, scheme: str, tmp_path: Path
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    problems = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto((trained[0] / "report.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) >= READABLE
    assert page.evaluate("[...document.images].every(each => each.complete && each.naturalWidth > 0)")
    picture = tmp_path / "page.png"
    page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 10_000
    assert problems == []
    page.close()


def test_the_report_needs_nothing_else_and_prints(chromium: Any, trained: tuple[Path, str], tmp_path: Path) -> None:
    page = chromium.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((trained[0] / "report.html").as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.pdf(path=tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    page.close()
