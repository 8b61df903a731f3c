"""`zerosum theory`: what the paper proves, measured."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from zerosum.demonstrations import Demonstration, Shown, Table


def theory(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="What to demonstrate; without, a list.")] = None,
    out: Annotated[Path, typer.Option(help="The folder for NAME.png and, where it moves, NAME.gif.")] = Path(),
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same samples and trainings.")] = 0,
) -> None:
    """Demonstrate a claim of the paper by measuring it: a table, a picture and what they say, within a minute."""
    from zerosum import catalog
    from zerosum.cli._console import plain
    from zerosum.demonstrations import Demonstration

    if name is None:
        _list(catalog.choices(Demonstration), plain())
        return
    demonstration = catalog.lookup(Demonstration, name)()
    _prepare(out)
    shown = _alone(demonstration, seed)
    _print(demonstration, shown, plain())
    typer.echo("\n" + " and ".join(str(path) for path in _written(shown, out, name)))


def _list(known: "dict[str, type[Demonstration]]", console: "Console") -> None:
    from rich.table import Table

    table = Table("name", "what it shows", "from")
    for name, demonstration in known.items():
        table.add_row(name, demonstration.claim, demonstration.paper)
    console.print(table)


def _prepare(folder: Path) -> None:
    """Make the folder, before any work is done.

    Raises:
        InputError: it cannot be made, or nothing can be written in it.
    """
    import os

    from zerosum.errors import InputError

    if folder.suffix in (".png", ".gif") and not folder.is_dir():
        raise InputError(f"--out names the folder for the pictures, not a picture: {folder.parent} instead of {folder}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = "it is not a folder" if folder.exists() else error.strerror
        raise InputError(f"cannot write to {folder}: {why}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"cannot write to {folder}: permission denied")


def _alone(demonstration: "Demonstration", seed: int) -> "Shown":
    """On one thread: the networks are so small that more would wait for each other, and round differently."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return demonstration.show(seed)
    finally:
        torch.set_num_threads(threads)


def _print(demonstration: "Demonstration", shown: "Shown", console: "Console") -> None:
    console.print(f"{demonstration.paper}: {demonstration.claim}.")
    console.print(f"\n{shown.opening}\n")
    for table in shown.tables:
        console.print(f"{table.title}:")
        _tabulate(table, console)
    for number, remark in enumerate(shown.remarks):
        console.print(remark if number == 0 else f"\n{remark}")


def _tabulate(table: "Table", console: "Console") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as Printed

    printed = Printed(box=SIMPLE_HEAD, pad_edge=False)
    for heading, spec in table.columns.items():
        printed.add_column(heading.strip(), justify="right" if spec else "left")
    for row in table.written():
        printed.add_row(*row)
    console.print(printed)


def _written(shown: "Shown", folder: Path, name: str) -> list[Path]:
    """Where the picture and the movie lie now.

    Raises:
        InputError: they cannot be written.
    """
    from zerosum.errors import InputError
    from zerosum.record import write_atomically

    contents = {folder / f"{name}.png": shown.picture}
    if shown.movie is not None:
        contents[folder / f"{name}.gif"] = shown.movie
    for path, content in contents.items():
        try:
            write_atomically(path, content)
        except OSError as error:
            raise InputError(f"cannot write to {path}: {error.strerror}") from None
    return list(contents)
