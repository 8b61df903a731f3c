"""The blocks of a pack's samples: their digests, so that each can be verified by itself, wherever it comes from."""

import hashlib
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 18  # bytes; a multiple of every system's memory pages
DIGEST = 16  # bytes
Numbers: TypeAlias = NDArray[np.int64]


def digest(content: bytes) -> bytes:
    """Return the digest of a block, or of another file of the pack."""
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


def digest_blocks(file: Path) -> bytes:
    """Return the digests of all blocks of `file`, one after the other; the last block may be shorter."""
    with file.open("rb") as opened:
        return b"".join(map(digest, iter(lambda: opened.read(BLOCK), b"")))


def count_blocks(size: int) -> int:
    """Return of how many blocks a file of `size` bytes is."""
    return -(-size // BLOCK)


def find_blocks(rows: Numbers, size: int) -> Numbers:
    """Return the numbers of the blocks in which `rows` of `size` bytes lie; those of several rows, several times."""
    firsts, lasts = rows * size // BLOCK, ((rows + 1) * size - 1) // BLOCK
    if np.array_equal(firsts, lasts):
        return firsts
    spans = firsts[:, None] + np.arange((lasts - firsts).max() + 1)
    return np.asarray(spans[spans <= lasts[:, None]])
