"""Read zip archives of images in place; nothing is ever extracted."""

import functools
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import ClassVar

from zerosum.data.generated import HEAD
from zerosum.data.packs.collection import Collection, Item, Skipped, collect, make_stamp
from zerosum.data.preparation import Preparation
from zerosum.data.readers.files import ImageFiles
from zerosum.errors import InputError

MOST_BYTES = 500_000_000  # of one entry, unpacked
MOST_OPEN = 16  # a folder may hold thousands of archives; they are read one after the other
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others decompress without a limit
FAILURES = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError)
LEADS_OUT = re.compile(r"/|[A-Za-z]:|(.*/)?\.\.(/|$)", re.DOTALL)


class Archive(ImageFiles, name="archive"):
    """A .zip of images; folders in it are classes."""

    summary: ClassVar[str] = ".zip archives of images"

    def reads(self, data: str) -> bool:
        """Recognise the file's extension."""
        return Path(data).suffix.lower() == ".zip" and Path(data).expanduser().is_file()

    def name(self, data: str) -> str:
        """Return the archive's name without its extension."""
        return Path(data).stem

    def find(self, data: str, preparation: Preparation) -> Collection:
        """List the images in it."""
        return collect(list_files(Path(data).expanduser()), preparation)


def list_files(path: Path, prefix: str = "") -> Iterator[Item | Skipped]:
    """List every file in the archive, its name after `prefix`; reading an unusable one raises an OSError that says why.

    Raises:
        InputError: it is no zip archive, or its directory is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries, stamp = archive.infolist(), make_stamp(path.stat())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except FAILURES as error:
        raise InputError(f"{path} is no zip archive, or is damaged: {error}") from None
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if LEADS_OUT.match(name):
            yield Skipped(prefix + name, "its name leads out of the archive", broken=True)
        elif name and not name.endswith("/"):
            read = functools.partial(_read, path, stamp, entry)
            yield Item(prefix + name, stamp, read, head=functools.partial(_read_head, path, stamp, entry))


@functools.lru_cache(maxsize=MOST_OPEN)
def _open(path: Path, stamp: str) -> tuple[zipfile.ZipFile, Lock]:
    """Open the archive that has the `stamp`, with a lock, as several threads share its file."""
    del stamp
    return zipfile.ZipFile(path), Lock()


def _read(path: Path, stamp: str, entry: zipfile.ZipInfo) -> bytes:
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise OSError("it is a link")
    if entry.flag_bits & 1:
        raise OSError("it is encrypted")
    if entry.compress_type not in METHODS:
        raise OSError("it is compressed in a way that is not read; 'store' and 'deflate' are")
    if entry.file_size > MOST_BYTES:
        raise OSError(f"it would unpack to {entry.file_size:,} bytes")
    content = _read_part(path, stamp, entry, entry.file_size + 1)
    if len(content) != entry.file_size:
        raise OSError("it is not as large as the archive says")
    return content


def _read_head(path: Path, stamp: str, entry: zipfile.ZipInfo) -> bytes:
    usable = entry.compress_type in METHODS and not entry.flag_bits & 1
    return _read_part(path, stamp, entry, HEAD) if usable else b""


def _read_part(path: Path, stamp: str, entry: zipfile.ZipInfo, size: int) -> bytes:
    try:
        archive, lock = _open(path, stamp)
        with lock, archive.open(entry) as file:
            return file.read(size)
    except FAILURES as error:
        raise OSError(f"its entry in the archive is damaged: {error}") from None
