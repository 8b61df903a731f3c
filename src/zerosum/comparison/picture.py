"""The curves of a comparison: the Fréchet distance over iterations and seconds, its mean and its range over seeds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zerosum.comparison.groups import FRECHET, Comparison, Group
from zerosum.comparison.runs import Run
from zerosum.records import ScoreRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours that people with any kind of colour vision tell apart (Okabe and Ito 2008); marks and dashes tell them apart
# in gray.
STYLES = (
    ("#0072B2", "o", "-"),
    ("#D55E00", "s", "--"),
    ("#009E73", "^", "-."),
    ("#CC79A7", "D", ":"),
    ("#000000", "v", "-"),
    ("#E69F00", "P", "--"),
    ("#56B4E9", "X", "-."),
)
SPAN = 10  # the largest distance over the smallest, from which on the axis is logarithmic


def draw(comparison: Comparison) -> "Figure":
    """Draw the curves of all groups."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.8), layout="constrained")
    grid: Any = figure.subplots(1, 2, sharey=True)
    counts = set[int]()
    for group, style in zip(comparison.groups, STYLES * len(comparison.groups), strict=False):
        for axes, over_time in zip(grid, (False, True), strict=True):
            counts |= _draw_group(axes, group, style, over_time=over_time)
    for axes, label in zip(grid, ("iterations", "seconds of training"), strict=True):
        axes.set_xlabel(label)
        axes.grid(alpha=0.3)
        axes.margins(x=0.07)  # for the letters
        axes.set_xlim(left=0)
    _draw_real(grid, comparison)
    _scale(grid[0], comparison)
    grid[0].set_ylabel("Fréchet distance (lower is better)")
    figure.suptitle(f"Line: mean over the seeds; band: from the best to the worst. {_say_samples(counts)}", fontsize=10)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _say_samples(counts: set[int]) -> str:
    """Say of how many samples the scores are; of more samples, the distance is smaller by itself."""
    least, *more = sorted(counts) or [0]
    words = f"Scores of {least:,} samples"
    return f"{words}, not joined to those of {' and '.join(f'{each:,}' for each in more)}." if more else f"{words}."


def _draw_group(axes: "Axes", group: Group, style: tuple[str, str, str], *, over_time: bool) -> set[int]:
    """Draw a curve for each number of samples: the distance falls with it. Return the numbers."""
    colour, mark, dashes = style
    histories = [_distances(run) for run in group.runs]
    counts = sorted({each.score.samples for history in histories for each in history})
    label: str | None = f"{group.letter}: {', '.join(place.name for place in group.places)} ({_seeds(group)})"
    for count in counts:
        rows = [[each for each in history if each.score.samples == count] for history in histories]
        length = min(map(len, rows))
        if length == 0:
            continue
        places = [
            [_place(run, each.step, over_time=over_time) for each in row[:length]] for run, row in _both(group, rows)
        ]
        values = np.array([[each.score.value for each in row[:length]] for row in rows])
        x, mean = np.mean(places, axis=0), values.mean(axis=0)
        axes.plot(x, mean, color=colour, marker=mark, linestyle=dashes, label=label)
        if length > 1:
            axes.fill_between(x, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
        else:
            axes.vlines(x, values.min(axis=0), values.max(axis=0), color=colour, linewidth=3, alpha=0.4)
        if label is not None:
            axes.annotate(
                group.letter, (x[-1], mean[-1]), (7, 0), textcoords="offset points", color=colour, va="center"
            )
        label = None
    return set(counts)


def _both(group: Group, rows: Sequence[list[ScoreRecord]]) -> list[tuple[Run, list[ScoreRecord]]]:
    return list(zip(group.runs, rows, strict=True))


def _seeds(group: Group) -> str:
    return "1 seed" if len(group.runs) == 1 else f"{len(group.runs)} seeds"


def _distances(run: Run) -> list[ScoreRecord]:
    return [each for each in run.scores if each.score.metric in FRECHET]


def _place(run: Run, step: int, *, over_time: bool) -> float:
    """Return where on the axis the score after `step` lies."""
    return float(np.interp(step, *run.clock)) if over_time else float(step)


def _draw_real(grid: Sequence["Axes"], comparison: Comparison) -> None:
    """Draw what real samples score, where it is known and of as many samples."""
    score = next((score for name, score in comparison.first.runs[0].final.items() if name in FRECHET), None)
    if score is None or score.real is None or score.real_samples != score.samples:
        return
    for axes in grid:
        axes.axhline(score.real, color="0.4", linewidth=1, linestyle=(0, (1, 3)), label="real samples")


def _scale(axes: "Axes", comparison: Comparison) -> None:
    values = [each.score.value for run in comparison.runs for each in _distances(run)]
    if values and min(values) > 0 and max(values) > SPAN * min(values):
        from matplotlib.ticker import LogFormatter

        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(LogFormatter())  # 600, not 6 x 10^2
        axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    else:
        axes.set_ylim(bottom=0)
