"""Image files, wherever they lie: what a folder or an archive hands over to be decoded."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import NamedTuple

from zerosum.data import boxes
from zerosum.data.boxes import Box
from zerosum.data.preparation import Preparation

EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"})
UNREAD = frozenset(
    {".heic", ".heif", ".avif", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".psd", ".svg"}
)
LEFT_BEHIND = ("__MACOSX", "Thumbs.db", "desktop.ini")
TRAINING = frozenset({"train", "training"})
TESTING = frozenset({"test", "testing", "val", "valid", "validation"})
ANNOTATIONS = ("annotation", "annotations")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # \ud800... stand for what is not UTF-8
WORDNET = re.compile(r"^n\d{8}-")


@dataclass(frozen=True)
class Item:
    """One file, or later one image to be: a file or a box in one.

    Attributes:
        name: its path inside the data, with slashes, on one line.
        stamp: what changes when the file does: its size and times, or its archive's.
        read: its bytes; may raise OSError that says why not.
        label: the name of its class.
        box: the part of the image that is meant; None is all of it.
        testing: whether the folder that it lies in says that it is for testing; None if no folder says anything.
    """

    name: str
    stamp: str
    read: Callable[[], bytes] = field(compare=False)
    label: str | None = None
    box: Box | None = None
    testing: bool | None = None


class Skipped(NamedTuple):
    """A file that is not used, why, and whether that is because it is broken."""

    name: str
    reason: str
    broken: bool


@dataclass
class Collection:
    """What was found.

    Attributes:
        items: the images to be, in the order of their names.
        skipped: files that look like images but are not used.
        ignored: how many other files there are, by extension.
    """

    items: list[Item] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


def sort_out(files: Iterable[Item | Skipped], preparation: Preparation) -> Collection:
    """Tell images, annotations and other files apart, and give each image its split, its class and its boxes."""
    found, annotations, images = Collection(), defaultdict[str, list[Item]](list), list[Item]()
    for file in sorted(map(_on_one_line, files), key=lambda each: each.name):
        path = PurePosixPath(file.name)
        if any(left_behind(part) for part in path.parts):
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
            found.ignored[path.suffix.lower() or "no extension"] += 1
    matched = {stem: annotations[stem] for image in images if (stem := PurePosixPath(image.name).stem) in annotations}
    if matched:
        images = _without_masks(images, matched, found)
    images = _placed(images, labels=preparation.labels == "auto")
    if matched:
        _cut_out(images, matched, preparation, found)
    else:
        found.items = images
    return found


def _on_one_line(file: Item | Skipped) -> Item | Skipped:
    name = UNPRINTABLE.sub(lambda it: ascii(it[0])[1:-1], file.name)
    return file._replace(name=name) if isinstance(file, Skipped) else replace(file, name=name)


def stamp(about: os.stat_result) -> str:
    """What changes when a file does, also where its time of modification was set by hand."""
    return f"{about.st_size} {about.st_mtime_ns} {about.st_ctime_ns}"


def reason(error: Exception) -> str:
    """Why a file is not used, in words that go after its name."""
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)


def left_behind(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or is what systems leave in folders: nobody means it."""
    return (name.startswith(".") and name != "..") or name in LEFT_BEHIND


def _is_annotation(path: PurePosixPath) -> bool:
    return path.suffix.lower() == ".xml" or (not path.suffix and _among_annotations(path))


def _among_annotations(path: PurePosixPath) -> bool:
    return any(part.lower() in ANNOTATIONS for part in path.parts[:-1])


def _without_masks(images: list[Item], annotations: dict[str, list[Item]], found: Collection) -> list[Item]:
    """Images beside the folders of boxes (`annotations/trimaps`) are annotations too, and nothing to train on."""
    folders = {PurePosixPath(each.name).parent for same in annotations.values() for each in same}
    kept = []
    for image in images:
        path = PurePosixPath(image.name)
        if _among_annotations(path) and path.parent not in folders:
            found.skipped.append(Skipped(image.name, "it lies among annotations", broken=False))
        else:
            kept.append(image)
    return kept


def _placed(images: list[Item], *, labels: bool) -> list[Item]:
    """What the folders around the images say: which are for testing, and of which class each is if `labels` are wanted.

    The folder that each image lies in is its class, if there are two such folders or more, side by side. A folder
    around everything is looked through. So are folders called after splits, and where some of them are to train on and
    some for testing, they are the splits. Of images beside such folders nothing is said, of those deeper down no class.
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
    if labels and all(len(each) == 2 for each in parts):
        return [replace(image, label=each[0]) for image, each in zip(images, parts, strict=True)]
    return images


def _cut_out(
    images: list[Item], annotations: dict[str, list[Item]], preparation: Preparation, found: Collection
) -> None:
    """One item for each usable box; the annotation's folder (`n02085620-Chihuahua`) is its class, if there are many."""
    breeds = {PurePosixPath(each.name).parent.name for same in annotations.values() for each in same}
    for image in images:
        annotation = _nearest(image, annotations.get(PurePosixPath(image.name).stem, []))
        if isinstance(annotation, str):
            found.skipped.append(Skipped(image.name, annotation, broken=False))
            continue
        try:
            marked = boxes.read(annotation.read())
        except (boxes.NotAnAnnotation, OSError) as error:
            found.skipped.append(Skipped(annotation.name, reason(error), broken=True))
            continue
        label = image.label
        if label is None and len(breeds) > 1 and preparation.labels == "auto":
            label = WORDNET.sub("", PurePosixPath(annotation.name).parent.name)
        for number, box in enumerate(marked, 1):
            name = image.name if len(marked) == 1 else f"{image.name}#{number}"
            part = boxes.usable(box, preparation)
            if isinstance(part, str):
                found.skipped.append(Skipped(name, part, broken=False))
            else:
                both = f"{image.stamp} {annotation.stamp}"
                found.items.append(replace(image, name=name, stamp=both, label=label, box=part))


def _nearest(image: Item, annotations: list[Item]) -> Item | str:
    """Of the annotations that have the image's name, the one that shares most folders with it; or why there is none."""
    if not annotations:
        return "no annotation has its name (data.boxes=false takes images as a whole)"
    folders = set(PurePosixPath(image.name).parts[:-1])
    shared = [len(folders.intersection(PurePosixPath(each.name).parts[:-1])) for each in annotations]
    if shared.count(max(shared)) > 1:
        return f"{len(annotations)} annotations have its name"
    return annotations[shared.index(max(shared))]
