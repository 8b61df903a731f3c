"""Folders of images, nested or not, with the archives in them."""

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from zerosum.data import Progress, Reader, Source, archive, pack
from zerosum.data.files import Item, Skipped, left_behind, reason, sort_out, stamp
from zerosum.data.idx import FILE
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError


class Folder(Reader):
    """A folder of images of any size and kind; folders in it are classes; its .zip files are read in place."""

    summary: ClassVar[str] = "folders of images (JPEG, PNG, WebP, BMP, TIFF, GIF)"

    def reads(self, data: str) -> bool:
        """Any folder that is not one of idx files, and not empty."""
        path = Path(data).expanduser()
        return path.is_dir() and any(path.iterdir()) and not any(FILE.match(entry.name) for entry in path.iterdir())

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Pack the images, unless that was done before."""
        path = Path(data).expanduser()
        if (path / "run.json").exists():
            raise InputError(f"{data} is a run, not data: 'zerosum resume {shlex.quote(data)}' goes on with it")
        return pack.source(sort_out(files(path), preparation), path.resolve().name, data, preparation, progress)


def files(root: Path) -> Iterator[Item | Skipped]:
    """Every file under `root`, also through links, each folder once; archives are opened, and runs left out.

    Raises:
        InputError: an archive is damaged.
    """
    seen: set[tuple[int, int]] = set()
    closed: list[OSError] = []
    for folder, folders, names in os.walk(root, followlinks=True, onerror=closed.append):
        about = Path(folder).stat()
        if (about.st_dev, about.st_ino) in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add((about.st_dev, about.st_ino))
        if "run.json" in names:  # its pictures were made, not found
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not left_behind(name))
        prefix = "" if Path(folder) == root else f"{Path(folder).relative_to(root).as_posix()}/"
        for name in names:
            if not left_behind(name):
                yield from _items(Path(folder, name), prefix + name)
    for error in closed:
        yield Skipped(Path(error.filename).relative_to(root).as_posix(), reason(error), broken=True)


def _items(path: Path, inside: str) -> Iterator[Item | Skipped]:
    """What the file at `path`, called `inside`, holds."""
    try:
        about = path.stat()
    except OSError:  # a link to nothing: reading it will say so
        yield Item(inside, "", path.read_bytes)
        return
    if not stat.S_ISREG(about.st_mode):  # a pipe or a device, which might never end
        return
    if path.suffix.lower() == ".zip":
        yield from archive.files(path, prefix=f"{inside[:-4]}/")
    else:
        yield Item(inside, stamp(about), path.read_bytes)
