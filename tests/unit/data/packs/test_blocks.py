"""Blocks of a pack's samples: which rows lie in which, and that every byte is in a digest."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerosum.data.packs import blocks

rows = st.lists(st.integers(0, 5000), min_size=1, max_size=8)


@given(rows, st.integers(1, 3 * blocks.BLOCK))
def test_the_blocks_of_rows_hold_their_bytes_and_nothing_else(chosen: list[int], size: int) -> None:
    expected = {
        block for row in chosen for block in {row * size // blocks.BLOCK, ((row + 1) * size - 1) // blocks.BLOCK}
    }
    expected |= {
        block for row in chosen for block in range(row * size // blocks.BLOCK, (row * size + size) // blocks.BLOCK)
    }
    assert set(blocks.find_blocks(np.array(chosen), size).tolist()) == expected


@pytest.mark.parametrize("size", [1, blocks.BLOCK - 1, blocks.BLOCK, 2 * blocks.BLOCK + 1])
def test_each_block_has_its_digest(tmp_path: Path, size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    (tmp_path / "images.bin").write_bytes(content[:size])
    parts = [content[:size][first : first + blocks.BLOCK] for first in range(0, size, blocks.BLOCK)]
    expected = [hashlib.blake2b(part, digest_size=16).digest() for part in parts]
    assert blocks.digest_blocks(tmp_path / "images.bin") == b"".join(expected)
    assert blocks.count_blocks(size) == len(expected)
