"""Which class is each image of? What a file of labels says, or the folders that the images lie in, or nothing.

Folders are there for many reasons; those that look like a camera's, a date's or a storage's are no classes. What was
decided, and why, is said in a note.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from statistics import median
from typing import Any, NamedTuple

from zerosum.data.preparation import LABEL_FILES
from zerosum.errors import InputError

TABLES = ("dataset.json", "labels.json", "labels.csv", "labels.tsv", "metadata.csv")  # the first that is there counts
NAME_COLUMNS = ("file_name", "filename", "file", "image", "image_name", "image_id", "path", "filepath", "name", "id")
LABEL_COLUMNS = ("label", "labels", "class", "class_name", "category", "target", "breed", "species", "y")
SHOWN = 4
LEAST_PER_CLASS = 2  # half of the folders hold at most so many: then they are ids
USE_FOLDERS = "--set data.labels=folders uses them all the same"

ROLES = re.compile(
    r"(jpeg)?images?|imgs?|jpegs|pictures|photos|pics|masks?|labels|annotations|trimaps|gt|ground_?truth|segmentations?|"
    r"depth|edges|thumbnails|thumbs|previews|raw|edited|originals?|small|large|crop(s|ped)|train(ing)?|test(ing)?|"
    r"val(id|idation)?|unlabell?ed|extra",
    re.IGNORECASE,
)
WORDS = (
    r"part|shard|chunk|batch|block|bucket|split|volume|vol|disc|disk|roll|tar|archive|images?|imgs?|photos?|pictures?|pics?|"
    r"(new.)?folder|dir|data|session|scan|album|export|untitled"
)
KINDS: dict[str, re.Pattern[str]] = {
    "look like a camera's": re.compile(r"\d{3}(?=\d*[A-Z_])[A-Z0-9_]{5}", re.IGNORECASE),
    "look like dates": re.compile(
        r"(19|20)\d\d([-_. ]?(0[1-9]|1[0-2])([-_. ]?([0-2]\d|3[01])(\D.*)?)?)?|\d\d[-_.]\d\d[-_.](19|20)?\d\d",
        re.DOTALL,
    ),
    "look like a storage's, numbered": re.compile(r"0\d{2,}|\d{4,}"),
    "look like parts of one set, numbered": re.compile(rf"({WORDS})[-_. (]*\d*\)?", re.IGNORECASE),
    "look like hashes": re.compile(r"(?=[0-9a-f-]*\d)[0-9a-f]{8}[0-9a-f-]*|[0-9a-f]{2}", re.IGNORECASE),
}
PAIRS = "look like hashes"


class NotATable(Exception):
    """A file that does not say the classes of images; the text is the reason, to be read after its name."""


class Image(NamedTuple):
    """An image's name in the data, and the parts of it that are below folders around all images and those of splits."""

    name: str
    parts: tuple[str, ...]


class Classes(NamedTuple):
    """The class of each image, None for all where there are no classes; and why, a sentence for people, or nothing."""

    labels: list[str | None]
    note: str


def find_classes(images: Sequence[Image], tables: dict[str, Callable[[], bytes]], wanted: str) -> Classes:
    """Find the class of each of the `images`.

    Args:
        images: at least one.
        tables: how to read the files called like one of `TABLES`, by their names in the data.
        wanted: `auto`, `folders`, `none` or the path of a file of labels.

    Raises:
        InputError: folders or a file were asked for, and do not give every image a class.
    """
    nothing: list[str | None] = [None] * len(images)
    if wanted == "none" or not images:
        return Classes(nothing, "")
    if wanted.endswith(LABEL_FILES):
        return _use_file(images, Path(wanted))
    if wanted == "folders":
        return _use_folders(images)
    for called in TABLES:
        of_this_name = {name: read for name, read in tables.items() if PurePosixPath(name).name == called}
        if of_this_name:
            try:
                return _use_tables(images, of_this_name, called)
            except NotATable as error:
                why = f"classes: none, as {called} {error}; --set data.labels=FILE names another, =folders uses folders"
                return Classes(nothing, why)
    return _judge_folders(images)


def judge_names(counts: Counter[str]) -> str:
    """Say why folders of these names, each with so many images, are no classes; empty if they may be."""
    half = len(counts) / 2
    if all(ROLES.fullmatch(name) for name in counts):
        return "say what their images are for"
    for reason, pattern in KINDS.items():
        like = [name for name in counts if pattern.fullmatch(name)]
        if len(like) > half and not (reason == PAIRS and _are_few_words(like)):
            return reason
    if all(name.isdecimal() for name in counts) and len(counts) >= 50 and len({len(name) for name in counts}) == 1:
        return "look like a storage's, numbered"
    if median(counts.values()) <= LEAST_PER_CLASS and len(counts) > 2:
        return f"hold at most {LEAST_PER_CLASS} images each, half of them, as those of persons or scans do"
    return ""


def _are_few_words(names: list[str]) -> bool:
    """Return whether short names are rather words or numbers (`10`, `ab`) than the first letters of hashes."""
    short = [name for name in names if len(name) == 2]
    mixed = any(name.isdecimal() for name in short) and any(not name.isdecimal() for name in short)
    return len(short) == len(names) and not mixed


def describe(counts: Counter[str]) -> str:
    """List classes with their numbers of images, the first ones if there are many."""
    words = [f"{name} ({counts[name]:,})" for name in sort_classes(counts)]
    more = f" and {len(words) - SHOWN:,} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more


def sort_classes(names: "set[str] | Counter[str]") -> list[str]:
    """Sort the names of classes: by value if all are numbers, as 2 before 10."""
    numbers = all(name.isascii() and name.isdecimal() for name in names)
    return sorted(names, key=lambda name: (int(name) if numbers else 0, name))


def _judge_folders(images: Sequence[Image]) -> Classes:
    nothing: list[str | None] = [None] * len(images)
    if all(len(image.parts) == 1 for image in images):
        return Classes(nothing, "")
    if outside := [image.name for image in images if len(image.parts) != 2]:
        return Classes(
            nothing,
            f"classes: none, as not all images lie in folders side by side, e.g. {outside[0]}; --set "
            "data.labels=folders takes the outermost folders, =FILE the names and labels in a .json or .csv file",
        )
    counts = Counter(image.parts[0] for image in images)
    if reason := judge_names(counts):
        names = ", ".join(sorted(counts)[:SHOWN]) + (" ..." if len(counts) > SHOWN else "")
        return Classes(nothing, f"classes: none; the folders {names} {reason}; {USE_FOLDERS}")
    note = f"classes: the folders {describe(counts)}; --set data.labels=none ignores them"
    return Classes([image.parts[0] for image in images], note)


def _use_folders(images: Sequence[Image]) -> Classes:
    outside = [image.name for image in images if len(image.parts) < 2]
    if outside:
        raise InputError(
            f"data.labels=folders, but {len(outside):,} of {len(images):,} images lie in no folder that tells them "
            f"apart, e.g. {outside[0]}: move them, or use data.labels=none or a .json or .csv file of names and labels"
        )
    counts = Counter(image.parts[0] for image in images)
    return Classes([image.parts[0] for image in images], f"classes: the folders {describe(counts)}")


def _use_file(images: Sequence[Image], file: Path) -> Classes:
    try:
        found = _match(images, _read_table(file.name, file.read_bytes()) or [], PurePosixPath())
        return _label(images, found, file.name)
    except OSError as error:
        raise InputError(f"data.labels: {file} cannot be read: {error.strerror or error}") from None
    except NotATable as error:
        raise InputError(f"data.labels: {file} {error}") from None


def _use_tables(images: Sequence[Image], tables: dict[str, Callable[[], bytes]], called: str) -> Classes:
    """Use what the files of one name say together; names in each begin at its own folder."""
    found: dict[str, str] = {}
    for name, read in tables.items():
        folder = PurePosixPath(name).parent
        try:
            table = _read_table(called, read())
        except OSError as error:
            raise NotATable(f"cannot be read: {error.strerror or error}") from None
        if table is None:
            raise NotATable("says that there are no labels")
        inside = [image for image in images if folder in PurePosixPath(image.name).parents]
        found |= _match(inside, table, folder)
    classes = _label(images, found, called)
    counts = Counter(label for label in classes.labels if label is not None)
    if median(counts.values()) < LEAST_PER_CLASS:
        raise NotATable("gives most images a label of their own")
    return classes._replace(note=f"{classes.note}; --set data.labels=none ignores them")


def _label(images: Sequence[Image], found: dict[str, str], where: str) -> Classes:
    missing = [image.name for image in images if image.name not in found]
    if missing:
        raise NotATable(f"gives {len(missing):,} of {len(images):,} images no label, e.g. {missing[0]}")
    counts = Counter(found[image.name] for image in images)
    if len(counts) == 1:
        raise NotATable(f"gives all images the same label, {next(iter(counts))}")
    return Classes([found[image.name] for image in images], f"classes: the labels in {where}: {describe(counts)}")


def _match(images: Sequence[Image], table: list[tuple[str, str]], folder: PurePosixPath) -> dict[str, str]:
    """Return the labels by the names of images; a table may name them by path, by name or without extension."""
    paths = [PurePosixPath(image.name) for image in images]
    keys: dict[str, str | None] = {}
    for path in paths:
        for key in {path.name, path.stem}:
            keys[key] = None if key in keys else str(path)
    keys |= {str(path): str(path) for path in paths}
    keys |= {str(path.relative_to(folder)): str(path) for path in paths}
    found: dict[str, str] = {}
    for named, label in table:
        path = PurePosixPath(named.replace("\\", "/"))
        image = next((keys[key] for key in (str(path), path.name) if keys.get(key)), None)
        if image is not None and found.setdefault(image, label) != label:
            raise NotATable(f"gives {image} two labels, {found[image]} and {label}")
    return found


def _read_table(name: str, content: bytes) -> list[tuple[str, str]] | None:
    """Read names and labels from JSON or CSV; None if it says that there are no labels.

    Raises:
        NotATable: it says something else.
    """
    try:
        text = content.decode("utf-8-sig")
        return _read_json(json.loads(text)) if name.endswith(".json") else _read_csv(text)
    except (ValueError, RecursionError, csv.Error):
        raise NotATable(f"is no {'JSON' if name.endswith('.json') else 'CSV'}") from None


def _read_json(value: Any) -> list[tuple[str, str]] | None:
    if isinstance(value, dict) and "labels" in value:
        value = value["labels"]
        if value is None:
            return None
    pairs = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(pairs, list) or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise NotATable('does not hold names and labels, as {"labels": [["a.png", 0], ["b.png", 1]]}')
    return [(str(name), _name_label(label)) for name, label in pairs]


def _name_label(label: object) -> str:
    if isinstance(label, str | int) or (isinstance(label, float) and label.is_integer()):
        return str(int(label) if isinstance(label, float) else label)
    raise NotATable(f"has labels that are no classes, as {json.dumps(label)[:40]}")


def _read_csv(text: str) -> list[tuple[str, str]]:
    first = text.partition("\n")[0]
    delimiter = next((each for each in "\t;" if each in first), ",")
    rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if row]
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    name = next((header.index(each) for each in NAME_COLUMNS if each in header), None)
    label = next((header.index(each) for each in LABEL_COLUMNS if each in header), None)
    if name is None or label is None:
        raise NotATable("has no columns that are called file and label")
    if short := next((row for row in rows if len(row) <= max(name, label)), None):
        raise NotATable(f"has a line that is too short: {delimiter.join(short)[:40]}")
    return [(row[name].strip(), row[label].strip()) for row in rows[1:]]
