"""The site's configuration names what there is: each page once, and each public name on a page of its own."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import zerosum

ROOT = Path(__file__).parents[2]
CONFIGURATION = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
API = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "website" / "api").glob("*.md"))}
ELSEWHERE = ["CHANGELOG.md", "CONTRIBUTING.md", "RECORDS.md", "SECURITY.md", "benchmarks.md", "index.md", "shipped.md"]
BY_COMMAND = {"cli", "explore", "report", "run"}  # rooms that are entered by commands, or by names of the package


def leaves(entry: Any) -> Iterator[str]:
    """Yield the pages of the navigation, from top to bottom."""
    if isinstance(entry, str):
        yield entry
    for each in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
        yield from leaves(each)


def described() -> list[str]:
    """Return what the pages of docstrings describe."""
    return [name for text in API.values() for name in re.findall(r"^::: (\S+)$", text, re.MULTILINE)]


def test_each_page_is_in_the_navigation_once() -> None:
    docs = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    pages = [path.as_posix() for path in docs if not path.name.endswith(".template.md")]
    notebooks = [f"notebooks/{path.stem}.md" for path in (ROOT / "notebooks").glob("*.ipynb")]
    named = Counter(page for page in leaves(CONFIGURATION["nav"]) if not page.startswith("source/"))
    assert named == Counter([*pages, *notebooks, *ELSEWHERE, *(f"api/{path.name}" for path in API)])


def test_templates_and_scripts_are_no_pages() -> None:
    assert CONFIGURATION["exclude_docs"].split() == ["*.py", "*.template.md"]


def test_each_public_name_is_described() -> None:
    assert {f"zerosum.{name}" for name in zerosum.__all__} <= set(described())


def test_each_room_of_the_design_is_described() -> None:
    table = re.findall(r"^\| (`.+?) \| .+\|$", (ROOT / "docs" / "design.md").read_text(encoding="utf-8"), re.MULTILINE)
    rooms = {Path(name).parts[0].removesuffix(".py") for cell in table for name in re.findall(r"`([^`]+)`", cell)}
    assert len(rooms) > 20
    assert {f"zerosum.{room}" for room in rooms - BY_COMMAND} <= set(described())


@pytest.mark.parametrize("text", API.values(), ids=[path.stem for path in API])
def test_what_is_described_exists(text: str) -> None:
    for name in re.findall(r"^::: (\S+)$", text, re.MULTILINE):
        _, member = name.split(".")
        assert getattr(zerosum, member) is not None


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert CONFIGURATION["theme"]["font"] is False
    assert "offline" not in CONFIGURATION["plugins"]  # it takes a script from another server
    assert "://" not in json.dumps(CONFIGURATION)
