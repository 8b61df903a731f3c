"""`zerosum theory`: what the paper proves, measured."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from zerosum.demonstrations import Demonstration, Findings, Table


def theory(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="What to demonstrate; without, a list.")] = None,
    out: Annotated[Path, typer.Option(help="The folder for NAME.png and, where it moves, NAME.gif.")] = Path(),
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same samples and trainings.")] = 0,
) -> None:
    """Demonstrate a claim of the paper by measuring it: a table, a picture and what they say, within a minute."""
    from zerosum import names
    from zerosum.errors import InputError

    if name is not None:
        names.check_demonstration(name)
    elif out != Path():
        raise InputError(
            f"--out {out} is for the pictures of one demonstration: name it, or leave --out out for a list"
        )
    from zerosum import catalog
    from zerosum.cli._progress import plain_console
    from zerosum.demonstrations import Demonstration
    from zerosum.export import samples

    if name is None:
        _print_list(catalog.choices(Demonstration), plain_console())
        return
    demonstration = catalog.lookup(Demonstration, name)()
    _create_folder(out)
    for suffix in (".png", ".gif"):
        samples.check_free(out / f"{name}{suffix}")
    findings = _show_on_one_thread(demonstration, seed)
    _print_findings(demonstration, findings, plain_console())
    typer.echo("\n" + " and ".join(str(path) for path in _write_pictures(findings, out, name)))


def _print_list(known: "dict[str, type[Demonstration]]", console: "Console") -> None:
    from rich.table import Table

    table = Table("name", "what it shows", "from")
    for name, demonstration in known.items():
        table.add_row(name, demonstration.claim, demonstration.paper)
    console.print(table)


def _create_folder(folder: Path) -> None:
    """Create the folder, before any work is done.

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


def _show_on_one_thread(demonstration: "Demonstration", seed: int) -> "Findings":
    """Measure on one thread: the networks are so small that more would wait for each other, and round differently."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return demonstration.show(seed)
    finally:
        torch.set_num_threads(threads)


def _print_findings(demonstration: "Demonstration", findings: "Findings", console: "Console") -> None:
    console.print(f"{demonstration.paper}: {demonstration.claim}.")
    console.print(f"\n{findings.opening}\n")
    for table in findings.tables:
        console.print(f"{table.title}:")
        _print_table(table, console)
    for number, note in enumerate(findings.notes):
        console.print(note if number == 0 else f"\n{note}")


def _print_table(table: "Table", console: "Console") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as Printed

    printed = Printed(box=SIMPLE_HEAD, pad_edge=False)
    for heading, spec in table.columns.items():
        printed.add_column(heading.strip(), justify="right" if spec else "left")
    for row in table.format_rows():
        printed.add_row(*row)
    console.print(printed)


def _write_pictures(findings: "Findings", folder: Path, name: str) -> list[Path]:
    """Write the picture and the movie, and return where they lie.

    Raises:
        InputError: they cannot be written.
    """
    from zerosum.atomic import write_atomically
    from zerosum.errors import InputError

    contents = {folder / f"{name}.png": findings.picture}
    if findings.movie is not None:
        contents[folder / f"{name}.gif"] = findings.movie
    for path, content in contents.items():
        try:
            write_atomically(path, content)
        except OSError as error:
            raise InputError(f"cannot write to {path}: {error.strerror}") from None
    return list(contents)
