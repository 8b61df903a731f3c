"""Packs: images decoded and resized once, into one memory-mapped file of uint8 in the cache folder.

A pack is a folder: `pack.json` (shape, counts, classes, digest), `images.bin` (training images, then test images),
`labels.npy` and `files.jsonl` (what was done with every file; those left out first). It is made beside
its place and then renamed, so a pack that exists is whole. Its name is a digest of the files and the preparation; where
no size was named, a file beside the packs remembers which one was found.
"""

import contextlib
import hashlib
import json
import math
import mmap
import shutil
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from pydantic import TypeAdapter

from zerosum.data import Progress, Source, Split
from zerosum.data.cache import cache_folder
from zerosum.data.files import Collection
from zerosum.data.packing import FORMAT, LISTED, make
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError
from zerosum.record import patiently, write_atomically

ABANDONED_SECONDS = 24 * 3600
MAP_NORESERVE = 0x4000  # of Linux; not every Python names it


def source(
    found: Collection, name: str, where: str, preparation: Preparation, progress: Progress | None = None
) -> Source:
    """The images of `found` as a source, packed now unless they were before.

    Raises:
        InputError: there are no usable images, too many are broken, or all are smaller than what was asked for.
    """
    if not found.items:
        raise InputError(f"{where}: {_nothing(found)}")
    packs = cache_folder() / "packs"
    try:
        place = packs / _key(found, _as_chosen_before(packs, found, preparation))
        if not (place / "pack.json").exists():
            place = _packed(packs, found, where, preparation, progress)
    except OSError as error:
        raise InputError(f"cannot write the pack of {where} to {packs}: {error.strerror or error}") from None
    return _open(place, name)


def _packed(packs: Path, found: Collection, where: str, preparation: Preparation, progress: Progress | None) -> Path:
    """Make the pack; its place."""
    _sweep(packs)
    partial = packs / f"{uuid.uuid4().hex}.partial"
    try:
        partial.mkdir(parents=True)
        size = make(partial, found, where, preparation, progress).size
        place = packs / _key(found, replace(preparation, size=size))
        _move(partial, place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if not isinstance(preparation.size, tuple):
        with contextlib.suppress(OSError):  # it saves time, and another process may be writing the same
            write_atomically(_memory(packs, found, preparation), json.dumps(size).encode())
    return place


def _as_chosen_before(packs: Path, found: Collection, preparation: Preparation) -> Preparation:
    """With the size that was found for the same files, if none was named: as a resumed run asks for it."""
    if not isinstance(preparation.size, tuple):
        with contextlib.suppress(FileNotFoundError, ValueError):
            return replace(preparation, size=json.loads(_memory(packs, found, preparation).read_bytes()))
    return preparation


def _memory(packs: Path, found: Collection, preparation: Preparation) -> Path:
    return packs / f"{_key(found, preparation)}.size"


def _sweep(packs: Path) -> None:
    """Remove what processes that were killed have left."""
    for partial in packs.glob("*.partial"):
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(partial, ignore_errors=True)


def _move(partial: Path, place: Path) -> None:
    try:
        patiently(lambda: partial.rename(place))
    except OSError:
        if not (place / "pack.json").exists():  # else another process was faster, with the same result
            raise


def _key(found: Collection, preparation: Preparation) -> str:
    """Of all that the content of a pack depends on."""
    largest = preparation.largest if preparation.size is None else Preparation.largest
    preparation = replace(preparation, flip=False, largest=largest)
    digest = hashlib.blake2b(digest_size=16)
    digest.update(FORMAT.encode() + TypeAdapter(Preparation).dump_json(preparation))
    for item in found.items:
        digest.update(f"\n{item.name}\t{item.stamp}\t{item.label}\t{item.box}\t{item.testing}".encode())
    for skipped in found.skipped:
        digest.update(f"\n{tuple(skipped)}".encode())
    return digest.hexdigest()


def _open(place: Path, name: str) -> Source:
    try:
        about = json.loads((place / "pack.json").read_bytes())
        train, test = about["train"], about["test"]
        images = _mapped(place / "images.bin", (train + test, *about["shape"]))
        labels = torch.from_numpy(np.load(place / "labels.npy")) if about["classes"] else None
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        raise InputError(f"the pack {place} is damaged: delete that folder, and it will be made again") from None

    def part(rows: slice) -> Split:
        return Split(images[rows], None if labels is None else labels[rows])

    return Source(
        name,
        part(slice(0, train)),
        part(slice(train, None)),
        tuple(about["classes"]),
        digest=about["digest"],
        files=place / "files.jsonl",
    )


def _mapped(file: Path, shape: tuple[int, ...]) -> torch.Tensor:
    """The bytes of a file as a tensor, read where they are used; what is written to it stays in memory.

    Linux would set memory aside for all of it, lest all of it be written to, and refuse files larger than the memory.
    """
    if sys.platform != "linux":
        return torch.from_numpy(np.memmap(file, np.uint8, "c", shape=shape))
    with file.open("rb") as opened:
        flags, access = mmap.MAP_PRIVATE | MAP_NORESERVE, mmap.PROT_READ | mmap.PROT_WRITE
        content = mmap.mmap(opened.fileno(), math.prod(shape), flags=flags, prot=access)
    return torch.frombuffer(content, dtype=torch.uint8).view(shape)


def _nothing(found: Collection) -> str:
    """Why there is no image."""
    if found.skipped:
        first = found.skipped[0]
        return f"no usable images; {len(found.skipped)} were left out, e.g. {first.name}: {first.reason}"
    others = ", ".join(f"{count:,} {kind}" for kind, count in found.ignored.most_common(LISTED)) or "nothing at all"
    return f"no images (JPEG, PNG, WebP, BMP, TIFF or GIF), but {others}"
