"""A bar in the terminal for work of which it is known how far it is."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bar

from zerosum.data import Progress


@contextmanager
def shown(what: str, console: Console) -> Iterator[Progress | None]:
    """What to tell of work that begins with `what`: a bar that disappears at the end. Where there is no terminal, None.

    Who is given None and downloads says so by lines of its own.
    """
    if not console.is_terminal:
        yield None
        return
    with Bar(console=console, transient=True) as bar:
        task = bar.add_task(escape(what), total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=escape(what), completed=done, total=total)

        yield show
