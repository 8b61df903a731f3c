"""The bar of work that takes long."""

import io

from rich.console import Console

from zerosum.cli._progress import show_progress


def test_names_are_shown_as_they_are() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with show_progress("opening [red]one", console) as progress:
        assert progress is not None
        progress("reading [bold]two", 1, 2)
    assert isinstance(console.file, io.StringIO)
    out = console.file.getvalue()
    assert "opening [red]one" in out
    assert "reading [bold]two" in out


def test_there_is_no_bar_where_nobody_sees_it() -> None:
    console = Console(file=io.StringIO(), width=80)
    with show_progress("opening", console) as progress:
        assert progress is None
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == ""
