"""The images to decode, found among the files of a folder or an archive, with their splits, classes and boxes."""

import contextlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import NamedTuple

from zerosum.data import generated
from zerosum.data.packs.annotations import Box, NotAnAnnotation, read_boxes, widen_box
from zerosum.data.packs.classes import TABLES, Image, describe, find_classes, judge_names
from zerosum.data.packs.masks import find_masks
from zerosum.data.preparation import Preparation
from zerosum.run_folder import describes_run

EXTENSIONS = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"),
        *(
            ".ppm",
            ".pgm",
            ".pbm",
            ".pnm",
            ".pfm",
            ".tga",
            ".avif",
            ".jp2",
            ".j2k",
            ".jpx",
            ".ico",
            ".pcx",
            ".qoi",
            ".sgi",
        ),
    }
)
UNREAD = frozenset(
    {
        *(".heic", ".heif", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".psd", ".svg"),
        *(".eps", ".ps", ".ai", ".wmf", ".emf", ".dds", ".exr", ".hdr", ".fits", ".dcm", ".nii", ".xcf"),
    }
)
SYSTEM_FILES = ("__MACOSX", "Thumbs.db", "desktop.ini")
TRAINING = frozenset({"train", "training"})
TESTING = frozenset({"test", "testing", "val", "valid", "validation"})
GENERATED = "zerosum made it, and what is generated is no data"
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
        head: returns the first `generated.HEAD` of them, or none where nothing of zerosum's can lie; may raise it too.
        label: the name of the class.
        box: the part of the image to take; None takes all of it.
        page: the page of a file that has several, from 0.
        testing: whether its folder says that it is for testing; None if no folder says anything.
    """

    name: str
    stamp: str
    read: Callable[[], bytes] = field(compare=False)
    label: str | None = None
    box: Box | None = None
    page: int = 0
    testing: bool | None = None
    head: Callable[[], bytes] = field(default=bytes, compare=False)


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


@dataclass
class Piles:
    """Files by what they are for: images, annotations by their names without extension, and tables of labels."""

    images: list[Item] = field(default_factory=list)
    annotations: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))
    tables: dict[str, Callable[[], bytes]] = field(default_factory=dict)


def collect(files: Iterable[Item | Skipped], preparation: Preparation) -> Collection:
    """Separate images, annotations and other files, and give each image its split, its class and its boxes.

    Raises:
        InputError: the classes that were asked for are not there.
    """
    found = Collection()
    piles = _sort_files(files, preparation, found)
    images, annotations = piles.images, piles.annotations
    matched = {stem: annotations[stem] for image in images if (stem := PurePosixPath(image.name).stem) in annotations}
    if matched:
        images = _skip_masks(images, matched, found)
    if preparation.masks == "auto":
        images = _skip_found_masks(images, found)
    images, below = _read_splits(images)
    labels, note = find_classes(below, piles.tables, preparation.labels)
    if made := [each.name for each in found.skipped if each.reason == GENERATED]:
        found.notes.append(f"left out, as zerosum made them: {len(made):,} pictures or runs, e.g. {made[0]}")
    if note:
        found.notes.append(note)
    images = [replace(image, label=label) for image, label in zip(images, labels, strict=True)]
    if matched:
        _cut_boxes(images, matched, preparation, found)
    else:
        found.items = images
    return found


def _sort_files(files: Iterable[Item | Skipped], preparation: Preparation, found: Collection) -> Piles:
    """Sort the files by name and into piles; add to `found` what is skipped or ignored."""
    piles = Piles()
    for file in _leave_out_generated(sorted(map(_escape_name, files), key=lambda each: each.name), preparation):
        path = PurePosixPath(file.name)
        kind = path.suffix.lower()
        if any(is_hidden(part) for part in path.parts):
            continue
        if isinstance(file, Skipped):
            found.skipped.append(file)
        elif kind in EXTENSIONS:
            piles.images.append(file)
        elif kind in UNREAD:
            found.skipped.append(Skipped(file.name, f"{kind} is not read: convert it to JPEG or PNG", broken=False))
        elif preparation.boxes and _is_annotation(path):
            piles.annotations[path.stem if kind == ".xml" else path.name].append(file)
        else:
            if path.name in TABLES:
                piles.tables[file.name] = file.read
            found.ignored[kind or "no extension"] += 1
    return piles


def _leave_out_generated(files: list[Item | Skipped], preparation: Preparation) -> Iterator[Item | Skipped]:
    """Yield the files; instead of a run's the run's folder as one that is skipped, and so pictures that zerosum wrote.

    Pictures are kept if they are only to be scored.
    """
    runs = {str(PurePosixPath(file.name).parent) for file in files if _is_description(file)}
    yield from (Skipped(run, GENERATED, broken=False) for run in sorted(runs))
    for file in files:
        path = PurePosixPath(file.name)
        if not runs.isdisjoint(map(str, path.parents)):
            continue
        if preparation.split and _is_generated(file):
            yield Skipped(file.name, GENERATED, broken=False)
        else:
            yield file


def _is_description(file: Item | Skipped) -> bool:
    """Return whether the file is the `run.json` of a run."""
    if isinstance(file, Skipped) or PurePosixPath(file.name).name != "run.json":
        return False
    with contextlib.suppress(OSError):
        return describes_run(file.read())
    return False


def _is_generated(file: Item | Skipped) -> bool:
    kind = PurePosixPath(file.name).suffix.lower()
    if isinstance(file, Skipped) or kind not in (*generated.KINDS, *generated.WHOLE):
        return False
    with contextlib.suppress(OSError):  # it will be counted when it is decoded
        return generated.is_generated(file.read() if kind in generated.WHOLE else file.head())
    return False


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


def _skip_found_masks(images: list[Item], found: Collection) -> list[Item]:
    """Skip images that are the masks of others."""
    masks = find_masks({image.name: image.read for image in images})
    for mask, image in masks.items():
        why = f"it is the mask of {image} (data.masks=use takes it)"
        found.skipped.append(Skipped(mask, why, broken=False))
    return [image for image in images if image.name not in masks]


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
        found.notes += [f"classes: none; the folders of annotations {judge_names(breeds)}"]
    elif labelled:
        found.notes += [f"classes: the folders of annotations {describe(breeds)}; --set data.labels=none ignores them"]
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
