"""Packs: images decoded and resized once, into one memory-mapped file of uint8 in the cache folder.

A pack is a folder: `pack.json` (shape, counts, classes, digest), `images.bin` (training images, then test images),
`labels.npy`, `hashes.npy` and `files.jsonl` (what was done with every file; those left out first). It is made beside
its place and then renamed, so a pack that exists is whole. Its name is a digest of the files and the preparation.
"""

import collections
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter

from zerosum.data import Progress, Source, Split, is_for_testing
from zerosum.data.cache import cache_folder
from zerosum.data.decode import MODES, Pixels, Survey, Unreadable, decode, survey
from zerosum.data.duplicates import groups, perceptual_hash
from zerosum.data.files import Collection, Item, Skipped
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError

FORMAT = "zerosum pack 1"
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


def source(
    found: Collection, name: str, where: str, preparation: Preparation, progress: Progress | None = None
) -> Source:
    """The images of `found` as a source, packed now unless they were before.

    Raises:
        InputError: there are no usable images, too many are broken, or all are smaller than what was asked for.
    """
    if not found.items:
        raise InputError(f"{where}: {_nothing(found)}")
    place = cache_folder() / "packs" / _key(found, preparation)
    if not (place / "pack.json").exists():
        partial = place.with_name(f"{place.name}.{uuid.uuid4().hex[:8]}.partial")
        try:
            partial.mkdir(parents=True)
            _make(partial, found, where, preparation, progress)
            _move(partial, place)
        except OSError as error:
            raise InputError(f"cannot write the pack of {where} to {partial.parent}: {error.strerror}") from None
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return _open(place, name, preparation)


def _move(partial: Path, place: Path) -> None:
    try:
        partial.rename(place)
    except OSError:
        if not (place / "pack.json").exists():  # else another process was faster, with the same result
            raise


def _key(found: Collection, preparation: Preparation) -> str:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{FORMAT}{TypeAdapter(Preparation).dump_json(replace(preparation, flip=False)).decode()}".encode())
    for item in found.items:
        digest.update(f"\n{item.name}\t{item.stamp}\t{item.label}\t{item.box}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _open(place: Path, name: str, preparation: Preparation) -> Source:
    about = json.loads((place / "pack.json").read_bytes())
    train, test = about["train"], about["test"]
    mapped = np.memmap(place / "images.bin", np.uint8, "c", shape=(train + test, *about["shape"]))
    images = torch.from_numpy(mapped)
    labels = torch.from_numpy(np.load(place / "labels.npy")) if about["classes"] else None

    def part(rows: slice, *, flip: bool) -> Split:
        return Split(images[rows], None if labels is None else labels[rows], flip)

    return Source(
        name,
        part(slice(0, train), flip=preparation.flip),
        part(slice(train, None), flip=False),
        tuple(about["classes"]),
        digest=about["digest"],
        files=place / "files.jsonl",
    )


def _make(place: Path, found: Collection, where: str, preparation: Preparation, progress: Progress | None) -> None:
    """Fill the folder `place`."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow lets go of the interpreter while it decodes and resizes
        shape = _shape(found, preparation, pool, where)
        skipped = list(found.skipped)
        kept: list[Item] = []
        hashes: list[bytes] = []
        with (place / "unsorted.bin").open("wb") as file:
            jobs = _ordered(pool, lambda item: _decoded(item, shape, preparation), found.items)
            for number, (item, (pixels, extra)) in enumerate(zip(found.items, jobs, strict=True), 1):
                if pixels is None:
                    skipped.append(Skipped(item.name, extra, broken=True))
                else:
                    file.write(pixels.tobytes())
                    kept.append(item)
                    hashes.append(bytes.fromhex(extra))
                if progress is not None:
                    progress("packing", number, len(found.items))
    _refuse_broken(where, kept, skipped, preparation.broken)
    _write(place, kept, skipped, shape, np.frombuffer(b"".join(hashes), np.uint8).reshape(len(kept), -1), where)


def _decoded(item: Item, shape: Shape, preparation: Preparation) -> tuple[Pixels | None, str]:
    """The pixels and their perceptual hash, or None and the reason."""
    try:
        pixels = decode(item.read(), shape.size, shape.channels, preparation, item.box)
    except (Unreadable, OSError) as error:
        return None, _reason(error)
    return pixels, perceptual_hash(pixels).hex()


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()


def _ordered(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`work` of each item, in order, with a bounded number under way, so that memory does not grow with the items."""
    waiting: collections.deque[Any] = collections.deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > 64:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _shape(found: Collection, preparation: Preparation, pool: ThreadPoolExecutor, where: str) -> Shape:
    """The size and the channels: as asked for, or by what the heads of the files say."""

    def head(item: Item) -> tuple[Survey, Item] | None:
        try:
            return survey(item.read()), item
        except (Unreadable, OSError):  # it will be counted when it is decoded
            return None

    seen = [each for each in _ordered(pool, head, found.items) if each is not None]
    if not seen:
        first = _reason_of(found.items[0])
        raise InputError(f"{where}: none of {len(found.items)} images can be read, e.g. {found.items[0].name}: {first}")
    sides = sorted(_shorter(about, item) for about, item in seen)
    if preparation.size is not None and sides[-1] < min(preparation.size):
        raise InputError(
            f"{where}: all images are smaller than the size {preparation.size[0]}x{preparation.size[1]} that was asked "
            f"for; the largest has a shorter side of {sides[-1]} pixels"
        )
    reached = sides[int(len(sides) * (1 - REACHED_BY))]
    largest = preparation.largest
    side = next((each for each in SIZES if each <= min(reached, largest)), SIZES[-1])
    channels: int = preparation.channels or (1 if all(about.gray for about, _ in seen) else 3)
    if preparation.alpha == "keep" and any(about.transparent for about, _ in seen):
        channels += 1
    return Shape(preparation.size or (side, side), channels)


def _shorter(about: Survey, item: Item) -> int:
    return min(about.size) if item.box is None else min(item.box.right - item.box.left, item.box.bottom - item.box.top)


def _reason_of(item: Item) -> str:
    try:
        survey(item.read())
    except (Unreadable, OSError) as error:
        return _reason(error)
    return "it changed just now"


def _refuse_broken(where: str, kept: list[Item], skipped: list[Skipped], limit: float) -> None:
    broken = [each for each in skipped if each.broken]
    if not kept or len(broken) > limit * (len(kept) + len(broken)):
        examples = "; ".join(f"{each.name}: {each.reason}" for each in broken[:LISTED])
        more = f" and {len(broken) - LISTED} more" if len(broken) > LISTED else ""
        raise InputError(
            f"{where}: {len(broken)} of {len(kept) + len(broken)} images are broken ({examples}{more}); to go on "
            "without them, use --set data.broken=1"
        )


def _write(
    place: Path, kept: list[Item], skipped: list[Skipped], shape: Shape, hashes: NDArray[np.uint8], where: str
) -> None:
    """Bring the decoded images into their final order, training first, and note everything about them."""
    size = (shape.channels, *shape.size)
    unsorted = np.memmap(place / "unsorted.bin", np.uint8, "r", shape=(len(kept), *size))
    leaders = groups(hashes)
    testing = np.array([is_for_testing(image.tobytes()) for image in unsorted])
    testing = np.isin(leaders, leaders[testing])  # near-duplicates of a test image are on its side
    if testing.all() or not testing.any():
        raise InputError(f"{where}: {len(kept)} usable images are too few to train with some and test with others")
    order = np.concatenate([np.flatnonzero(~testing), np.flatnonzero(testing)])
    digest = hashlib.blake2b(digest_size=16)
    with (place / "images.bin").open("wb") as file:
        for number in order:
            content = unsorted[number].tobytes()
            digest.update(content)
            file.write(content)
    del unsorted
    (place / "unsorted.bin").unlink()
    classes = sorted({item.label for item in kept if item.label is not None})
    if classes:
        labels = np.array([classes.index(str(kept[number].label)) for number in order], np.int64)
        np.save(place / "labels.npy", labels)
        digest.update(labels.tobytes())
    np.save(place / "hashes.npy", hashes[order])
    with (place / "files.jsonl").open("w", encoding="utf-8", errors="surrogateescape") as lines:
        for each in skipped:
            lines.write(json.dumps({"file": each.name, "skipped": each.reason, "broken": each.broken}) + "\n")
        for number in order:
            item = kept[number]
            line = {
                "file": item.name,
                "used": "test" if testing[number] else "train",
                "class": item.label,
                "box": item.box,
                "same_as": None if leaders[number] == number else kept[leaders[number]].name,
            }
            lines.write(json.dumps({key: value for key, value in line.items() if value is not None}) + "\n")
    about = {
        "format": FORMAT,
        "shape": size,
        "mode": MODES[shape.channels],
        "train": int((~testing).sum()),
        "test": int(testing.sum()),
        "skipped": len(skipped),
        "classes": classes,
        "digest": digest.hexdigest(),
    }
    (place / "pack.json").write_text(json.dumps(about, indent=2) + "\n")


def _nothing(found: Collection) -> str:
    """Why there is no image."""
    if found.skipped:
        first = found.skipped[0]
        return f"no usable images; {len(found.skipped)} were left out, e.g. {first.name}: {first.reason}"
    others = ", ".join(f"{count:,} {kind}" for kind, count in found.ignored.most_common(LISTED)) or "nothing at all"
    return f"no images (JPEG, PNG, WebP, BMP, TIFF or GIF), but {others}"
