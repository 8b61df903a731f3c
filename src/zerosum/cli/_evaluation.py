"""Tell the terminal what an evaluation does."""

from contextlib import AbstractContextManager

from rich.console import Console

from zerosum.cli._data import tell_files
from zerosum.cli._progress import show_progress
from zerosum.data import Progress, Source
from zerosum.run.candidate import Reporter


class ConsoleReporter(Reporter):
    """Shows each phase as a bar, and prints notes."""

    def __init__(self, console: Console) -> None:
        """Print to `console`."""
        self._console = console

    def phase(self, what: str) -> AbstractContextManager[Progress | None]:
        """Show a bar that begins with `what`."""
        return show_progress(what, self._console)

    def note(self, text: str) -> None:
        """Print the text."""
        self._console.print(text, soft_wrap=True)

    def files(self, source: Source) -> None:
        """Print which files were used and which were left out."""
        tell_files(source, self._console)
