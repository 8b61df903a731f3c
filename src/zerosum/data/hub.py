"""Data sets of the Hugging Face hub, through `datasets` (the extra `hub`), which runs no code that comes with them."""

import functools
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from zerosum.data import Progress, Reader, Source, pack
from zerosum.data.files import Collection, Item
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError

PREFIX = "hub:"


class Hub(Reader):
    """A data set of the hub, or a copy of its repository on disk: the images of its training split."""

    summary: ClassVar[str] = "data sets of the Hugging Face hub (hub:OWNER/NAME, or hub:OWNER/NAME:CONFIGURATION)"

    def reads(self, data: str) -> bool:
        """By the prefix."""
        return data.startswith(PREFIX)

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Download the data set unless it was before, by `datasets`, and pack its images unless they were before."""
        name, _, configuration = data.removeprefix(PREFIX).partition(":")
        if not name:
            raise InputError(f"{data!r} names no data set; write {PREFIX}OWNER/NAME")
        found = _images(_training_split(_library(), name, configuration or None), data, preparation)
        return pack.source(found, name.rstrip("/").rpartition("/")[2], data, preparation, progress)


def _library() -> ModuleType:
    try:
        return importlib.import_module("datasets")
    except ImportError:
        raise InputError("data sets of the hub need one more package: pip install datasets") from None


def _training_split(library: ModuleType, name: str, configuration: str | None) -> Any:
    try:
        splits = library.load_dataset(name, configuration)
    except Exception as error:  # what it raises is not documented
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{PREFIX}{name} cannot be had: {reason}") from None
    return splits["train"] if "train" in splits else splits[next(iter(splits))]


def _images(rows: Any, data: str, preparation: Preparation) -> Collection:
    """An item for each row, by its first column of images; its class by its first column of class labels, if any."""
    kinds = {column: type(feature).__name__ for column, feature in rows.features.items()}
    image = next((column for column, kind in kinds.items() if kind == "Image"), None)
    if image is None:
        raise InputError(f"{data} has no column of images, but {', '.join(kinds)}")
    label = next((column for column, kind in kinds.items() if kind == "ClassLabel"), None)
    raw = rows.cast_column(image, type(rows.features[image])(decode=False)).select_columns([image])
    classes: list[str | None] = [None] * len(rows)
    if label is not None and preparation.labels == "auto":
        names = rows.features[label].names
        classes = [None if number is None or number < 0 else names[number] for number in rows[label]]
        if None in classes:
            classes = [None] * len(rows)
    return Collection(
        [
            Item(f"{number:06d}", rows._fingerprint, functools.partial(_read, raw, image, number), name)
            for number, name in enumerate(classes)
        ]
    )


def _read(rows: Any, column: str, number: int) -> bytes:
    """The image file as it is stored in the row.

    Raises:
        OSError: there is none.
    """
    stored = rows[number][column]
    if stored is None:
        raise OSError("it is missing")
    if stored["bytes"] is None:
        return Path(stored["path"]).read_bytes()
    return bytes(stored["bytes"])
