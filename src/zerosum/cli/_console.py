"""Where commands print: what users name is printed as it is, although rich would read `[this]` as markup."""

from typing import Any

from rich.console import Console


def plain(**options: Any) -> Console:
    """A console that takes nothing in a text for markup, for the name of an emoji, or for something to colour."""
    return Console(markup=False, emoji=False, highlight=False, **options)
