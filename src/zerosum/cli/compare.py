"""`zerosum compare`: whether recipes differ by more than chance, over their seeds."""

from pathlib import Path
from typing import Annotated

import typer


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Runs' folders, or those of all runs of 'train --seeds'."),
    ],
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            help="Compare only this; repeatable. Fewer comparisons need less correction: choose them before you look.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Draw the Fréchet distance over iterations and over seconds, to this .png.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all figures, as JSON.")
    ] = None,
) -> None:
    """Compare the final scores of several recipes over their seeds, and say what is more than chance.

    Runs of the same recipe that differ in their seed are one group; each group is compared with that of the first RUN.

    All runs must have the same data, the same protocol, and the same number of iterations or of --minutes; the others
    are left out, and it is said why.
    """
    from zerosum.cli._progress import plain_console
    from zerosum.comparison.writing import check_json, write_json
    from zerosum.export import samples

    if out is not None:
        samples.check_picture(out)
    if json_file is not None:
        check_json(json_file)
    from zerosum.cli._comparison import show_comparison
    from zerosum.comparison.groups import compare as compare_runs

    console = plain_console()
    found = compare_runs([run.expanduser() for run in runs], metrics or ())
    show_comparison(found, console)
    if out is not None:
        from zerosum.atomic import write_atomically
        from zerosum.comparison.picture import draw
        from zerosum.export.pictures import encode_figure

        write_atomically(out, encode_figure(draw(found), 110))
        console.print(f"Curves: {out}", soft_wrap=True)
    if json_file is not None:
        write_json(found, json_file)
        console.print(f"Figures: {json_file}", soft_wrap=True)
