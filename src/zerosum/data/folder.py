"""Folders of images, nested or not, with the archives in them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from zerosum.data import Progress, Reader, Source, archive, pack
from zerosum.data.files import Item, sort_out
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
            raise InputError(f"{data} is a run, not data: 'zerosum resume {data}' goes on with it")
        return pack.source(sort_out(files(path), preparation), path.resolve().name, data, preparation, progress)


def files(root: Path) -> Iterator[Item]:
    """Every file under `root`, also through links, each folder once; archives are opened."""
    seen: set[tuple[int, int]] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        about = Path(folder).stat()
        if (about.st_dev, about.st_ino) in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add((about.st_dev, about.st_ino))
        for name in names:
            path = Path(folder, name)
            inside = path.relative_to(root).as_posix()
            try:
                about = path.stat()
            except OSError:  # a link to nothing: reading it will say so
                yield Item(inside, "", path.read_bytes)
                continue
            if path.suffix.lower() == ".zip":
                yield from archive.files(path, prefix=f"{inside[:-4]}/")
            elif path.is_file():
                yield Item(inside, f"{about.st_size} {about.st_mtime_ns}", path.read_bytes)
