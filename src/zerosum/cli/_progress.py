"""A bar in the terminal for work of which it is known how far it is."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bar

from zerosum.data import Progress, download


@contextmanager
def shown(what: str, console: Console) -> Iterator[Progress]:
    """What to tell of work that begins with `what`. The bar disappears at the end, and is only in terminals."""
    said = download.progress
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(escape(what), total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=escape(what), completed=done, total=total)

        if console.is_terminal:  # the bar's place is where downloads would count
            download.progress = show
        try:
            yield show
        finally:
            download.progress = said
