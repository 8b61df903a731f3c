"""Make a site of the repository as it lies here: mkdocs calls what begins with `on_`.

Pages that lie outside of docs/ get a place on the site, links lead from page to page, and files that have no page, such
as a test or a file of results, are shown as they are once something links to them.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pymdownx.slugs import slugify

ROOT = Path(__file__).parents[1]
PAGES = {  # of the repository, and their places on the site; all in docs/ keep theirs
    "README.md": "index.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "RECORDS.md": "RECORDS.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "SECURITY.md": "SECURITY.md",
    "benchmarks/README.md": "benchmarks.md",
    "src/zerosum/shipped/README.md": "shipped.md",
    **{f"notebooks/{path.name}": f"notebooks/{path.stem}.md" for path in sorted(ROOT.glob("notebooks/*.ipynb"))},
    **{f"website/api/{path.name}": f"api/{path.name}" for path in sorted(ROOT.glob("website/api/*.md"))},
}
FOLDERS = {
    "benchmarks": "benchmarks.md",
    "benchmarks/records": "benchmarks.md",
    "benchmarks/results": "benchmarks.md",
    "notebooks": "notebooks/the-paper-in-an-hour.md",
}
ROOMS = {  # of the package, and the page that describes each
    name: place
    for page, place in PAGES.items()
    if place.startswith("api/")
    for name in re.findall(r"^::: (zerosum\.\w+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
}
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r'(\]\(|src="|href=")(?![a-z]+:)([^)\s"#]+)')


def on_config(config: MkDocsConfig) -> None:
    """Let headings have the anchors that viewers of repositories give them."""
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages outside of docs/, the files that any page links to, and the style sheet."""
    for source, place in PAGES.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    files.append(File.generated(config, "website/site.css", abs_src_path=str(ROOT / "website" / "site.css")))
    for notebook in ROOT.glob("notebooks/*.ipynb"):
        files.append(File.generated(config, f"notebooks/{notebook.name}", abs_src_path=str(notebook)))
    for place in sorted(set(find_linked(files))):
        if place.startswith("source/"):
            files.append(File.generated(config, place, content=show_source(place)))


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Lead links to places on the site."""
    here = page.file.src_uri

    def lead(found: re.Match[str]) -> str:
        place = resolve(found[2], here)
        return found[0] if place is None else found[1] + posixpath.relpath(place, posixpath.dirname(here) or ".")

    return map_text(markdown, lambda text: LINK.sub(lead, text))


def map_text(markdown: str, change: Callable[[str], str]) -> str:
    """Change what is not code."""
    parts = FENCE.split(markdown)
    return "".join(part if number % 2 else change(part) for number, part in enumerate(parts))


def find_linked(files: Files) -> Iterator[str]:
    """Find where links of all pages lead."""
    for file in files.documentation_pages():
        for text in FENCE.split(file.content_string)[::2]:
            for found in LINK.finditer(text):
                yield resolve(found[2], file.src_uri) or ""


def resolve(target: str, here: str) -> str | None:
    """Return the place on the site that `target` means on the page at `here`; None if the repository has no such."""
    origin = next((source for source, place in PAGES.items() if place == here), f"docs/{here}")
    place = posixpath.normpath(posixpath.join(posixpath.dirname(origin), target))
    if place in PAGES:
        return PAGES[place]
    if place.startswith("docs/"):
        return place.removeprefix("docs/")
    if module := find_module(place):
        return module
    if (ROOT / place).is_file():
        return f"source/{place}.md"
    return FOLDERS.get(place)


def find_module(place: str) -> str | None:
    """Return where a module or package is described, if it is."""
    parts = Path(place).with_suffix("").parts
    if parts[:2] != ("src", "zerosum") or len(parts) < 3:
        return None
    page = ROOMS.get(".".join(parts[1:3]))
    return page and f"{page}#{'.'.join(parts[1:])}"


def show_source(place: str) -> str:
    """Write a page that shows a file."""
    path = place.removeprefix("source/").removesuffix(".md")
    text = (ROOT / path).read_text(encoding="utf-8")
    language = "python" if path.endswith(".py") else "text"
    return f"---\ntitle: {path}\nsearch:\n  exclude: true\n---\n\n# {path}\n\n````{language}\n{text}\n````\n"
