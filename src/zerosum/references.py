"""The papers that components are taken from, as BibTeX.

A component says where it comes from in words, e.g. "Mescheder et al. 2018, eq. 9"; `references.bib` has the entries.
"""

import functools
import re
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Reference:
    """One entry of `references.bib`: its key, how the text calls it ("Lim & Ye 2017"), and the entry itself."""

    key: str
    name: str
    bibtex: str


@functools.cache
def references() -> tuple[Reference, ...]:
    """All of them, in the file's order, which is that of the years."""
    text = files("zerosum").joinpath("references.bib").read_text(encoding="utf-8")
    return tuple(_reference(entry.strip()) for entry in text.split("\n\n"))


def mentioned(text: str) -> tuple[Reference, ...]:
    """Those whose names occur in `text`."""
    return tuple(reference for reference in references() if reference.name in text)


def names(text: str) -> list[str]:
    """Everything in `text` that looks like a reference's name, known or not."""
    return re.findall(r"[A-Z][\w-]+(?: et al\.| & [A-Z][\w-]+)? (?:19|20)\d\d", text)


def _reference(entry: str) -> Reference:
    key = entry[entry.index("{") + 1 : entry.index(",")]
    families = [author.split(",")[0] for author in _field(entry, "author").split(" and ")]
    families = [_plain(family) for family in families]
    called = " & ".join(families) if len(families) <= 2 else f"{families[0]} et al."
    return Reference(key, f"{called} {_field(entry, 'year')}", entry)


def _field(entry: str, name: str) -> str:
    found = re.search(rf"^\s*{name} = \{{(.*)\}},$", entry, re.MULTILINE)
    assert found is not None, f"{name} is missing in {entry}"  # noqa: S101  # the file is part of the package
    return found[1]


def _plain(name: str) -> str:
    """A name as it is written in plain text, for the few accents there are."""
    for marked, letter in ((r"{\'a}", "á"), (r"{\'e}", "é"), (r"{\o}", "ø"), (r"{\i}", "i")):
        name = name.replace(marked, letter)
    return name
