"""`zerosum data`: what is in there, and what training would see."""

from typing import Annotated

import typer


def data(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="'digits', a toy ('ring', 'grid', 'gaussian'), or a path: idx files, .npz, .npy.",
        ),
    ],
) -> None:
    """Say what DATA holds and which recipe `train` would choose. Reads only."""
    from rich.console import Console
    from rich.table import Table

    from zerosum.data import open_source
    from zerosum.recipes import auto

    source = open_source(data)
    table = Table(show_header=False)
    table.add_row("name", source.name)
    table.add_row(
        "samples", f"{'images' if source.is_images else 'points'}, {' x '.join(str(side) for side in source.shape)}"
    )
    table.add_row("to train on", f"{len(source.train):,}")
    table.add_row("kept for testing", f"{len(source.test):,}")
    if source.train.labels is not None:
        counts = source.train.labels.bincount(minlength=len(source.class_names)).tolist()
        table.add_row(
            "classes", ", ".join(f"{name}: {n:,}" for name, n in zip(source.class_names, counts, strict=True))
        )
    table.add_row("fingerprint", source.fingerprint)
    table.add_row("recipe", auto.choose(source).name)
    Console().print(table)
