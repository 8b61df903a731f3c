"""Tables for the terminal."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from zerosum.export.scores import format_value
from zerosum.metrics import Score, list_warnings
from zerosum.metrics.by_class import ClassTable

SHORT = {"test": "test", "training": "train", "whole": "all", "statistics": "stats"}


def show_scores(scores: Mapping[str, Sequence[Score]], console: Console) -> None:
    """Print the scores of one thing or of several, by their names, with their protocol."""
    if len(scores) == 1:
        _show_one(next(iter(scores.values())), console)
    else:
        _compare(scores, console)


def _show_one(scores: Sequence[Score], console: Console) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("metric", "", "value", "95% interval", "real", "N", "against"):
        table.add_column(
            heading,
            justify="left" if heading in ("metric", "") else "right",
            no_wrap=heading in ("metric", "95% interval"),
            overflow="fold",
        )
    for score in scores:
        table.add_row(
            score.metric,
            direction(score.better),
            format_value(score.value),
            f"{format_value(score.low)} to {format_value(score.high)}",
            format_real(score),
            f"{score.samples:,}",
            f"{_count_reference(score)} {SHORT[score.reference.split()[0]]}",
        )
    console.print(table)
    _protocol(scores, console)
    _warn(scores, console)


def _compare(scores: Mapping[str, Sequence[Score]], console: Console) -> None:
    first = next(iter(scores.values()))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("metric", no_wrap=True)
    table.add_column("")
    for heading in scores:
        table.add_column(heading, justify="right", overflow="fold")
    table.add_column("real", justify="right")
    for rows in zip(*scores.values(), strict=True):
        values = (f"{format_value(row.value)}\n{format_value(row.low)} to {format_value(row.high)}" for row in rows)
        table.add_row(rows[0].metric, direction(rows[0].better), *values, format_real(rows[0]))
    console.print(table)
    counts = ", ".join(f"{name}: {max(line.samples for line in lines):,}" for name, lines in scores.items())
    console.print(f"Samples, at most: {counts}. Below each value its 95% interval.")
    _protocol(first, console)
    for name, lines in scores.items():
        _warn(lines, console, f" ({name})")


def show_classes(classes: ClassTable, console: Console, of: str = "") -> None:
    """Print a row for each class: how many there are, and each figure with its interval and that of real data."""
    figures = [score for score in find_columns(classes) if score.metric != "density"]
    table = Table(title=f"Class by class{of}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("class", overflow="fold")
    for heading in ("samples", "real images", *(_head(score) for score in figures)):
        table.add_column(heading, justify="right", overflow="fold")
    for row in classes.classes:
        cells = [format_in_class(score) for score in row.scores if score.metric != "density"] or ["too few"]
        table.add_row(row.name, f"{row.samples:,}", f"{row.reals:,}", *cells)
    console.print(table)
    console.print(
        f"In brackets what real images of the class score{describe_fewer(classes)}; below the 95% interval. The "
        "means are above."
    )


def _head(score: Score) -> str:
    """Name the figure of a column in words that a narrow one can break."""
    return f"{score.metric.replace('-', ' ')} {direction(score.better)}"


def describe_fewer(classes: ClassTable) -> str:
    """Say what the scores of real images must not be read for where they are fewer than the samples."""
    if all(score.real_samples in (0, score.samples) for row in classes.classes for score in row.scores):
        return ""
    return " (in some classes of another number than the samples, so a distance to them is no bound)"


def find_columns(classes: ClassTable) -> tuple[Score, ...]:
    """Return the scores of the first class that has some: each names a column."""
    return next(row.scores for row in classes.classes if row.scores)


def format_in_class(score: Score) -> str:
    """Format a score of a class: the value, what real images of the class score in brackets, and the interval below."""
    real = "" if score.real is None else f" ({format_value(score.real)})"
    return f"{format_value(score.value)}{real}\n{format_value(score.low)} to {format_value(score.high)}"


def _protocol(scores: Sequence[Score], console: Console) -> None:
    """Print how the first score was measured, and in what those were that differ from it."""
    first = scores[0]
    console.print(
        f"↓ lower is better, ↑ higher, → as real data. Features: {first.features}; resizer: {first.resizer}; "
        f"against the {first.reference}, seed {first.seed}. Intervals are of the finite samples"
        f"{_describe_real(scores)}.",
    )
    console.print(first.comparable)
    for line in list_others(scores):
        console.print(line)


def list_others(scores: Sequence[Score]) -> list[str]:
    """Say of the scores that were measured in something else than the first one, in what, a line for each."""
    measured: dict[str, list[str]] = {}
    for score in scores:
        in_what = f"{score.features}; resizer: {score.resizer}. {score.comparable}"
        measured.setdefault(in_what, []).append(score.metric)
    return [f"But {', '.join(metrics)}: {in_what}" for in_what, metrics in list(measured.items())[1:]]


def _count_reference(score: Score) -> str:
    """Format the number of real samples, which statistics of other programs do not tell."""
    return f"{score.reference_samples:,}" if score.reference_samples else "?"


def format_real(score: Score) -> str:
    """Format what real samples score, with their number in brackets where it is not that of the samples."""
    if score.real is None or score.real_samples in (0, score.samples):
        return format_value(score.real)
    return f"{format_value(score.real)} ({score.real_samples:,})"


def _describe_real(scores: Sequence[Score]) -> str:
    """Say which real samples the column is about, and what it must not be read for."""
    if all(each.real is None for each in scores):
        return ""
    halved = scores[0].reference.startswith("whole")
    words = "a part of the real samples against the rest" if halved else "real samples that are not in the reference"
    if any(each.real_samples not in (0, each.samples) for each in scores):
        words += (
            ", their number in brackets where it is another: fewer samples are further away, so such a value is "
            "no bound"
        )
    return f"; real: {words}"


def _warn(scores: Sequence[Score], console: Console, of: str = "") -> None:
    for warning in list_warnings(scores):
        console.print(f"Warning{of}: {warning}.")


def direction(better: str) -> str:
    """Return an arrow, or what the value should be above."""
    if better.startswith("above"):
        return better.replace("above ", ">")
    return {"lower": "↓", "higher": "↑"}.get(better, "→")
