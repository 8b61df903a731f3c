"""Tables for the terminal."""

from collections.abc import Sequence

from rich.table import Table

from zerosum.record import Line


def scores_table(scores: Sequence[Line]) -> Table:
    """Scores with their protocol."""
    first = scores[0]
    table = Table(
        caption=f"in the features {first['features']}, against the {first['reference']}; 95% bootstrap intervals, "
        f"seed {first['seed']}",
        caption_justify="left",
    )
    for heading in ("metric", "value", "interval", "samples", "reference", "better"):
        table.add_column(heading, justify="left" if heading in ("metric", "better") else "right")
    for score in scores:
        table.add_row(
            score["metric"],
            f"{score['value']:.3f}",
            f"{score['low']:.3f} to {score['high']:.3f}",
            f"{score['samples']:,}",
            f"{score['reference_samples']:,}",
            score["better"],
        )
    return table
