"""The images to decode, found among the files of a folder or an archive, with their splits, classes and boxes."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import NamedTuple

from zerosum.data.packs.annotations import Box, NotAnAnnotation, read_boxes, widen_box
from zerosum.data.packs.classes import TABLES, Image, describe, find_classes, judge_names
from zerosum.data.preparation import Preparation

EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"})
UNREAD = frozenset(
    {".heic", ".heif", ".avif", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".psd", ".svg"}
)
SYSTEM_FILES = ("__MACOSX", "Thumbs.db", "desktop.ini")
TRAINING = frozenset({"train", "training"})
TESTING = frozenset({"test", "testing", "val", "valid", "validation"})
ANNOTATIONS = ("annotation", "annotations")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # \ud800...: bytes that are not UTF-8
WORDNET = re.compile(r"^n\d{8}-")


@dataclass(frozen=True)
class Item:
    """A file; after `collect`, an image to decode: a file or a box in one.

    Attributes:
        name: the path inside the data, with slashes, on one line.
        stamp: changes when the file does: its size and times, or those of its archive.
        read: returns the file's bytes; may raise an OSError that says why it cannot.
        label: the name of the class.
        box: the part of the image to take; None takes all of it.
        testing: whether its folder says that it is for testing; None if no folder says anything.
    """

    name: str
    stamp: str
    read: Callable[[], bytes] = field(compare=False)
    label: str | None = None
    box: Box | None = None
    testing: bool | None = None


class Skipped(NamedTuple):
    """A file that is not used, the reason, and whether it is broken."""

    name: str
    reason: str
    broken: bool


@dataclass
class Collection:
    """The files of a data set, sorted.

    Attributes:
        items: the images to decode, in the order of their names.
        skipped: files that look like images but are not used.
        ignored: the number of other files, by extension.
        notes: what was guessed, and what overrules it: sentences for people.
    """

    items: list[Item] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def collect(files: Iterable[Item | Skipped], preparation: Preparation) -> Collection:
    """Separate images, annotations and other files, and give each image its split, its class and its boxes.

    Raises:
        InputError: the classes that were asked for are not there.
    """
    found, annotations, images = Collection(), defaultdict[str, list[Item]](list), list[Item]()
    tables: dict[str, Callable[[], bytes]] = {}
    for file in sorted(map(_escape_name, files), key=lambda each: each.name):
        path = PurePosixPath(file.name)
        if any(is_hidden(part) for part in path.parts):
            continue
        if isinstance(file, Skipped):
            found.skipped.append(file)
        elif path.suffix.lower() in EXTENSIONS:
            images.append(file)
        elif path.suffix.lower() in UNREAD:
            why = f"{path.suffix.lower()} is not read: convert it to JPEG or PNG"
            found.skipped.append(Skipped(file.name, why, broken=False))
        elif preparation.boxes and _is_annotation(path):
            annotations[path.stem if path.suffix.lower() == ".xml" else path.name].append(file)
        else:
            if path.name in TABLES:
                tables[file.name] = file.read
            found.ignored[path.suffix.lower() or "no extension"] += 1
    matched = {stem: annotations[stem] for image in images if (stem := PurePosixPath(image.name).stem) in annotations}
    if matched:
        images = _skip_masks(images, matched, found)
    images, below = _read_splits(images)
    labels, note = find_classes(below, tables, preparation.labels)
    found.notes = [note] if note else []
    images = [replace(image, label=label) for image, label in zip(images, labels, strict=True)]
    if matched:
        _cut_boxes(images, matched, preparation, found)
    else:
        found.items = images
    return found


def _escape_name(file: Item | Skipped) -> Item | Skipped:
    """Escape the characters of the name that would break a line or cannot be printed."""
    name = UNPRINTABLE.sub(lambda it: ascii(it[0])[1:-1], file.name)
    return file._replace(name=name) if isinstance(file, Skipped) else replace(file, name=name)


def make_stamp(about: os.stat_result) -> str:
    """Make a text that changes when a file does, even if its modification time was set by hand."""
    return f"{about.st_size} {about.st_mtime_ns} {about.st_ctime_ns}"


def explain(error: Exception) -> str:
    """Explain why a file is not used, in words that go after its name."""
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)


def is_hidden(name: str) -> bool:
    """Return whether a file or folder of this name is hidden, or is one that operating systems leave in folders."""
    return (name.startswith(".") and name != "..") or name in SYSTEM_FILES


def _is_annotation(path: PurePosixPath) -> bool:
    return path.suffix.lower() == ".xml" or (not path.suffix and _lies_in_annotations(path))


def _lies_in_annotations(path: PurePosixPath) -> bool:
    return any(part.lower() in ANNOTATIONS for part in path.parts[:-1])


def _skip_masks(images: list[Item], annotations: dict[str, list[Item]], found: Collection) -> list[Item]:
    """Skip images beside the folders of boxes (`annotations/trimaps`): they are annotations too."""
    folders = {PurePosixPath(each.name).parent for same in annotations.values() for each in same}
    kept = []
    for image in images:
        path = PurePosixPath(image.name)
        if _lies_in_annotations(path) and path.parent not in folders:
            found.skipped.append(Skipped(image.name, "it lies among annotations", broken=False))
        else:
            kept.append(image)
    return kept


def _read_splits(images: list[Item]) -> tuple[list[Item], list[Image]]:
    """Read from the folders around the images which are for testing; return the rest of their paths too.

    A single folder around everything is passed over. So are folders named after splits; if some of them are for
    training and some for testing, they are the splits. Images beside such folders get no split.
    """
    parts = [PurePosixPath(image.name).parts for image in images]
    while parts and all(len(each) > 1 for each in parts):
        folders = {each[0].lower() for each in parts}
        if folders <= TRAINING | TESTING:
            if folders & TRAINING and folders & TESTING:
                pairs = zip(images, parts, strict=True)
                images = [replace(image, testing=each[0].lower() in TESTING) for image, each in pairs]
        elif len({each[0] for each in parts}) > 1:
            break
        parts = [each[1:] for each in parts]
    return images, [Image(image.name, each) for image, each in zip(images, parts, strict=True)]


def _cut_boxes(
    images: list[Item], annotations: dict[str, list[Item]], preparation: Preparation, found: Collection
) -> None:
    """Add an item for each usable box; several folders of annotations (`n02085620-Chihuahua`) are classes."""
    breeds = Counter(_name_breed(each) for same in annotations.values() for each in same)
    labelled = preparation.labels == "auto" and len(breeds) > 1 and all(image.label is None for image in images)
    if labelled and not (labelled := not judge_names(breeds)):
        found.notes = [f"classes: none; the folders of annotations {judge_names(breeds)}"]
    elif labelled:
        found.notes = [f"classes: the folders of annotations {describe(breeds)}; --set data.labels=none ignores them"]
    for image in images:
        annotation = _find_annotation(image, annotations.get(PurePosixPath(image.name).stem, []))
        if isinstance(annotation, str):
            found.skipped.append(Skipped(image.name, annotation, broken=False))
            continue
        try:
            boxes = read_boxes(annotation.read())
        except (NotAnAnnotation, OSError) as error:
            found.skipped.append(Skipped(annotation.name, explain(error), broken=True))
            continue
        label = image.label
        if labelled:
            label = _name_breed(annotation)
        for number, box in enumerate(boxes, 1):
            name = image.name if len(boxes) == 1 else f"{image.name}#{number}"
            part = widen_box(box, preparation)
            if isinstance(part, str):
                found.skipped.append(Skipped(name, part, broken=False))
            else:
                both = f"{image.stamp} {annotation.stamp}"
                found.items.append(replace(image, name=name, stamp=both, label=label, box=part))


def _name_breed(annotation: Item) -> str:
    return WORDNET.sub("", PurePosixPath(annotation.name).parent.name)


def _find_annotation(image: Item, annotations: list[Item]) -> Item | str:
    """Find the annotation of the image's name that shares most folders with it, or say why there is none."""
    if not annotations:
        return "no annotation has its name (data.boxes=false takes images as a whole)"
    folders = set(PurePosixPath(image.name).parts[:-1])
    shared = [len(folders.intersection(PurePosixPath(each.name).parts[:-1])) for each in annotations]
    if shared.count(max(shared)) > 1:
        return f"{len(annotations)} annotations have its name"
    return annotations[shared.index(max(shared))]
