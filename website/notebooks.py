"""Show a notebook as a page: its text, its code, and its formulas as MathML, which needs no script."""

import json
import re
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.pages import Page

BLOCK = re.compile(r"\$\$(.+?)(?:\\tag\{(\w+)\})?\s*\$\$", re.DOTALL)
INLINE = re.compile(r"(?<![\\$`])\$([^$`\n]+)\$")
HINT = "*This page is [{name}](../{place}) without outputs. Open the file in Jupyter or Colab to run it.*"


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Write the cells of a notebook as Markdown; leave other pages as they are."""
    if not page.file.src_uri.startswith("notebooks/"):
        return markdown
    cells = json.loads(markdown)["cells"]
    title, *parts = [show_cell(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    name = page.file.name + ".ipynb"
    return "\n\n".join([title, HINT.format(name=name, place=f"notebooks/{name}"), *parts])


def show_cell(kind: str, source: str) -> str:
    """Write one cell as Markdown."""
    if kind == "code":
        return f"```python\n{source}\n```"
    text = BLOCK.sub(lambda found: show_block(*found.groups()), source)
    return INLINE.sub(lambda found: f"<span>{convert(found[1])}</span>", text)  # <math> alone would begin a block


def show_block(formula: str, number: str | None) -> str:
    """Write a formula that stands by itself, with its number in the paper."""
    numbered = f"<span>({number})</span>" if number else ""
    return f'<div class="formula">{convert(formula, display="block")}{numbered}</div>'
