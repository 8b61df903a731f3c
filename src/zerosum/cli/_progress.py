"""Where commands print, and the bar that shows how far long work is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from zerosum.data import Progress

SPEED_SECONDS = 120  # of work, by whose speed the time left is estimated: a step of slow features takes half a minute


def plain_console(**options: Any) -> Console:
    """Make a console that prints text as it is: no markup, no emoji names, no highlighting."""
    return Console(markup=False, emoji=False, highlight=False, **options)


@contextmanager
def show_progress(what: str, console: Console) -> "Iterator[Progress | None]":
    """Show a bar for work that begins with `what`, and remove it at the end; yield the function to tell progress to.

    Yield None where there is no terminal; whoever downloads then prints lines of its own.
    """
    if not console.is_terminal:
        yield None
        return
    with Bar(console=console, transient=True, speed_estimate_period=SPEED_SECONDS) as bar:
        task = bar.add_task(escape(what), total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=escape(what), completed=done, total=total)

        yield show
