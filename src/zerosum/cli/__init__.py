"""The command line. Each module here whose name has no underscore is one command: its function of the same name.

Nothing heavy is imported before a command runs, so that help answers at once.
"""

import errno
import importlib
import io
import os
import pkgutil
import sys
import time
from typing import Annotated

import typer

from zerosum.launch import is_follower

STARTED = time.monotonic()
# In the words of PyTorch, of Windows and of CUDA's libraries.
OUT_OF_MEMORY = "can't allocate memory", "out of memory", "not enough memory", "alloc_failed"
NO_ROOM = errno.ENOSPC, errno.EDQUOT, errno.EFBIG
USAGE = {  # what Typer says in the words of pydantic, and ours
    "Value error, ": "",
    "Input should be a valid integer, unable to parse string as an integer": "it must be a whole number",
    "Input should be a valid number, unable to parse string as a number": "it must be a number",
    "Input should be": "it must be a number",
}


def application() -> typer.Typer:
    """Build the application of every command that exists."""
    app = typer.Typer(
        name="zerosum",
        help="Train generative adversarial networks and be told the truth about them.",
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_before_any_command)
    for name in commands():
        word = name.replace("-", "_")
        app.command(name)(getattr(importlib.import_module(f"{__name__}.{word}"), word))
    return app


def commands() -> list[str]:
    """List the names of the commands: those of this folder's modules, with hyphens."""
    modules = (info.name for info in pkgutil.iter_modules(__path__))
    return sorted(name.replace("_", "-") for name in modules if not name.startswith("_"))


def main() -> None:
    """Run the command that was typed. An error is one line; its traceback shows with `--debug`."""
    for stream in (sys.stdout, sys.stderr):
        if sys.platform == "win32" and isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8")  # its code pages have no arrows
    try:
        if is_follower():
            _follow()
            sys.exit(0)
        sys.exit(application()(sys.argv[1:] or ["--help"], prog_name="zerosum", standalone_mode=False))
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        code, message = _explain(error)
        rank = os.environ.get("RANK", "0")
        sys.stderr.write(f"{'error' if rank == '0' else f'error in process {rank}'}: {message}\n")
        _end(code)


def _follow() -> None:
    """Be one of several processes that are not the first: play its run along, or leave other commands to it."""
    if {"train", "resume"}.intersection(sys.argv[1:3]):
        from zerosum.run.following import follow

        follow()


def _end(code: int) -> None:
    """End after an error; at once if it talks to other processes: the threads that do may abort in the end."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _explain(error: Exception) -> tuple[int, str]:
    """Return the exit code and the line for people."""
    from zerosum.errors import ZerosumError

    if isinstance(error, ZerosumError):
        return error.exit_code, str(error)
    if isinstance(error, MemoryError) or any(words in str(error).lower() for words in OUT_OF_MEMORY):
        return 1, "out of memory: make the images (--size), the networks, the batch or the number of samples smaller"
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        what = f"cannot write {error.filename or 'a file'}: {(error.strerror or 'no room').lower()}"
        return 1, f"{what}; make room, and a run goes on from its last checkpoint: 'zerosum resume RUN'"
    usage = getattr(error, "format_message", None)
    if usage is not None:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "zerosum"
        return 2, f"{_in_our_words(usage())}; see '{command} --help'"
    return 1, f"{type(error).__name__}: {error} (unexpected; 'zerosum --debug ...' shows where)"


def _in_our_words(usage: str) -> str:
    """Rephrase what Typer says of a value, in the words of pydantic."""
    for theirs, ours in USAGE.items():
        usage = usage.replace(theirs, ours)
    return usage.rstrip(".")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"zerosum {version('zerosum')}")
        raise typer.Exit


def _before_any_command(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass
