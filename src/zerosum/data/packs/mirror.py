"""Mirror a pack of another machine in the cache folder, block by block, as its samples are looked at.

A mirror is a folder: `labels.npy`, `files.jsonl` and `blocks.bin` as in the pack, `mirror.bin`, which has the size of
the pack's samples but holes for the blocks that were not fetched yet, and `present.bin`, a byte for each block: 1 if it
is there. A block is verified, written and flushed before it is marked, so what is marked is right, also after a crash.
The processes of a machine share the mirror: one at a time fetches.
"""

import math
import os
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from filelock import FileLock

from zerosum.atomic import write_atomically
from zerosum.data import Progress
from zerosum.data.packs import blocks
from zerosum.data.packs.blocks import DIGEST, Numbers, count_blocks, find_blocks
from zerosum.data.packs.pack import BLOCKS, FILES, IMAGES, LABELS, PackDescription, map_file
from zerosum.data.packs.server import Piece
from zerosum.errors import InputError

SAMPLES, PRESENT, LOCK = "mirror.bin", "present.bin", ".lock"
AT_ONCE = 64  # blocks
Fetch = Callable[[Sequence[Piece]], list[bytes]]


class Mirror:
    """The samples of a pack on another machine, as far as they were fetched.

    Attributes:
        place: the folder.
        samples: uint8 [N, C, H, W], mapped from the file; holes read as zeros, so `need` comes before any look.
        is_complete: whether all were there when this process opened the mirror, or last fetched some.
    """

    def __init__(self, place: Path, about: PackDescription, fetch: Fetch, tell: Progress) -> None:
        """Open the mirror in the folder `place`, or begin it: fetch all but the samples.

        Args:
            place: the folder; there is none yet if the mirror is begun.
            about: the description of the pack.
            fetch: returns the bytes of pieces of the pack, verified.
            tell: is told how far the samples are fetched, where many are needed at once.

        Raises:
            InputError: a file cannot be had or written, or is not as described.
        """
        self.place, self._fetch, self._tell = place, fetch, tell
        self._row = math.prod(about.shape)
        count = about.train + about.test
        self._size = count * self._row
        self._writing = f"cannot write the mirror of the pack to {place}"
        try:
            place.mkdir(parents=True, exist_ok=True)
            with FileLock(place / LOCK):
                for name in about.digests.keys() & {BLOCKS, FILES, LABELS}:
                    if not (place / name).exists():
                        (content,) = fetch([Piece(name, bytes.fromhex(about.digests[name]))])
                        write_atomically(place / name, content)
                self._digests = (place / BLOCKS).read_bytes()
                if len(self._digests) != DIGEST * count_blocks(self._size):
                    raise InputError("the pack has another number of blocks than its description says: pack it again")
                self._make_room()
                self._present = np.asarray(np.memmap(place / PRESENT, np.uint8, "r+"))
                self.samples = map_file(place / SAMPLES, (count, *about.shape))
                self._file = (place / SAMPLES).open("r+b")  # the file that is mapped, also if another takes its name
            weakref.finalize(self, self._file.close)
            self.is_complete = bool(self._present.all())
        except OSError as error:
            raise InputError(f"{self._writing}: {error.strerror or error}") from None

    def need(self, rows: Numbers, *, told: bool = False) -> None:
        """Have the samples of these `rows`: fetch the blocks of them that are not there; tell how far, if `told`.

        Raises:
            InputError: a block cannot be had, or cannot be written.
        """
        if self.is_complete:
            return
        needed = find_blocks(rows, self._row)
        missing = np.unique(needed[self._present[needed] == 0])
        for first in range(0, len(missing), AT_ONCE):
            self._add(missing[first : first + AT_ONCE])
            if told:
                self._tell("samples", blocks.BLOCK * min(first + AT_ONCE, len(missing)), blocks.BLOCK * len(missing))

    def _add(self, numbers: Numbers) -> None:
        """Fetch the blocks of those `numbers` that no other process fetched in the meantime."""
        try:
            with FileLock(self.place / LOCK):
                missing = [int(number) for number in numbers if not self._present[number]]
                for number, content in zip(missing, self._fetch(list(map(self._describe, missing))), strict=True):
                    self._file.seek(number * blocks.BLOCK)
                    self._file.write(content)
                self._file.flush()
                os.fsync(self._file.fileno())
                self._present[missing] = 1
                self.is_complete = bool(self._present.all())
        except OSError as error:
            raise InputError(
                f"{self._writing}: {error.strerror or error}; set ZEROSUM_CACHE to another folder"
            ) from None

    def _describe(self, number: int) -> Piece:
        first = number * blocks.BLOCK
        digest = self._digests[number * DIGEST : (number + 1) * DIGEST]
        return Piece(IMAGES, digest, (first, min(first + blocks.BLOCK, self._size)))

    def _make_room(self) -> None:
        """Make the two files, unless they are there; marks without their samples mean nothing."""
        samples, present = self.place / SAMPLES, self.place / PRESENT
        if not samples.exists() or samples.stat().st_size != self._size:
            present.unlink(missing_ok=True)
        for file, size in ((samples, self._size), (present, count_blocks(self._size))):
            with file.open("ab") as opened:
                opened.truncate(size)
