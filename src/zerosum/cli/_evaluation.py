"""Tell the terminal what an evaluation does, and what it found."""

import json
from contextlib import AbstractContextManager
from pathlib import Path

import typer
from rich.console import Console

from zerosum.cli._data import tell_files
from zerosum.cli._progress import show_progress
from zerosum.cli._tables import show_scores
from zerosum.data import Progress, Source
from zerosum.metrics.moments import Moments
from zerosum.run.candidate import Reporter
from zerosum.run.evaluate import EvaluationResult


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


def print_json(result: EvaluationResult) -> None:
    """Print a JSON line for each score."""
    for name, scores in result.scores.items():
        for score in scores:
            typer.echo(json.dumps({"of": name, **score.as_json()}))


def show_result(result: EvaluationResult, console: Console, pairs: Path | None) -> None:
    """Print the table of scores, what better features would need, and where the `pairs` are."""
    show_scores(result.scores, console)
    if result.advice:
        console.print(result.advice + ".")
    if pairs is not None:
        console.print(f"Nearest to training images: {pairs}", soft_wrap=True)


def show_reference(moments: Moments, path: Path, console: Console) -> None:
    """Print what was written to `path`, and how to use it."""
    console.print(
        f"{path}: mean and covariance of {len(moments.gaussian.mean):,} features of {moments.samples:,} images; "
        f"zerosum evaluate IMAGES --against {path}",
        soft_wrap=True,
    )
