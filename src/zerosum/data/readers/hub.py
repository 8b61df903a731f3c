"""Read data sets of the Hugging Face hub through `datasets` (the extra `hub`), which runs no code of theirs."""

import functools
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from zerosum.data.packs.collection import Collection, Item
from zerosum.data.preparation import LABEL_FILES, Preparation
from zerosum.data.readers.files import ImageFiles
from zerosum.errors import InputError

PREFIX = "hub:"


class Hub(ImageFiles, name="hub"):
    """A data set of the hub, or a copy of its repository on disk: the images of its training split."""

    summary: ClassVar[str] = "data sets of the Hugging Face hub (hub:OWNER/NAME, or hub:OWNER/NAME:CONFIGURATION)"

    def reads(self, data: str) -> bool:
        """Recognise the prefix."""
        return data.startswith(PREFIX)

    def name(self, data: str) -> str:
        """Return the last word of the data set's name."""
        return _divide(data)[0].rstrip("/").rpartition("/")[2]

    def find(self, data: str, preparation: Preparation) -> Collection:
        """Download the data set by `datasets`, unless it was done before, and list its images."""
        name, configuration = _divide(data)
        if not name:
            raise InputError(f"{data!r} names no data set; write {PREFIX}OWNER/NAME")
        return _list_images(_load_training_split(_import_datasets(), name, configuration), data, preparation)


def _divide(data: str) -> tuple[str, str | None]:
    """Divide what the user typed into the data set's name and its configuration, if one is named."""
    name, _, configuration = data.removeprefix(PREFIX).partition(":")
    return name, configuration or None


def _import_datasets() -> ModuleType:
    try:
        return importlib.import_module("datasets")
    except ImportError:
        raise InputError("data sets of the hub need one more package: pip install datasets") from None


def _load_training_split(library: ModuleType, name: str, configuration: str | None) -> Any:
    try:
        splits = library.load_dataset(name, configuration)
    except Exception as error:  # what it raises is not documented
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{PREFIX}{name} cannot be had: {reason}") from None
    return splits["train"] if "train" in splits else splits[next(iter(splits))]


def _list_images(rows: Any, data: str, preparation: Preparation) -> Collection:
    """Make an item of each row, from the first columns of images and, if there is one, of class labels."""
    kinds = {column: type(feature).__name__ for column, feature in rows.features.items()}
    image = next((column for column, kind in kinds.items() if kind == "Image"), None)
    if image is None:
        raise InputError(f"{data} has no column of images, but {', '.join(kinds)}")
    label = next((column for column, kind in kinds.items() if kind == "ClassLabel"), None)
    raw = rows.cast_column(image, type(rows.features[image])(decode=False)).select_columns([image])
    classes, notes = list[str | None]([None] * len(rows)), list[str]()
    if preparation.labels.endswith(LABEL_FILES):
        raise InputError(f"data.labels={preparation.labels} is about files: {data} brings its labels, or none")
    if label is not None and preparation.labels != "none":
        names = rows.features[label].names
        classes = [None if number is None or number < 0 else names[number] for number in rows[label]]
        notes = [f"classes: the column {label}; --set data.labels=none ignores it"]
        if None in classes:
            classes, notes = [None] * len(rows), [f"classes: none, as not every image has one in the column {label}"]
    return Collection(
        [
            Item(f"{number:06d}", rows._fingerprint, functools.partial(_read, raw, image, number), name)
            for number, name in enumerate(classes)
        ],
        notes=notes,
    )


def _read(rows: Any, column: str, number: int) -> bytes:
    """Return the image file as it is stored in the row.

    Raises:
        OSError: the row has no image.
    """
    stored = rows[number][column]
    if stored is None:
        raise OSError("it is missing")
    if stored["bytes"] is None:
        return Path(stored["path"]).read_bytes()
    return bytes(stored["bytes"])
