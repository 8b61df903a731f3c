"""Find a pack in the cache folder or make it there, and map it into memory.

A pack is a folder: `pack.json` (shape, counts, classes, digest, range of the values, notes), `images.bin` (uint8:
training images, then test images), `labels.npy` and `files.jsonl` (what was done with every file; skipped ones first).
It is made beside its place and then renamed, so a pack that exists is complete. Its name is a digest of the files and
the preparation; if no size was asked for, a file beside the packs stores the size that was chosen.
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

from zerosum.atomic import retry, write_atomically
from zerosum.data import Progress, Source, Split, cache_folder
from zerosum.data.packs.collection import Collection
from zerosum.data.packs.shape import EXAMPLES
from zerosum.data.packs.writing import PackDescription, write_pack
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError

FORMAT = "zerosum pack 7"
ABANDONED_SECONDS = 24 * 3600
MAP_NORESERVE = 0x4000  # Linux's; not every Python has a name for it


def open_pack(
    found: Collection, name: str, where: str, preparation: Preparation, progress: Progress | None = None
) -> Source:
    """Return the images of `found` as a source; pack them first unless they were packed before.

    Raises:
        InputError: there are no usable images, too many are broken, or all are smaller than the size asked for.
    """
    if not found.items:
        raise InputError(f"{where}: {_explain_none(found)}")
    packs = cache_folder() / "packs"
    try:
        place = packs / _derive_key(found, _recall_size(packs, found, preparation))
        if not (place / "pack.json").exists():
            place = _make_pack(packs, found, where, preparation, progress)
    except OSError as error:
        raise InputError(f"cannot write the pack of {where} to {packs}: {error.strerror or error}") from None
    source = _map_pack(place, name)
    return replace(source, notes=(*_note_files(found), *found.notes, *source.notes))


def _make_pack(packs: Path, found: Collection, where: str, preparation: Preparation, progress: Progress | None) -> Path:
    """Make the pack and return its folder."""
    _remove_abandoned(packs)
    partial = packs / f"{uuid.uuid4().hex}.partial"
    try:
        partial.mkdir(parents=True)
        size = write_pack(partial, found, where, preparation, progress).size
        place = packs / _derive_key(found, replace(preparation, size=size))
        _move(partial, place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if not isinstance(preparation.size, tuple):
        with contextlib.suppress(OSError):  # it saves time, and another process may be writing the same
            write_atomically(_locate_size_file(packs, found, preparation), json.dumps(size).encode())
    return place


def _recall_size(packs: Path, found: Collection, preparation: Preparation) -> Preparation:
    """If no size is asked for, fill in the one that was chosen for the same files before, e.g. for a resumed run."""
    if not isinstance(preparation.size, tuple):
        with contextlib.suppress(FileNotFoundError, ValueError):
            return replace(preparation, size=json.loads(_locate_size_file(packs, found, preparation).read_bytes()))
    return preparation


def _locate_size_file(packs: Path, found: Collection, preparation: Preparation) -> Path:
    return packs / f"{_derive_key(found, preparation)}.size"


def _remove_abandoned(packs: Path) -> None:
    """Remove the partial packs of processes that were killed."""
    for partial in packs.glob("*.partial"):
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(partial, ignore_errors=True)


def _move(partial: Path, place: Path) -> None:
    try:
        retry(lambda: partial.rename(place))
    except OSError:
        if not (place / "pack.json").exists():  # else another process was faster, with the same result
            raise


def _derive_key(found: Collection, preparation: Preparation) -> str:
    """Digest everything that the content of a pack depends on."""
    largest = preparation.largest if preparation.size is None else Preparation.largest
    preparation = replace(preparation, flip=False, largest=largest)
    digest = hashlib.blake2b(digest_size=16)
    digest.update(FORMAT.encode() + TypeAdapter(Preparation).dump_json(preparation))
    for item in found.items:
        digest.update(f"\n{item.name}\t{item.stamp}\t{item.label}\t{item.box}\t{item.testing}".encode())
    for skipped in found.skipped:
        digest.update(f"\n{tuple(skipped)}".encode())
    return digest.hexdigest()


def _map_pack(place: Path, name: str) -> Source:
    """Map the pack in the folder `place` into memory, as a source called `name`."""
    try:
        about = TypeAdapter(PackDescription).validate_json((place / "pack.json").read_bytes())
        images = _map_file(place / "images.bin", (about.train + about.test, *about.shape))
        labels = torch.from_numpy(np.load(place / "labels.npy", allow_pickle=False)) if about.classes else None
    except (OSError, ValueError, EOFError, OverflowError, RuntimeError):
        raise InputError(f"the pack {place} is damaged: delete that folder, and it will be made again") from None

    def take(rows: slice) -> Split:
        return Split(images[rows], None if labels is None else labels[rows])

    return Source(
        name,
        take(slice(0, about.train)),
        take(slice(about.train, None)),
        about.classes,
        digest=about.digest,
        files=place / "files.jsonl",
        notes=about.notes,
        range=about.range,
    )


def _map_file(file: Path, shape: tuple[int, ...]) -> torch.Tensor:
    """Map a file into memory as a tensor; changes to the tensor are not written to the file.

    Without MAP_NORESERVE, Linux would reserve memory for the whole file, in case all of it is changed, and refuse files
    larger than the memory.
    """
    if sys.platform != "linux":
        return torch.from_numpy(np.memmap(file, np.uint8, "c", shape=shape))
    with file.open("rb") as opened:
        flags, access = mmap.MAP_PRIVATE | MAP_NORESERVE, mmap.PROT_READ | mmap.PROT_WRITE
        content = mmap.mmap(opened.fileno(), math.prod(shape), flags=flags, prot=access)
    return torch.frombuffer(content, dtype=torch.uint8).view(shape)


def _explain_none(found: Collection) -> str:
    """Explain why there is no image."""
    if found.skipped:
        first = found.skipped[0]
        return f"no usable images; {len(found.skipped)} were left out, e.g. {first.name}: {first.reason}"
    others = _count_kinds(found) or "nothing at all"
    return f"no images (JPEG, PNG, WebP, BMP, TIFF, GIF and others: docs/photos.md), but {others}"


def _count_kinds(found: Collection) -> str:
    """Count the files that are no images, by kind."""
    kinds = found.ignored.most_common()
    rest = sum(count for _, count in kinds[EXAMPLES:])
    words = [f"{count:,} {kind}" for kind, count in kinds[:EXAMPLES]]
    return ", ".join([*words, *([f"{rest:,} of other kinds"] if rest else [])])


def _note_files(found: Collection) -> list[str]:
    """Say how many files are no images."""
    count = found.ignored.total()
    what = "file is no image" if count == 1 else "files are no images"
    return [f"{count:,} {what}: {_count_kinds(found)}"] if count else []
