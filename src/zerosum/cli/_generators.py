"""The generator that a command was given."""

from pathlib import Path

import typer

from zerosum.places import SHIPS, check_generator, find_shipped


def check(run: Path) -> None:
    """Refuse a place without a generator before any work, and say if it is one that ships with zerosum.

    Raises:
        InputError: there is neither a run nor a generator's file.
    """
    check_generator(run.expanduser())
    if find_shipped(run) is not None:
        typer.echo(f"{run}: {SHIPS}")
