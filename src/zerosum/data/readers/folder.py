"""Read folders of images, nested or not, with the archives in them."""

import functools
import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from zerosum.data.generated import HEAD
from zerosum.data.packs.collection import Collection, Item, Skipped, collect, explain, is_hidden, make_stamp
from zerosum.data.packs.pack import is_pack
from zerosum.data.preparation import Preparation
from zerosum.data.readers import archive
from zerosum.data.readers.files import ImageFiles
from zerosum.data.readers.idx import FILE
from zerosum.errors import InputError
from zerosum.run_folder import describes_run


class Folder(ImageFiles, name="folder"):
    """A folder of images of any size and kind; folders in it are classes; its .zip files are read in place."""

    summary: ClassVar[str] = "folders of images (JPEG, PNG, WebP, BMP, TIFF, GIF and others)"

    def reads(self, data: str) -> bool:
        """Recognise any folder that is not empty, no pack, and holds no idx files."""
        path = Path(data).expanduser()
        if not path.is_dir() or is_pack(path):
            return False
        names = [entry.name for entry in path.iterdir()]
        return bool(names) and not any(FILE.match(name) for name in names)

    def name(self, data: str) -> str:
        """Return the folder's name."""
        return Path(data).expanduser().resolve().name

    def find(self, data: str, preparation: Preparation) -> Collection:
        """List the images in it, also those in archives."""
        path = Path(data).expanduser()
        if (path / "run.json").is_file() and describes_run((path / "run.json").read_bytes()):
            raise InputError(f"{data} is a run, not data: 'zerosum resume {shlex.quote(data)}' goes on with it")
        return collect(list_files(path), preparation)


def list_files(root: Path) -> Iterator[Item | Skipped]:
    """List every file under `root`, also through links, each folder once; open archives.

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
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        prefix = "" if Path(folder) == root else f"{Path(folder).relative_to(root).as_posix()}/"
        for name in names:
            if not is_hidden(name):
                yield from _list_items(Path(folder, name), prefix + name)
    for error in closed:
        yield Skipped(Path(error.filename).relative_to(root).as_posix(), explain(error), broken=True)


def _list_items(path: Path, name: str) -> Iterator[Item | Skipped]:
    """List the file at `path` under its `name` inside the data, or the files in it if it is an archive."""
    try:
        about = path.stat()
    except OSError:  # a link to nothing: reading it will say so
        yield Item(name, "", path.read_bytes)
        return
    if not stat.S_ISREG(about.st_mode):  # a pipe or a device, which might never end
        return
    if path.suffix.lower() == ".zip":
        yield from archive.list_files(path, prefix=f"{name[:-4]}/")
    else:
        yield Item(name, make_stamp(about), path.read_bytes, head=functools.partial(_read_head, path))


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)
