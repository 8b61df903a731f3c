"""Write a pack: decode every image once, divide them into training and test images, and list the files."""

import collections
import functools
import hashlib
import itertools
import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zerosum.data import LEAST, Progress, TooFewSamples, hash_content
from zerosum.data.packs import blocks
from zerosum.data.packs.classes import sort_classes
from zerosum.data.packs.collection import Collection, Item, Skipped, explain
from zerosum.data.packs.decode import Outside, decode
from zerosum.data.packs.duplicates import make_thumbnail
from zerosum.data.packs.headers import Header, Unreadable, read_header, read_pages
from zerosum.data.packs.journal import LINES, PIXELS, Journal
from zerosum.data.packs.pack import BLOCKS, DESCRIPTION, FILES, IMAGES, LABELS, PackDescription
from zerosum.data.packs.ranges import find_values
from zerosum.data.packs.shape import EXAMPLES, ImageShape, choose_shape
from zerosum.data.packs.splits import Decoded, Division, divide
from zerosum.data.packs.workers import Workers
from zerosum.data.preparation import Preparation
from zerosum.data.values import Range
from zerosum.errors import InputError

MOST_PAGES = 16  # that are decoded by one worker, from one reading of the file


def write_pack(
    place: Path, found: Collection, where: str, preparation: Preparation, progress: Progress | None
) -> ImageShape:
    """Fill the folder `place` with a pack of the images `found`; return the shape of the images.

    If an earlier process was ended while it filled it with the same, go on where it was.

    Raises:
        InputError: no image can be used, too many are broken, all are too small, or a split is empty.
    """
    with Workers(len(found.items)) as workers:
        listing = _list_pages(found, preparation, workers, where)
        headers = [(header, item) for header, item in listing.pages if header is not None]
        shape = choose_shape(headers, preparation, where)
        values = find_values(headers, preparation, workers, where)
        items = [item for _, item in listing.pages]
        _check_room(place, shape, len(items))
        decoder = Decoder(shape, preparation, values.range)
        images, broken = _decode_all(place, items, decoder, workers, progress)
    skipped = found.skipped + listing.skipped + broken
    _refuse_broken(where, len(images), skipped, preparation.broken)
    division = divide(images)
    train, test = int((~division.testing).sum()), int(division.testing.sum())
    classes = sort_classes({image.item.label for image in images if image.item.label is not None})
    size = (shape.channels, *shape.size)
    digest = hashlib.blake2b(f"{size} {test}".encode(), digest_size=16)
    _sort_images(place, size, division.order, digest)
    if classes:
        labels = np.array([classes.index(str(images[number].item.label)) for number in division.order], np.int64)
        np.save(place / LABELS, labels)
        digest.update(labels.tobytes())
    stored = {item.name: header for header, item in headers}
    with (place / FILES).open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(line) + "\n" for line in _describe_files(images, division, skipped, stored))
    said = (*found.notes, *_note_pages(headers), values.note, division.explain())
    notes = tuple(filter(None, said))
    if preparation.split:
        _refuse_few(division, where, train, test)
    prepared = replace(preparation, size=shape.size)
    (place / BLOCKS).write_bytes(blocks.digest_blocks(place / IMAGES))
    digests = _digest_files(place, *([LABELS] if classes else []), FILES, BLOCKS)
    about = PackDescription(
        size, train, test, tuple(classes), digest.hexdigest(), values.range, notes, prepared, digests
    )
    (place / DESCRIPTION).write_bytes(about.as_json())
    for name in (PIXELS, LINES):
        (place / name).unlink()
    return shape


def _check_room(place: Path, shape: ImageShape, count: int) -> None:
    """Refuse to fill the disk: for a while, a pack lies there twice."""
    needed, free = 2 * count * shape.channels * math.prod(shape.size), shutil.disk_usage(place).free
    if needed > free:
        size = "x".join(map(str, shape.size))
        raise InputError(
            f"packing {count:,} images of {size} needs {needed / 1e9:.3g} GB in {place.parent}, and {free / 1e9:.3g} "
            "GB are free there: set ZEROSUM_CACHE to a folder elsewhere, or make the images smaller (--size)"
        )


class Listing(NamedTuple):
    """The pages of all files, each with its header, or None if it has none that can be read; and those not taken."""

    pages: list[tuple[Header | None, Item]]
    skipped: list[Skipped]


def _list_pages(found: Collection, preparation: Preparation, workers: Workers, where: str) -> Listing:
    """Read the headers of the files, and of the pages in them.

    Raises:
        InputError: there is not one header.
    """
    read = functools.partial(_read_headers, preparation)
    listing = Listing([], [])
    for item, pages in zip(found.items, workers.map(read, found.items), strict=True):
        if not pages:
            listing.pages.append((None, item))
        for number, header in pages:
            name = item.name if len(pages) == 1 else f"{item.name}#{number + 1}"
            if isinstance(header, Unreadable):
                listing.skipped.append(Skipped(name, str(header), broken="damaged" in str(header)))
            else:
                listing.pages.append((header, replace(item, name=name, page=number)))
    if all(header is None for header, _ in listing.pages):
        first = _explain_header(found.items[0])
        raise InputError(f"{where}: none of {len(found.items)} images can be read, e.g. {found.items[0].name}: {first}")
    return listing


def _read_headers(preparation: Preparation, item: Item) -> list[tuple[int, Header | Unreadable]]:
    try:
        return read_pages(item.read(), "first" if item.box is not None else preparation.pages)
    except (Unreadable, OSError):  # it will be counted when it is decoded
        return []


def _note_pages(headers: list[tuple[Header, Item]]) -> list[str]:
    """Say how many pages were taken for images, and of how many animations the first frame."""
    notes = []
    pages = collections.Counter(id(item.read) for header, item in headers if item.box is None)
    several = [count for count in pages.values() if count > 1]
    if several:
        notes.append(
            f"{sum(several):,} images are pages of {len(several):,} files, which stay together; "
            "data.pages=first takes only the first of each"
        )
    animated = [header.frames for header, item in headers if header.frames > 1 and pages[id(item.read)] < 2]
    if animated:
        what = f"of {len(animated):,} animation{'s' if len(animated) > 1 else ''} the first frame is used"
        rest = f"{sum(animated) - len(animated):,} frames are left out"
        notes.append(f"{what}, {rest}; data.pages=all takes them")
    return notes


def _explain_header(item: Item) -> str:
    try:
        read_header(item.read())
    except (Unreadable, OSError) as error:
        return explain(error)
    return "it changed just now"


@dataclass(frozen=True)
class Decoder:
    """Decodes pages to pixels of one shape and range."""

    shape: ImageShape
    preparation: Preparation
    values: Range | None

    def decode(self, items: list[Item]) -> list[tuple[bytes, Decoded] | Skipped]:
        """Decode pages, or boxes, of one file, which is read once."""
        try:
            content = items[0].read()
        except OSError as error:
            return [Skipped(item.name, explain(error), broken=True) for item in items]
        file = hash_content(content)
        return [self._decode_one(item, content, file) for item in items]

    def _decode_one(self, item: Item, content: bytes, file: int) -> tuple[bytes, Decoded] | Skipped:
        size, channels = self.shape.size, self.shape.channels
        try:
            pixels = decode(content, size, channels, self.preparation, item.box, self.values, item.page)
        except Unreadable as error:
            return Skipped(item.name, explain(error), broken=not isinstance(error, Outside))
        stored = pixels.tobytes()
        return stored, Decoded(item, make_thumbnail(pixels), hash_content(stored), file)


def _decode_all(
    place: Path, items: list[Item], decoder: Decoder, workers: Workers, progress: Progress | None
) -> tuple[list[Decoded], list[Skipped]]:
    """Decode all images and write their pixels to the journal; return those that were decoded and those that were not.

    What the journal in `place` has of an earlier process is not decoded again.
    """
    with Journal(place, (decoder.shape.channels, *decoder.shape.size), items) as journal:
        results = workers.map(decoder.decode, list(_gather_pages(items[len(journal) :])))
        for result in itertools.chain.from_iterable(results):
            journal.add(result)
            if progress is not None:
                progress("packing", len(journal), len(items))
        return journal.images, journal.skipped


def _gather_pages(items: list[Item]) -> Iterator[list[Item]]:
    """Gather items that are read from one file, a bounded number at a time."""
    for _, same in itertools.groupby(items, lambda item: id(item.read)):
        while part := list(itertools.islice(same, MOST_PAGES)):
            yield part


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
    """Copy the images [C, H, W] of `size` from the journal to `images.bin` in their final order, and digest them."""
    unsorted = np.memmap(place / PIXELS, np.uint8, "r", shape=(len(order), *size))
    with (place / IMAGES).open("wb") as file:
        for number in order:
            content = unsorted[number].tobytes()
            digest.update(content)
            file.write(content)


def _digest_files(place: Path, *names: str) -> dict[str, str]:
    return {name: blocks.digest((place / name).read_bytes()).hex() for name in names}


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
            "page": item.page or None,
            "stored": None if (header := stored.get(item.name)) is None else [*header.size, header.mode],
            "same_as": None if leader == number else images[leader].item.name,
        }
        yield {key: value for key, value in line.items() if value is not None}
