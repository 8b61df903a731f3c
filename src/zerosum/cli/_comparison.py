"""Say what a comparison found: a table, and a sentence for each group."""

import shlex
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from zerosum.cli._tables import direction, format_real, list_others
from zerosum.comparison.differences import MOST_SEEDS, detectable_deviations
from zerosum.comparison.groups import FRECHET, Comparison, Contrast, Group
from zerosum.export.scores import format_value
from zerosum.metrics import Score, list_warnings
from zerosum.metrics.statistics import ConfidenceInterval

WARNED = 3  # reasons not to trust a score
SHOWN = 8  # differences of recipes, in a line
ENOUGH = (3, 5, 10)  # seeds of each, of which it is said what they show
LEAST_P = 0.001
SMALL = 0.01
BETTER = {"lower", "higher"}


def show_comparison(comparison: Comparison, console: Console) -> None:
    """Print who is compared, the table, and the sentences."""
    for group in comparison.groups:
        for line in describe_group(group, comparison):
            console.print(line, soft_wrap=True)
    for line in comparison.left_out:
        console.print(f"Left out   {line}", soft_wrap=True)
    if comparison.unshared:
        console.print(f"Left out   {', '.join(comparison.unshared)}: not measured in every run", soft_wrap=True)
    for note in comparison.notes:
        console.print(note, soft_wrap=True)
    show_table(comparison, console)
    for sentence in conclude(comparison):
        console.print(sentence)


def show_group(comparison: Comparison, console: Console) -> None:
    """Print the means over the seeds of one recipe."""
    for line in comparison.left_out:
        console.print(f"Left out   {line}", soft_wrap=True)
    show_table(comparison, console)


def describe_group(group: Group, comparison: Comparison) -> list[str]:
    """Say which runs a group has, and what its recipe has other than that of the first."""
    recipe = group.runs[0].about["recipe"]
    places = ", ".join(map(str, group.places))
    lines = [
        f"{group.letter}  {places}: recipe {recipe['name']}, {_count(len(group.runs), 'seed')} "
        f"({', '.join(map(str, group.seeds))}), {_steps(group)} iterations"
    ]
    if group.differences:
        more = len(group.differences) - SHOWN
        shown = "; ".join(group.differences[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
        lines.append(f"   other than {comparison.first.letter} ({comparison.first.letter} vs {group.letter}): {shown}")
    if group.diverged:
        lines.append(
            f"   {len(group.diverged)} of {len(group.runs) + len(group.diverged)} runs diverged "
            f"({', '.join(map(str, group.diverged))}): what is said of {group.letter} is said of those that did not"
        )
    return lines


def _steps(group: Group) -> str:
    counts = sorted({run.steps for run in group.runs})
    return f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"


def show_table(comparison: Comparison, console: Console) -> None:
    """Print each metric's mean in each group, the differences to the first group, and how they were found."""
    first, *others = comparison.groups
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("metric", overflow="fold")
    table.add_column("")
    for group in comparison.groups:
        table.add_column(f"{group.letter if others else 'mean'} (n={len(group.runs)})", justify="right")
    for group in others:
        table.add_column(f"{group.letter} - {first.letter}", justify="right")
        table.add_column("p", justify="right")
    table.add_column("real", justify="right")
    for metric in comparison.metrics:
        score = comparison.score(metric)
        cells = [_cell(group.interval(metric)) for group in comparison.groups]
        for group in others:
            cells += _contrast_cells(comparison.contrast(metric, group))
        table.add_row(metric, direction(score.better), *cells, format_real(score))
    console.print(table)
    for line in _explain(comparison):
        console.print(line)


def _cell(interval: ConfidenceInterval) -> str:
    if interval.low == interval.high:
        return f"{format_figure(interval.value)}\nin every run"
    return f"{format_figure(interval.value)}\n{_span(interval)}"


def _span(interval: ConfidenceInterval) -> str:
    return f"{format_figure(interval.low)} to {format_figure(interval.high)}"


def _contrast_cells(contrast: Contrast) -> list[str]:
    found = contrast.difference
    if found is None or contrast.corrected is None:
        return ["", ""]
    sign = "+" if found.interval.value > 0 else ""
    span = _span(found.interval) if found.has_spread else "no spread"
    return [f"{sign}{format_figure(found.interval.value)}\n{span}", _p(contrast.corrected)]


def format_figure(value: float | None) -> str:
    """Format a value as other tables do, but with two digits where these would show one or none."""
    return f"{value:.2g}" if value is not None and 0 < abs(value) < SMALL else format_value(value)


def _p(value: float) -> str:
    return f"<{LEAST_P}" if value < LEAST_P else f"{value:.3f}"


def _explain(comparison: Comparison) -> list[str]:
    """Say what the columns are, and how the scores were measured."""
    first, score = comparison.first.letter, comparison.score(comparison.metrics[0])
    several = any(len(group.runs) > 1 for group in comparison.groups)
    lines = ["↓ lower is better, ↑ higher, → as real data."]
    if several:
        lines[0] += (
            " Below each mean its 95% interval over seeds (Student's t): where the mean over many seeds lies, of the "
            "same recipe on the same data."
        )
    if any(len(group.runs) == 1 for group in comparison.groups):
        lines[0] += " Of one run, below its score the 95% interval of the finite samples: the seed varies more."
    if comparison.tests:
        lines.append(
            f"Below each difference to {first} its 95% interval (Welch); p: how often chance alone gives as much"
            + (
                f", corrected for the {comparison.tests} comparisons of the table (Holm)."
                if comparison.tests > 1
                else "."
            )
        )
    others = list_others([comparison.score(metric) for metric in comparison.metrics])
    return [*lines, _protocol(score), *others, *_warn(comparison)]


def _warn(comparison: Comparison) -> list[str]:
    """List the first reasons not to trust some scores, and how many more there are."""
    found = [
        f"Warning ({group.letter}, seed {run.seed}): {warning}."
        for group in comparison.groups
        for run in group.runs
        for warning in list_warnings(run.final[metric] for metric in comparison.metrics)
    ]
    more = len(found) - WARNED
    return [*found[:WARNED], *([f"And {more} such warnings more: see the runs' reports."] if more > 0 else [])]


def _protocol(score: Score) -> str:
    return (
        f"Scores at the end of each run. Features: {score.features}; resizer: {score.resizer}; against the "
        f"{score.reference}, {score.samples:,} samples of seed {score.seed}."
    )


def conclude(comparison: Comparison) -> list[str]:
    """Say in plain sentences how each group compares with the first, and whether by more than chance."""
    first, *others = comparison.groups
    if not others:
        return [f"All runs are of one recipe: there is nothing to compare {first.letter} with.", *_one_seed([first])]
    sentences = [sentence for group in others for sentence in _conclude_one(comparison, first, group)]
    return sentences + _one_seed([group for group in comparison.groups if len(group.runs) == 1])


def _conclude_one(comparison: Comparison, first: Group, group: Group) -> list[str]:
    main, *rest = (comparison.contrast(metric, group) for metric in comparison.metrics)
    if main.difference is None:
        return []
    sentences = [_sentence(main, comparison.score(main.metric), first, group)]
    clear = [_brief(each, comparison.score(each.metric)) for each in rest if each.is_clear]
    if clear:
        sentences.append(f"More than chance too: {group.letter} is {', '.join(clear)}.")
    if unclear := [name_metric(each.metric) for each in rest if not each.is_clear]:
        sentences.append(f"Not more than chance between {first.letter} and {group.letter}: {', '.join(unclear)}.")
    return sentences


def _sentence(contrast: Contrast, score: Score, first: Group, group: Group) -> str:
    """Say how two groups compare in one metric."""
    found = contrast.difference
    if found is None or contrast.corrected is None:
        return ""
    where, over = f"On {name_metric(contrast.metric)}, ", f"over {len(first.runs)} and {len(group.runs)} seeds"
    if not found.has_spread:
        return f"{where}{_without_spread(contrast, found.interval.value, first, group)} ({over})."
    amount = ConfidenceInterval(abs(found.interval.value), *sorted(_along(found.interval)))
    words = f"{where}{group.letter} {_verb(found.interval.value, score)} {first.letter} by {_amount(amount)}"
    if contrast.is_clear:
        return f"{words}: more than chance {over} (p {_p(contrast.corrected)})."
    if contrast.is_clear_alone:
        return (
            f"{words}: more than chance {over} if this metric was chosen beforehand (p {_p(found.p)}), not if it is "
            f"one of all in the table (p {_p(contrast.corrected)})."
        )
    return (
        f"{where}{first.letter} and {group.letter} differ by {_amount(amount)}: not more than chance {over} "
        f"(p {_p(contrast.corrected)}). {_limits(contrast, first, group)}"
    )


def _along(interval: ConfidenceInterval) -> tuple[float, float]:
    """Return the ends of the interval in the direction of its value."""
    sign = -1 if interval.value < 0 else 1
    return sign * interval.low, sign * interval.high


def _amount(amount: ConfidenceInterval) -> str:
    return f"{format_figure(amount.value)} ({_span(amount)})"


def _verb(difference: float, score: Score) -> str:
    """Say what it means that a group's figure is larger, or smaller, by `difference`."""
    if score.better in BETTER:
        return "is better than" if (difference > 0) == (score.better == "higher") else "is worse than"
    return "is above" if difference > 0 else "is below"


def _limits(contrast: Contrast, first: Group, group: Group) -> str:
    """Say which difference so few seeds would have shown, and how many would show one such as this."""
    found = contrast.difference
    if found is None:
        return ""
    few = (
        f"With {len(first.runs)} and {len(group.runs)} seeds a true difference below {format_figure(found.detectable)}"
    )
    words = f"{few} is missed more than one time in five"
    if found.seeds is None or found.seeds <= min(len(first.runs), len(group.runs)):
        return f"{words}."
    number = f"more than {MOST_SEEDS:,}" if found.seeds >= MOST_SEEDS else f"about {found.seeds:,}"
    return f"{words}; {number} seeds of each would show one as large as this."


def _without_spread(contrast: Contrast, difference: float, first: Group, group: Group) -> str:
    if difference == 0:
        return f"{first.letter} and {group.letter} are the same in every run"
    clear = "more" if contrast.is_clear else "not more"
    return (
        f"{group.letter} is {'above' if difference > 0 else 'below'} {first.letter} by "
        f"{format_figure(abs(difference))} in every run: {clear} than chance, by an exact permutation"
    )


def _brief(contrast: Contrast, score: Score) -> str:
    found = contrast.difference
    if found is None:
        return ""
    value = found.interval.value
    word = _verb(value, score).removeprefix("is ").removesuffix(" than")
    return f"{word} on {name_metric(contrast.metric)} by {format_figure(abs(value))}"


def _one_seed(groups: Sequence[Group]) -> list[str]:
    """Say what one seed cannot tell, and how many would."""
    alone = [group for group in groups if len(group.runs) == 1]
    if not alone:
        return []
    letters = " and ".join(group.letter for group in alone)
    shown = ", ".join(f"with {seeds} seeds of each one of {detectable_deviations(seeds):.1f}" for seeds in ENOUGH)
    run = alone[0].runs[0]
    length = f"--minutes {run.minutes:g}" if run.minutes else f"--steps {run.steps}"
    what = f"{shlex.quote(run.about['data'])} --recipe {shlex.quote(str(run.path))} {length}"
    return [
        f"{letters}: one seed only. The intervals are of the finite samples; another seed of the same recipe varies by "
        "more, so whether a difference is more than chance cannot be said. Four times in five a difference shows "
        f"{shown} standard deviations over seeds. For two more seeds of {alone[0].letter}: zerosum train {what} --seed "
        f"{run.seed + 1} --seeds 2"
    ]


def name_metric(metric: str) -> str:
    """Return a metric's name as it stands in a sentence."""
    return "Fréchet distance" if metric in FRECHET[:1] else metric.replace("-", " ")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
