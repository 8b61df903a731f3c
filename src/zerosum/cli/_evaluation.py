"""Tell the terminal what an evaluation does, and what it found."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from zerosum.cli._data import tell_files
from zerosum.cli._progress import show_progress
from zerosum.cli._tables import show_classes, show_scores
from zerosum.data import Progress, Source
from zerosum.errors import InputError, ScoreFailed
from zerosum.evaluation.candidate import Reporter
from zerosum.evaluation.evaluate import EvaluationResult
from zerosum.export import scores as scores_as
from zerosum.metrics.conditions import Condition, list_failures
from zerosum.metrics.moments import Moments

TERMINAL = "-"
PAGES = (".html", ".htm")


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


@dataclass(frozen=True)
class Outputs:
    """What becomes of the scores besides a table.

    Attributes:
        json: where to write JSON lines; `-` is the terminal.
        junit: where to write JUnit's XML.
        markdown: where to write Markdown.
        report: where to write a page with images to look at.
        conditions: what the command should fail on.
    """

    json: str | None
    junit: Path | None
    markdown: Path | None
    report: Path | None
    conditions: Sequence[Condition]

    @classmethod
    def check(
        cls,
        json: str | None,
        junit: Path | None,
        markdown: Path | None,
        report: Path | None,
        conditions: Sequence[str],
        metrics: Sequence[str],
        *,
        by_class: bool,
    ) -> "Outputs":
        """Read the conditions and refuse files that cannot be written, before any work.

        Raises:
            InputError: see there.
        """
        places = [Path(json) if json not in (None, TERMINAL) else None, junit, markdown, report]
        files = [place for place in places if place is not None]
        if report is not None and report.suffix.lower() not in PAGES:
            raise InputError(f"cannot write a page to {report}: its name must end in .html")
        for file in files:
            scores_as.check_destination(file)
        if len({file.absolute() for file in files}) < len(files):
            raise InputError("--json, --junit, --markdown and --report need files of their own")
        read = [Condition.parse(each, metrics, by_class=by_class) for each in conditions]
        return cls(json, junit, markdown, report, read)

    @property
    def to_terminal(self) -> bool:
        """Whether JSON lines are printed instead of a table."""
        return self.json == TERMINAL

    def write(self, result: EvaluationResult) -> None:
        """Write the files, then fail if a condition holds.

        Raises:
            ScoreFailed: a condition holds; the message says which.
            InputError: a file cannot be written, or the figure of a condition was not measured.
        """
        scores = result.scores
        if self.report is not None:
            from zerosum.report import evaluation as page  # with Jinja

            page.write(self.report, result.against, scores, result.examples, result.classes)
        self.write_json(scores_as.to_json(scores, result.classes))
        failures = list_failures(self.conditions, scores)
        if self.junit is not None:
            scores_as.write(scores_as.to_junit(scores, self.conditions), self.junit)
        if self.markdown is not None:
            scores_as.write(scores_as.to_markdown(scores, self.conditions), self.markdown)
        if failures:
            raise ScoreFailed("; ".join(failures))

    def write_json(self, lines: str) -> None:
        """Print the lines or write them to the file, whichever was asked for, if any.

        Raises:
            InputError: the file cannot be written.
        """
        if self.to_terminal:
            typer.echo(lines, nl=False)
        elif self.json is not None:
            scores_as.write(lines, Path(self.json))


def show_result(result: EvaluationResult, console: Console, pairs: Path | None, report: Path | None) -> None:
    """Print the table of scores, what better features would need, and where the `pairs` and the `report` are."""
    show_scores(result.scores, console)
    for name, table in result.classes.items():
        show_classes(table, console, f" of {name}" if len(result.classes) > 1 else "")
    if result.advice:
        console.print(result.advice + ".")
    if pairs is not None:
        console.print(f"Nearest to training images: {pairs}", soft_wrap=True)
    if report is not None:
        console.print(f"The scores with images to look at: {report}", soft_wrap=True)


def show_reference(moments: Moments, path: Path, console: Console) -> None:
    """Print what was written to `path`, and how to use it."""
    console.print(
        f"{path}: mean and covariance of {len(moments.gaussian.mean):,} features of {moments.samples:,} images; "
        f"zerosum evaluate IMAGES --against {path}",
        soft_wrap=True,
    )
