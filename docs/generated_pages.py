"""Shared by the scripts that make pages: fill templates, write pages, and check that they are up to date."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

DOCS = Path(__file__).parent
CHECKING = sys.argv[1:] == ["--check"]


def fill_template(name: str, parts: Mapping[str, str]) -> str:
    """Return docs/NAME.template.md with each `{{part}}` replaced by its text; `${{` stays."""
    template = (DOCS / f"{name}.template.md").read_text()
    return re.sub(r"(?<!\$)\{\{(.+?)\}\}", lambda match: parts[match[1]], template)


def write_or_check(name: str, make: Callable[[], str], folder: Path = DOCS) -> None:
    """Write NAME.md in a folder; if the program was called with --check, exit unless it is up to date."""
    page, text = folder / f"{name}.md", make()
    if not CHECKING:
        page.write_text(text)
    elif not page.exists() or page.read_text() != text:
        sys.exit(f"{page.relative_to(DOCS.parent)} is out of date: run 'make docs'")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, align: str = "---") -> str:
    """Write a table as Markdown; `align` is the rule below all columns but the first: `---`, or `---:` to the right."""
    rule = ["---", *(align for _ in heads[1:])]
    cells = [[cell.strip().replace("\n", ": ").replace("|", "\\|") for cell in row] for row in [heads, rule, *rows]]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)
