"""The journal of decoded images: what is intact of it is taken over, the rest is cut off."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zerosum.data import hash_content
from zerosum.data.packs.collection import Item, Skipped
from zerosum.data.packs.duplicates import make_thumbnail
from zerosum.data.packs.journal import Journal
from zerosum.data.packs.splits import Decoded

SIZE = (3, 4, 5)
ITEMS = [Item(f"{number}.png", "", bytes) for number in range(5)]
BROKEN = 2  # the item that cannot be decoded


def pixels(number: int) -> bytes:
    return np.random.default_rng(number).integers(256, size=SIZE, dtype=np.uint8).tobytes()


def result(number: int) -> tuple[bytes, Decoded] | Skipped:
    if number == BROKEN:
        return Skipped(ITEMS[number].name, "it is damaged", broken=True)
    content = pixels(number)
    thumbnail = make_thumbnail(np.frombuffer(content, np.uint8).reshape(SIZE))
    return content, Decoded(ITEMS[number], thumbnail, hash_content(content), number)


def fill(place: Path, count: int) -> None:
    with Journal(place, SIZE, ITEMS) as journal:
        for number in range(count):
            journal.add(result(number))


def test_it_takes_over_what_an_earlier_process_noted(tmp_path: Path) -> None:
    fill(tmp_path, 4)
    with Journal(tmp_path, SIZE, ITEMS) as journal:
        assert len(journal) == 4
        assert journal.skipped == [result(BROKEN)]
        for found, number in zip(journal.images, (0, 1, 3), strict=True):
            expected = result(number)
            assert not isinstance(expected, Skipped)
            assert (found.item, found.pixels, found.file) == (ITEMS[number], expected[1].pixels, number)
            np.testing.assert_array_equal(found.thumbnail, expected[1].thumbnail)
        journal.add(result(4))
    assert (tmp_path / "unsorted.bin").read_bytes() == b"".join(map(pixels, (0, 1, 3, 4)))


def cut_line(place: Path) -> None:
    file = place / "decoded.jsonl"
    file.write_bytes(file.read_bytes()[:-1])


def cut_pixels(place: Path) -> None:
    file = place / "unsorted.bin"
    file.write_bytes(file.read_bytes()[:-1])


def zero_pixels(place: Path) -> None:
    """As after a power cut, when a file's length was written and not its content."""
    file = place / "unsorted.bin"
    file.write_bytes(file.read_bytes()[:120] + bytes(60))


def name_another(place: Path) -> None:
    file = place / "decoded.jsonl"
    *lines, last = file.read_text().splitlines()
    file.write_text("\n".join([*lines, json.dumps({**json.loads(last), "file": "other.png"})]) + "\n")


@pytest.mark.parametrize("damage", [cut_line, cut_pixels, zero_pixels, name_another])
def test_what_is_not_intact_is_cut_off(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    fill(tmp_path, 4)
    damage(tmp_path)
    with Journal(tmp_path, SIZE, ITEMS) as journal:
        assert len(journal) == 3
        for number in (3, 4):
            journal.add(result(number))
    assert (tmp_path / "unsorted.bin").read_bytes() == b"".join(map(pixels, (0, 1, 3, 4)))
    with Journal(tmp_path, SIZE, ITEMS) as journal:
        assert len(journal) == 5
