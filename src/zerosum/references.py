"""Papers that components are taken from, as BibTeX.

A component names its source in words, e.g. "Mescheder et al. 2018, eq. 9"; `references.bib` has the entries.
"""

import functools
import re
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Reference:
    """One entry of `references.bib`: its key, its name in texts ("Lim & Ye 2017"), and the entry itself."""

    key: str
    name: str
    bibtex: str


@functools.cache
def load_references() -> tuple[Reference, ...]:
    """Load all references, in the file's order, which is by year."""
    text = files("zerosum").joinpath("references.bib").read_text(encoding="utf-8")
    return tuple(_parse(entry.strip()) for entry in text.split("\n\n"))


def find_references(text: str) -> tuple[Reference, ...]:
    """Find the references whose names occur in `text`."""
    return tuple(reference for reference in load_references() if reference.name in text)


def find_names(text: str) -> list[str]:
    """Find everything in `text` that looks like a reference's name, known or not."""
    return re.findall(r"[A-Z][\w-]+(?: et al\.| & [A-Z][\w-]+)? (?:19|20)\d\d", text)


def _parse(entry: str) -> Reference:
    key = entry[entry.index("{") + 1 : entry.index(",")]
    families = [_to_unicode(author.split(",")[0]) for author in _read_field(entry, "author").split(" and ")]
    authors = " & ".join(families) if len(families) <= 2 else f"{families[0]} et al."
    return Reference(key, f"{authors} {_read_field(entry, 'year')}", entry)


def _read_field(entry: str, name: str) -> str:
    found = re.search(rf"^\s*{name} = \{{(.*)\}},$", entry, re.MULTILINE)
    assert found is not None, f"{name} is missing in {entry}"  # noqa: S101  # the file is part of the package
    return found[1]


def _to_unicode(name: str) -> str:
    """Replace the LaTeX accents that occur in `references.bib` by Unicode letters."""
    for marked, letter in ((r"{\'a}", "á"), (r"{\'e}", "é"), (r"{\o}", "ø"), (r"{\i}", "i")):
        name = name.replace(marked, letter)
    return name
