"""The bar of work that takes long."""

import io

import pytest
from rich.console import Console

from zerosum.cli._progress import shown
from zerosum.data import download


@pytest.mark.parametrize("terminal", [True, False])
def test_names_are_shown_as_they_are_and_only_in_terminals(terminal: bool) -> None:
    console, said = Console(file=io.StringIO(), force_terminal=terminal, width=80), download.progress
    with shown("opening [red]one", console) as progress:
        assert (download.progress is progress) == terminal
        progress("reading [bold]two", 1, 2)
    assert download.progress is said
    assert isinstance(console.file, io.StringIO)
    out = console.file.getvalue()
    assert ("opening [red]one" in out, "reading [bold]two" in out) == (terminal, terminal)
