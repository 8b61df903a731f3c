"""Image files, wherever they lie: what a folder or an archive hands over to be decoded."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple

EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"})
HIDDEN = ("__MACOSX", "Thumbs.db", "desktop.ini")


class Box(NamedTuple):
    """A rectangle in pixels of the image as stored: left and top inside, right and bottom outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Item:
    """One image to be: a file, or a box in one.

    Attributes:
        name: its path inside the data, with slashes.
        stamp: what changes when the file does, e.g. its size and time, or a checksum.
        read: its bytes; may raise OSError, or anything an archive's library raises.
        label: the name of its class.
        box: the part of the image that is meant; None is all of it.
    """

    name: str
    stamp: str
    read: Callable[[], bytes] = field(compare=False)
    label: str | None = None
    box: Box | None = None


@dataclass
class Collection:
    """What was found.

    Attributes:
        items: the image files, sorted by name.
        problems: (name, reason) of files that are images by their names but cannot be taken.
        ignored: how many other files there are, by extension.
    """

    items: list[Item] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


def is_image(name: str) -> bool:
    """Whether a file is an image by its name."""
    return PurePosixPath(name).suffix.lower() in EXTENSIONS


def is_hidden(name: str) -> bool:
    """Whether a file is one that operating systems leave behind, or hidden."""
    return any(part.startswith(".") or part in HIDDEN for part in PurePosixPath(name).parts)


def classes_of(items: list[Item]) -> list[str | None]:
    """The class of each item by the folder it lies in: if all lie in folders of the first level, of which there are two
    or more, one folder deep; a folder around everything is looked through. Else None for each.
    """
    parts = [PurePosixPath(item.name).parts for item in items]
    while parts and len({each[0] for each in parts}) == 1 and all(len(each) > 1 for each in parts):
        parts = [each[1:] for each in parts]
    named = all(len(each) == 2 for each in parts) and len({each[0] for each in parts}) > 1
    return [each[0] if named else None for each in parts]
