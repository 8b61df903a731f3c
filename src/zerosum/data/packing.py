"""Making a pack: every image decoded once, by threads; then sorted into training and test images, and listed."""

import collections
import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from zerosum.data import Progress, content_number, for_testing, too_few
from zerosum.data.boxes import Box
from zerosum.data.decode import Outside, Survey, Unreadable, decode, survey
from zerosum.data.duplicates import groups, thumbnail
from zerosum.data.files import Collection, Item, Skipped, reason
from zerosum.data.preparation import LARGEST, SMALLEST, Preparation
from zerosum.errors import InputError

FORMAT = "zerosum pack 5"
SIZES = (256, 128, 64, 32, 16, 8)
REACHED_BY = 0.75  # the share of the images that must be as large as the chosen size
LISTED = 3
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Shape:
    """What every image becomes: [channels, *size]."""

    size: tuple[int, int]
    channels: int


class Kept(NamedTuple):
    """An image that was decoded: its thumbnail, and numbers that stand for the content of its pixels and its file."""

    item: Item
    thumbnail: NDArray[np.uint8]
    pixels: int
    file: int


def make(place: Path, found: Collection, where: str, preparation: Preparation, progress: Progress | None) -> Shape:
    """Fill the folder `place`; what the images became."""
    # Pillow lets go of the interpreter while it decodes and resizes. It warns of odd metadata: silenced here, because
    # the filters of warnings belong to the whole process, and threads would overwrite each other's.
    with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor(os.cpu_count()) as pool:
        seen = _surveyed(found, pool, where)
        shape = _shape(seen, preparation, where)
        skipped = list(found.skipped)
        kept: list[Kept] = []
        with (place / "unsorted.bin").open("wb") as file:
            jobs = _ordered(pool, lambda item: _decoded(item, shape, preparation), found.items)
            for number, done in enumerate(jobs, 1):
                if isinstance(done, Skipped):
                    skipped.append(done)
                else:
                    file.write(done[0])
                    kept.append(done[1])
                if progress is not None:
                    progress("packing", number, len(found.items))
    _refuse_broken(where, len(kept), skipped, preparation.broken)
    counts = _write(place, kept, skipped, shape, {item.name: about for about, item in seen})
    if preparation.split and 0 in counts:
        raise _one_sided(where, *counts) if kept[0].item.testing is not None else too_few(where, sum(counts))
    return shape


def _one_sided(where: str, train: int, test: int) -> InputError:
    side, others = ("training", f"{test} for testing") if train == 0 else ("testing", f"{train} to train on")
    return InputError(
        f"{where}: its folders say which images are for testing, and leave none for {side} ({others}); add some, or "
        "name the folder of one split alone"
    )


def _decoded(item: Item, shape: Shape, preparation: Preparation) -> tuple[bytes, Kept] | Skipped:
    try:
        content = item.read()
        pixels = decode(content, shape.size, shape.channels, preparation, item.box)
    except (Unreadable, OSError) as error:
        return Skipped(item.name, reason(error), broken=not isinstance(error, Outside))
    stored = pixels.tobytes()
    return stored, Kept(item, thumbnail(pixels), content_number(stored), content_number(content))


def _ordered(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`work` of each item, in order, with a bounded number under way, so that memory does not grow with the items."""
    waiting: collections.deque[Any] = collections.deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > 64:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _surveyed(found: Collection, pool: ThreadPoolExecutor, where: str) -> list[tuple[Survey, Item]]:
    """What the heads of the files say, of those that have one."""

    def head(item: Item) -> tuple[Survey, Item] | None:
        try:
            return survey(item.read()), item
        except (Unreadable, OSError):  # it will be counted when it is decoded
            return None

    seen = [each for each in _ordered(pool, head, found.items) if each is not None]
    if not seen:
        first = _reason_of(found.items[0])
        raise InputError(f"{where}: none of {len(found.items)} images can be read, e.g. {found.items[0].name}: {first}")
    return seen


def _shape(seen: list[tuple[Survey, Item]], preparation: Preparation, where: str) -> Shape:
    """The size and the channels: as asked for, or by what the heads of the files say."""
    sides = sorted(_shorter(about, item) for about, item in seen)
    size = _stored_size(seen, where) if preparation.size == "stored" else preparation.size
    if size is not None and sides[-1] < min(size):
        raise InputError(
            f"{where}: all images are smaller than the size {size[0]}x{size[1]} that was asked for; the largest has a "
            f"shorter side of {sides[-1]} pixels"
        )
    reached = sides[int(len(sides) * (1 - REACHED_BY))]
    largest = preparation.largest
    side = next((each for each in SIZES if each <= min(reached, largest)), SIZES[-1])
    channels: int = preparation.channels or (1 if all(about.gray for about, _ in seen) else 3)
    if preparation.alpha == "keep" and any(about.transparent for about, _ in seen):
        channels += 1
    return Shape(size or (side, side), channels)


def _stored_size(seen: list[tuple[Survey, Item]], where: str) -> tuple[int, int]:
    """The one size (H, W) that all files have."""
    sizes = collections.Counter(about.size for about, _ in seen)
    if len(sizes) > 1:
        examples = ", ".join(f"{height}x{width}" for (height, width), _ in sizes.most_common(LISTED))
        raise InputError(f"{where}: the images are of {len(sizes)} sizes, e.g. {examples}; say which one: --size HxW")
    (size,) = sizes
    if not all(SMALLEST <= side <= LARGEST for side in size):
        raise InputError(
            f"{where}: its images have {size[0]}x{size[1]} pixels; {SMALLEST} to {LARGEST} are possible: say --size"
        )
    return size


def _shorter(about: Survey, item: Item) -> int:
    height, width = about.size
    box = item.box or Box(0, 0, width, height)
    return min(min(box.right, width) - max(box.left, 0), min(box.bottom, height) - max(box.top, 0))


def _reason_of(item: Item) -> str:
    try:
        survey(item.read())
    except (Unreadable, OSError) as error:
        return reason(error)
    return "it changed just now"


def _refuse_broken(where: str, kept: int, skipped: list[Skipped], limit: float) -> None:
    if not kept:
        raise InputError(f"{where}: none of {len(skipped)} images can be used ({_examples(skipped)})")
    broken = [each for each in skipped if each.broken]
    if len(broken) > limit * (kept + len(broken)):
        raise InputError(
            f"{where}: {len(broken)} of {kept + len(broken)} images are broken ({_examples(broken)}); to go on "
            "without them, use --set data.broken=1"
        )


def _examples(skipped: list[Skipped]) -> str:
    more = f" and {len(skipped) - LISTED} more" if len(skipped) > LISTED else ""
    return "; ".join(f"{each.name}: {each.reason}" for each in skipped[:LISTED]) + more


def _with_identical(
    leaders: NDArray[np.int64], thumbnails: NDArray[np.uint8], pixels: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The `leaders` of groups, also of images whose pixels are the same, which are copies however many there are."""
    _, first, inverse = np.unique(pixels, return_index=True, return_inverse=True)
    firsts = first[inverse]
    same = (thumbnails[firsts] == thumbnails).all((1, 2))  # as different pixels may have the same number
    return np.where(same & (leaders == np.arange(len(leaders))), leaders[firsts], leaders)


def _testing(kept: list[Kept], leaders: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which images are for testing: exactly those of which their folder says so.

    Where no folder says anything, the content of their file decides, and what is nearly or exactly the same as an image
    for testing is for testing, too. The boxes of a photo go together.
    """
    if all(each.item.testing is not None for each in kept):
        return np.array([each.item.testing for each in kept], np.bool_)
    pixels = np.array([each.pixels for each in kept])
    files = np.array([each.file for each in kept])
    testing = for_testing(files)
    while True:
        before = testing.sum()
        for group in (leaders, pixels, files):
            testing = np.isin(group, group[testing])
        if testing.sum() == before:
            return testing


def _write(
    place: Path, kept: list[Kept], skipped: list[Skipped], shape: Shape, stored: dict[str, Survey]
) -> tuple[int, int]:
    """Bring the decoded images into their final order and note everything about them; how many train, and test."""
    size = (shape.channels, *shape.size)
    unsorted = np.memmap(place / "unsorted.bin", np.uint8, "r", shape=(len(kept), *size))
    thumbnails = np.stack([each.thumbnail for each in kept])
    leaders = _with_identical(groups(thumbnails), thumbnails, np.array([each.pixels for each in kept]))
    testing = _testing(kept, leaders)
    order = np.concatenate([np.flatnonzero(~testing), np.flatnonzero(testing)])
    digest = hashlib.blake2b(f"{size} {testing.sum()}".encode(), digest_size=16)
    with (place / "images.bin").open("wb") as file:
        for number in order:
            content = unsorted[number].tobytes()
            digest.update(content)
            file.write(content)
    del unsorted
    (place / "unsorted.bin").unlink()
    classes = sorted({each.item.label for each in kept if each.item.label is not None})
    if classes:
        labels = np.array([classes.index(str(kept[number].item.label)) for number in order], np.int64)
        np.save(place / "labels.npy", labels)
        digest.update(labels.tobytes())
    with (place / "files.jsonl").open("w", encoding="utf-8") as lines:
        for each in skipped:
            lines.write(json.dumps({"file": each.name, "skipped": each.reason, "broken": each.broken}) + "\n")
        for number in order:
            item = kept[number].item
            line = {
                "file": item.name,
                "used": "test" if testing[number] else "train",
                "by": "content" if item.testing is None else "folder",
                "class": item.label,
                "box": item.box,
                "stored": None if (head := stored.get(item.name)) is None else [*head.size, head.mode],
                "same_as": None if leaders[number] == number else kept[leaders[number]].item.name,
            }
            lines.write(json.dumps({key: value for key, value in line.items() if value is not None}) + "\n")
    about = {
        "shape": size,
        "train": int((~testing).sum()),
        "test": int(testing.sum()),
        "classes": classes,
        "digest": digest.hexdigest(),
    }
    (place / "pack.json").write_text(json.dumps(about, indent=2) + "\n")
    return int((~testing).sum()), int(testing.sum())
