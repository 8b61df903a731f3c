"""Show what more samples would bring, or write it for programs."""

import json

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from zerosum.cli._evaluation import Outputs
from zerosum.evaluation.pilot import NARROW, Plan
from zerosum.export.scores import format_value
from zerosum.metrics.pilot import APART, MOST

WORDS = (
    "± half a 95% interval, of the finite samples: at most that, for distances of sets that are alike. Bias: how far "
    "the value lies above that of infinitely many samples. Time: all features, those of the real samples too (unless "
    f"they are kept from before), and the metrics, as fast as now. Told from real: where {APART:.2f} half widths are "
    "less than the gap between the pilot's value and its floor."
)
ENOUGH = (
    f"None: more than {MOST:,}, or more real samples. In brackets: the pilot does not tell them from real ones; so "
    "many would, if its gap is right."
)


def tell_plan(plan: Plan, outputs: Outputs, console: Console) -> None:
    """Print the plan as tables, or as JSON lines if these are to go to the terminal; write them if they have a file.

    Raises:
        InputError: the file cannot be written.
    """
    if not outputs.to_terminal:
        show_plan(plan, console)
    outputs.write_json("".join(f"{json.dumps(line)}\n" for line in plan.to_records()))


def show_plan(plan: Plan, console: Console) -> None:
    """Print the half widths, the bias and the time for several numbers of samples, and which number is enough."""
    limit = plan.available if plan.available is not None else MOST
    console.print(
        f"An estimate from a pilot of {plan.pilot:,} samples, {plan.pilot:,} real ones and {plan.pilot:,} others for "
        f"the floor; no score. Features: {plan.features}. {plan.name} would be compared with {plan.reals:,} real "
        f"samples, the {plan.against}.",
        soft_wrap=True,
    )
    console.print(_tabulate_counts(plan, limit))
    console.print(_tabulate_enough(plan, limit))
    console.print(f"{ENOUGH} {WORDS}", soft_wrap=True)
    if plan.warning:
        console.print(f"Warning: {plan.warning}.", soft_wrap=True)


def _tabulate_counts(plan: Plan, limit: int) -> Table:
    """Make a column for each number of samples; numbers first, so that it fits a narrow terminal."""
    counts = plan.counts
    table = Table("samples", box=SIMPLE_HEAD, pad_edge=False)
    for count in counts:
        table.add_column(f"{count:,}{'*' if count > limit else ''}", justify="right")
    for each in plan.forecasts:
        if each.metric.biased:
            table.add_row(each.estimate.metric, *(format_value(each.value(count)) for count in counts))
            table.add_row("its bias", *(format_value(each.bias(count)) for count in counts))
        table.add_row(f"± {each.estimate.metric}", *(format_value(each.half_width(count)) for count in counts))
    table.add_row("time", *(_shorten(plan.seconds(count)) for count in counts))
    if any(count > limit for count in counts):
        table.caption, table.caption_justify = f"* more than the {limit:,} that are there", "left"
    return table


def _shorten(seconds: float) -> str:
    """Write a time as briefly as a column needs: 42 s, 3.3 min, 2.1 h."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return _round(seconds / size, unit)
    return _round(seconds, "s")


def _round(number: float, unit: str) -> str:
    """Write a number in two digits, or those before the point if they are more."""
    return f"{number:.0f} {unit}" if number >= 10 else f"{number:.2g} {unit}"


def _tabulate_enough(plan: Plan, limit: int) -> Table:
    table = Table("figure", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("pilot", "real", f"± {NARROW:.0%} from", "told from real from"):
        table.add_column(heading, justify="right")
    for each in plan.forecasts:
        apart = _name_count(each.find_apart(), plan.pilot, limit)
        table.add_row(
            each.estimate.metric,
            f"{format_value(each.estimate.value)} ± {format_value(each.estimate.half_width)}",
            format_value(each.estimate.real),
            _name_count(each.find_narrow(NARROW), plan.pilot, limit),
            apart if each.is_clear else f"({apart})",
        )
    return table


def _name_count(count: int | None, pilot: int, limit: int) -> str:
    """Write from which number of samples on, rounded up to two digits, as a forecast knows no more."""
    if count is None:
        return "none"
    if count <= pilot:
        return f"{pilot:,} or fewer"
    unit = 10 ** (len(str(count)) - 2)
    rounded = -(-count // unit) * unit
    return f"{rounded:,}{'*' if rounded > limit else ''}"
