"""Find a pack in the cache folder or make it there, or make one in a folder that the user names.

A pack is made beside its place and then renamed, so a pack that exists is complete. In the cache its name is a digest
of the files and the preparation; if no size was asked for, a file beside the packs stores the size that was chosen.
What a process leaves that was ended while it made one is taken over by the next that makes the same.
"""

import contextlib
import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from zerosum.atomic import ABANDONED_SECONDS, PARTIAL, locking, retry, write_atomically
from zerosum.data import Progress, Source, cache_folder
from zerosum.data.packs.collection import Collection
from zerosum.data.packs.pack import DESCRIPTION, FORMAT, map_pack
from zerosum.data.packs.shape import EXAMPLES
from zerosum.data.packs.writing import write_pack
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError

KEY = "key"


def open_pack(
    found: Collection, name: str, where: str, preparation: Preparation, progress: Progress | None = None
) -> Source:
    """Return the images of `found` as a source; pack them first unless they were packed before.

    Raises:
        InputError: there are no usable images, too many are broken, or all are smaller than the size asked for.
    """
    _refuse_nothing(found, where)
    packs = cache_folder() / "packs"
    try:
        place = packs / _derive_key(found, _recall_size(packs, found, preparation))
        if not (place / DESCRIPTION).exists():
            place = _make_in_cache(packs, found, where, preparation, progress)
    except OSError as error:
        raise InputError(f"cannot write the pack of {where} to {packs}: {error.strerror or error}") from None
    source = map_pack(place, name)
    return replace(source, notes=(*_note_files(found), *source.notes))


def make_pack(
    place: Path, found: Collection, where: str, preparation: Preparation, progress: Progress | None = None
) -> Source:
    """Make a pack of the images of `found` in the new folder `place`, and return it as a source.

    What is unfinished lies in `PLACE.partial`; if a process that made the same pack was ended, go on where it was.

    Raises:
        InputError: there are no usable images, too many are broken, all are smaller than the size asked for; or the
            folder exists, cannot be written, or another process makes a pack there.
    """
    _refuse_nothing(found, where)
    if place.exists():
        raise InputError(f"{place} exists: name another folder, or delete it")
    partial = place.with_name(place.name + PARTIAL)
    try:
        partial.mkdir(parents=True, exist_ok=True)
        with locking(partial) as locked:
            if not locked:
                raise InputError(f"another process makes the pack {place}: wait for it, or name another folder")
            _begin(partial, _derive_key(found, preparation))
            with _removing_failures(partial):
                write_pack(partial, found, where, preparation, progress)
                _move(partial, place)
                (place / KEY).unlink()
    except OSError as error:
        raise InputError(f"cannot write the pack {place}: {error.strerror or error}") from None
    return map_pack(place, place.name)


def _refuse_nothing(found: Collection, where: str) -> None:
    if not found.items:
        raise InputError(f"{where}: {_explain_none(found)}")


def _make_in_cache(
    packs: Path, found: Collection, where: str, preparation: Preparation, progress: Progress | None
) -> Path:
    """Make the pack and return its folder."""
    _remove_abandoned(packs)
    packs.mkdir(parents=True, exist_ok=True)
    mine, other = (packs / f"{name}{PARTIAL}" for name in (_derive_key(found, preparation), uuid.uuid4().hex))
    with locking(mine) as locked:
        partial = mine if locked else other
        with _removing_failures(partial):
            partial.mkdir(exist_ok=True)
            size = write_pack(partial, found, where, preparation, progress).size
            place = packs / _derive_key(found, replace(preparation, size=size))
            _move(partial, place)
    if not isinstance(preparation.size, tuple):
        with contextlib.suppress(OSError):  # it saves time, and another process may be writing the same
            write_atomically(_locate_size_file(packs, found, preparation), json.dumps(size).encode())
    return place


def _begin(partial: Path, key: str) -> None:
    """Take over what is in the folder, if it is of the pack with that key; else empty it.

    Raises:
        InputError: there is something else than a partial pack in it.
    """
    note = partial / KEY
    if any(partial.iterdir()) and not note.is_file():
        raise InputError(f"{partial} is no unfinished pack: delete it, or name another folder")
    if note.is_file() and note.read_text() != key:
        shutil.rmtree(partial)
        partial.mkdir()
    note.write_text(key)


@contextlib.contextmanager
def _removing_failures(partial: Path) -> Iterator[None]:
    """Remove the partial pack if the packing fails; not if the process is told to end, so that the next can go on."""
    try:
        yield
    except Exception:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _recall_size(packs: Path, found: Collection, preparation: Preparation) -> Preparation:
    """If no size is asked for, fill in the one that was chosen for the same files before, e.g. for a resumed run."""
    if not isinstance(preparation.size, tuple):
        with contextlib.suppress(FileNotFoundError, ValueError):
            return replace(preparation, size=json.loads(_locate_size_file(packs, found, preparation).read_bytes()))
    return preparation


def _locate_size_file(packs: Path, found: Collection, preparation: Preparation) -> Path:
    return packs / f"{_derive_key(found, preparation)}.size"


def _remove_abandoned(packs: Path) -> None:
    """Remove the partial packs of processes that were killed, if none has gone on with them since."""
    for partial in packs.glob(f"*{PARTIAL}"):
        with contextlib.suppress(OSError):
            touched = max(path.stat().st_mtime for path in (partial, *partial.iterdir()))
            if time.time() - touched > ABANDONED_SECONDS:
                shutil.rmtree(partial, ignore_errors=True)


def _move(partial: Path, place: Path) -> None:
    try:
        retry(lambda: partial.rename(place))
    except OSError:
        if not (place / DESCRIPTION).exists():  # else another process was faster, with the same result
            raise
        shutil.rmtree(partial, ignore_errors=True)


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
    for note in found.notes:
        digest.update(f"\n{note}".encode())
    return digest.hexdigest()


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
