"""The option `--data-dir`, which all commands share that open a standard set by its name."""

import os
from pathlib import Path
from typing import Annotated

import typer


def _remember(folder: Path | None) -> Path | None:
    if folder is not None:
        if not folder.is_dir():
            raise typer.BadParameter(f"{folder} is not a folder")
        os.environ["ZEROSUM_DATA"] = str(folder.absolute())
    return folder


DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        callback=_remember,
        help="Where copies of standard sets lie, and new ones are put; default: $ZEROSUM_DATA, or the cache.",
    ),
]
