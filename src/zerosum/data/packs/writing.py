"""Write a pack: decode every image once, in threads, divide them into training and test images, and list the files."""

import collections
import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from zerosum.data import LEAST, Progress, TooFewSamples, hash_content
from zerosum.data.packs.classes import sort_classes
from zerosum.data.packs.collection import Collection, Item, Skipped, explain
from zerosum.data.packs.decode import Header, Outside, Unreadable, decode, read_header
from zerosum.data.packs.duplicates import make_thumbnail
from zerosum.data.packs.shape import EXAMPLES, ImageShape, choose_shape
from zerosum.data.packs.splits import Decoded, Division, divide
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError

MOST_WAITING = 64  # items that are decoded or wait to be written
T = TypeVar("T")
R = TypeVar("R")


def write_pack(
    place: Path, found: Collection, where: str, preparation: Preparation, progress: Progress | None
) -> ImageShape:
    """Fill the folder `place` with a pack of the images `found`; return the shape of the images.

    Raises:
        InputError: no image can be used, too many are broken, all are too small, or a split is empty.
    """
    # Pillow releases the interpreter lock while it decodes and resizes. Its warnings of odd metadata are silenced here,
    # because the warning filters belong to the whole process, and threads would overwrite each other's.
    with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor(os.cpu_count()) as pool:
        headers = _read_headers(found, pool, where)
        shape = choose_shape(headers, preparation, where)
        images, broken = _decode_all(place / "unsorted.bin", found, shape, preparation, pool, progress)
    skipped = found.skipped + broken
    _refuse_broken(where, len(images), skipped, preparation.broken)
    division = divide(images)
    train, test = int((~division.testing).sum()), int(division.testing.sum())
    classes = sort_classes({image.item.label for image in images if image.item.label is not None})
    size = (shape.channels, *shape.size)
    digest = hashlib.blake2b(f"{size} {test}".encode(), digest_size=16)
    _sort_images(place, size, division.order, digest)
    if classes:
        labels = np.array([classes.index(str(images[number].item.label)) for number in division.order], np.int64)
        np.save(place / "labels.npy", labels)
        digest.update(labels.tobytes())
    stored = {item.name: header for header, item in headers}
    with (place / "files.jsonl").open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(line) + "\n" for line in _describe_files(images, division, skipped, stored))
    about = {
        "shape": size,
        "train": train,
        "test": test,
        "classes": classes,
        "digest": digest.hexdigest(),
        "notes": [note for note in [division.explain()] if note],
    }
    (place / "pack.json").write_text(json.dumps(about, indent=2) + "\n")
    if preparation.split:
        _refuse_few(division, where, train, test)
    return shape


def _read_headers(found: Collection, pool: ThreadPoolExecutor, where: str) -> list[tuple[Header, Item]]:
    """Read the headers of the files, of those that have one."""

    def read(item: Item) -> tuple[Header, Item] | None:
        try:
            return read_header(item.read()), item
        except (Unreadable, OSError):  # it will be counted when it is decoded
            return None

    headers = [each for each in _map_in_order(pool, read, found.items) if each is not None]
    if not headers:
        first = _explain_header(found.items[0])
        raise InputError(f"{where}: none of {len(found.items)} images can be read, e.g. {found.items[0].name}: {first}")
    return headers


def _explain_header(item: Item) -> str:
    try:
        read_header(item.read())
    except (Unreadable, OSError) as error:
        return explain(error)
    return "it changed just now"


def _decode_all(
    file: Path,
    found: Collection,
    shape: ImageShape,
    preparation: Preparation,
    pool: ThreadPoolExecutor,
    progress: Progress | None,
) -> tuple[list[Decoded], list[Skipped]]:
    """Decode all images and write their pixels to `file`; return those that were decoded and those that were not."""
    images, skipped = list[Decoded](), list[Skipped]()
    with file.open("wb") as pixels:
        results = _map_in_order(pool, lambda item: _decode(item, shape, preparation), found.items)
        for number, result in enumerate(results, 1):
            if isinstance(result, Skipped):
                skipped.append(result)
            else:
                pixels.write(result[0])
                images.append(result[1])
            if progress is not None:
                progress("packing", number, len(found.items))
    return images, skipped


def _decode(item: Item, shape: ImageShape, preparation: Preparation) -> tuple[bytes, Decoded] | Skipped:
    try:
        content = item.read()
        pixels = decode(content, shape.size, shape.channels, preparation, item.box)
    except (Unreadable, OSError) as error:
        return Skipped(item.name, explain(error), broken=not isinstance(error, Outside))
    stored = pixels.tobytes()
    return stored, Decoded(item, make_thumbnail(pixels), hash_content(stored), hash_content(content))


def _map_in_order(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield `work` of each item, in order, with a bounded number in progress to bound the memory."""
    waiting: collections.deque[Any] = collections.deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > MOST_WAITING:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _refuse_broken(where: str, count: int, skipped: list[Skipped], limit: float) -> None:
    """Raise InputError if none of the images could be decoded, or if too large a share of them is broken."""
    if not count:
        raise InputError(f"{where}: none of {len(skipped)} images can be used ({_give_examples(skipped)})")
    broken = [each for each in skipped if each.broken]
    if len(broken) > limit * (count + len(broken)):
        raise InputError(
            f"{where}: {len(broken)} of {count + len(broken)} images are broken ({_give_examples(broken)}); to go on "
            "without them, use --set data.broken=1"
        )


def _give_examples(skipped: list[Skipped]) -> str:
    more = f" and {len(skipped) - EXAMPLES} more" if len(skipped) > EXAMPLES else ""
    return "; ".join(f"{each.name}: {each.reason}" for each in skipped[:EXAMPLES]) + more


def _refuse_few(division: Division, where: str, train: int, test: int) -> None:
    """Raise InputError if folders leave a split without images, or contents a split without different ones."""
    if not division.by_folder:
        if min(division.different) < LEAST:
            raise TooFewSamples(where, train + test, len(np.unique(division.pictures)))
    elif 0 in (train, test):
        side, others = ("training", f"{test} for testing") if train == 0 else ("testing", f"{train} to train on")
        raise InputError(
            f"{where}: its folders say which images are for testing, and leave none for {side} ({others}); add some, "
            "or name the folder of one split alone"
        )


def _sort_images(place: Path, size: tuple[int, ...], order: NDArray[np.int64], digest: hashlib.blake2b) -> None:
    """Copy the images [C, H, W] of `size` from `unsorted.bin` to `images.bin` in their final order, and digest them."""
    unsorted = np.memmap(place / "unsorted.bin", np.uint8, "r", shape=(len(order), *size))
    with (place / "images.bin").open("wb") as file:
        for number in order:
            content = unsorted[number].tobytes()
            digest.update(content)
            file.write(content)
    del unsorted
    (place / "unsorted.bin").unlink()


def _describe_files(
    images: list[Decoded], division: Division, skipped: list[Skipped], stored: dict[str, Header]
) -> Iterator[dict[str, object]]:
    """Yield a line for each file that was skipped, then one for each image in the order of the pack."""
    for each in skipped:
        yield {"file": each.name, "skipped": each.reason, "broken": each.broken}
    for number in division.order:
        item, leader = images[number].item, division.leaders[number]
        line = {
            "file": item.name,
            "used": "test" if division.testing[number] else "train",
            "by": "content" if item.testing is None else "folder",
            "class": item.label,
            "box": item.box,
            "stored": None if (header := stored.get(item.name)) is None else [*header.size, header.mode],
            "same_as": None if leader == number else images[leader].item.name,
        }
        yield {key: value for key, value in line.items() if value is not None}
