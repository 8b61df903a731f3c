"""Which functions of a package are called, in this process and in those that it starts."""

import atexit
import os
import sys
from pathlib import Path
from types import FrameType


class Calls:
    """The functions of a package that were called while this was installed as the tracer.

    Attributes:
        functions: each as "file qualified.name", the outermost one where they are nested.
    """

    def __init__(self, package: Path) -> None:
        """`package`: its folder."""
        self.prefix = f"{package}/"
        self.functions: set[str] = set()

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """Note a call; whatever happens inside of it is not traced."""
        code = frame.f_code
        if code.co_filename.startswith(self.prefix):
            self.functions.add(f"{code.co_filename[len(self.prefix) :]} {code.co_qualname.split('.<locals>')[0]}")


def follow(package: Path, folder: Path) -> None:
    """Trace this process to its end, and then write the functions to a file of its own in `folder`."""
    calls = Calls(package)
    sys.settrace(calls)
    atexit.register(lambda: (folder / str(os.getpid())).write_text("\n".join(calls.functions), encoding="utf-8"))


def follow_children(package: Path, folder: Path, root: Path) -> None:
    """Have every Python that finds the folder of the `package` on its path followed; `root` is the checkout's."""
    folder.mkdir()
    (package.parent / "sitecustomize.py").write_text(
        "import pathlib, sys\n"
        f"sys.path.append({str(root)!r})\n"
        "from tests.mutants.trace import follow\n"
        f"follow(pathlib.Path({str(package)!r}), pathlib.Path({str(folder)!r}))\n",
        encoding="utf-8",
    )


def collect(folder: Path) -> set[str]:
    """Take the functions that processes which have ended called."""
    found: set[str] = set()
    for file in folder.iterdir():
        found.update(file.read_text(encoding="utf-8").splitlines())
        file.unlink()
    return found
