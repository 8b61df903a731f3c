"""Image files, wherever they lie: what a folder or an archive hands over to be decoded."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import NamedTuple

from zerosum.data import boxes
from zerosum.data.boxes import Box
from zerosum.data.preparation import Preparation

EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"})
LEFT_BEHIND = ("__MACOSX", "Thumbs.db", "desktop.ini")
ANNOTATIONS = ("annotation", "annotations")


@dataclass(frozen=True)
class Item:
    """One file, or later one image to be: a file or a box in one.

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


def sort_out(files: Iterable[Item], preparation: Preparation) -> Collection:
    """Tell images, annotations and other files apart, and give each image its class and its boxes."""
    found, annotations, images = Collection(), dict[str, Item](), list[Item]()
    for file in sorted(files, key=lambda each: each.name):
        path = PurePosixPath(file.name)
        if any(part.startswith(".") or part in LEFT_BEHIND for part in path.parts):
            continue
        if path.suffix.lower() in EXTENSIONS:
            images.append(file)
        elif preparation.boxes and _is_annotation(path):
            annotations[path.stem if path.suffix.lower() == ".xml" else path.name] = file
        else:
            found.ignored[path.suffix.lower() or "no extension"] += 1
    if preparation.labels == "auto":
        images = _labelled(images)
    stems = {PurePosixPath(image.name).stem for image in images}
    annotations = {stem: annotation for stem, annotation in annotations.items() if stem in stems}
    if annotations:
        _cut_out(images, annotations, preparation, found)
    else:
        found.items = images
    return found


def _is_annotation(path: PurePosixPath) -> bool:
    folders = [part.lower() for part in path.parts[:-1]]
    return path.suffix.lower() == ".xml" or (not path.suffix and any(part in ANNOTATIONS for part in folders))


def _labelled(images: list[Item]) -> list[Item]:
    """The folder that each image lies in is its class, if there are two such folders or more, side by side.

    Folders around everything are looked through; images deeper down, or beside such folders, mean there are no classes.
    """
    parts = [PurePosixPath(image.name).parts for image in images]
    while parts and len({each[0] for each in parts}) == 1 and all(len(each) > 1 for each in parts):
        parts = [each[1:] for each in parts]
    if all(len(each) == 2 for each in parts) and len({each[0] for each in parts}) > 1:
        return [replace(image, label=each[0]) for image, each in zip(images, parts, strict=True)]
    return images


def _cut_out(images: list[Item], annotations: dict[str, Item], preparation: Preparation, found: Collection) -> None:
    """One item for each usable box; the annotation's folder (`n02085620-Chihuahua`) is its class, if there are many."""
    folders = {PurePosixPath(each.name).parent for each in annotations.values()}
    for image in images:
        annotation = annotations.get(PurePosixPath(image.name).stem)
        if annotation is None:
            found.skipped.append(Skipped(image.name, "no annotation has its name", broken=False))
            continue
        try:
            marked = boxes.read(annotation.read())
        except (boxes.NotAnAnnotation, OSError) as error:
            found.skipped.append(Skipped(annotation.name, f"{error}", broken=True))
            continue
        label = image.label
        if label is None and len(folders) > 1 and preparation.labels == "auto":
            label = PurePosixPath(annotation.name).parent.name.split("-", 1)[-1]
        for number, box in enumerate(marked, 1):
            name = image.name if len(marked) == 1 else f"{image.name}#{number}"
            part = boxes.usable(box, preparation)
            if isinstance(part, str):
                found.skipped.append(Skipped(name, part, broken=False))
            else:
                stamp = f"{image.stamp} {annotation.stamp}"
                found.items.append(replace(image, name=name, stamp=stamp, label=label, box=part))
