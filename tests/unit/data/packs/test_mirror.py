"""Mirrors of packs: nothing is fetched twice, what is marked is there, also after a crash, and processes share it."""

import os
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from zerosum.data.packs import blocks, mirror
from zerosum.data.packs.mirror import Mirror
from zerosum.data.packs.pack import PackDescription, is_pack
from zerosum.data.packs.server import Piece
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError

SHAPE, TRAIN, TEST, BLOCK = (3, 16, 16), 40, 10, 4096
PIXELS = torch.randint(1, 256, (TRAIN + TEST, *SHAPE), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
CONTENT = PIXELS.numpy().tobytes()
BLOCKS = -(-len(CONTENT) // BLOCK)


class Store:
    """A pack without a server, and which blocks of it were asked for."""

    def __init__(self, folder: Path) -> None:
        (folder / "images.bin").write_bytes(CONTENT)
        self.files = {
            "blocks.bin": blocks.digest_blocks(folder / "images.bin"),
            "files.jsonl": b"{}",
            "images.bin": CONTENT,
        }
        self.asked = list[int]()
        self.told = list[tuple[str, int, int]]()

    def fetch(self, pieces: Sequence[Piece]) -> list[bytes]:
        self.asked += [piece.part[0] // BLOCK for piece in pieces if piece.part]
        return [self.files[piece.file][slice(*piece.part) if piece.part else slice(None)] for piece in pieces]

    def mirror(self, place: Path) -> Mirror:
        digests = {name: blocks.digest(content).hex() for name, content in self.files.items()}
        about = PackDescription(SHAPE, TRAIN, TEST, (), "", None, (), Preparation(), digests)
        return Mirror(place, about, self.fetch, lambda *said: self.told.append(said))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(blocks, "BLOCK", BLOCK)
    return Store(tmp_path)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "mirror"


ALL = np.arange(TRAIN + TEST)


def test_a_block_is_fetched_once_by_whoever_shares_the_mirror(store: Store, place: Path) -> None:
    first, second = store.mirror(place), store.mirror(place)
    first.need(np.array([0, 6, 0]))  # of 768 bytes: the row 5 lies in both of the first blocks
    assert store.asked == [0, 1]
    second.need(np.array([5]))
    assert store.asked == [0, 1]
    assert torch.equal(second.samples[:10], PIXELS[:10])
    assert not first.samples[11:].any()
    second.need(ALL)
    assert sorted(store.asked) == list(range(BLOCKS))
    assert torch.equal(first.samples, PIXELS)
    assert second.is_complete
    assert store.told == []
    assert torch.equal(store.mirror(place).samples, PIXELS)
    assert len(store.asked) == BLOCKS


def test_progress_is_told_of_what_is_missing(store: Store, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "AT_ONCE", 4)
    opened = store.mirror(place)
    opened.need(np.array([0]))
    opened.need(ALL, told=True)
    assert [done // BLOCK for _, done, _ in store.told] == [4, 8, 9]
    assert {total // BLOCK for _, _, total in store.told} == {BLOCKS - 1}


def test_nothing_is_marked_before_it_is_flushed(store: Store, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class PowerCut(Exception):
        pass

    def cut(descriptor: int) -> None:
        assert not (place / "present.bin").read_bytes().strip(b"\0")
        raise PowerCut

    opened = store.mirror(place)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", cut)
        with pytest.raises(PowerCut):
            opened.need(np.array([0]))
    again = store.mirror(place)
    again.need(np.array([0]))
    assert store.asked == [0, 0]
    assert torch.equal(again.samples[:5], PIXELS[:5])


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: os.truncate(file, 100)])
def test_marks_mean_nothing_without_their_samples(store: Store, place: Path, damage: object) -> None:
    store.mirror(place).need(ALL)
    damage(place / "mirror.bin")  # type: ignore[operator]
    again = store.mirror(place)
    assert not again.is_complete
    again.need(ALL)
    assert torch.equal(again.samples, PIXELS)


def test_a_mirror_that_was_deleted_and_begun_anew_is_another(store: Store, place: Path) -> None:
    old = store.mirror(place)
    shutil.rmtree(place)
    new = store.mirror(place)
    new.need(np.array([0]))
    old.need(ALL)
    assert torch.equal(old.samples, PIXELS)
    new.need(ALL)
    assert torch.equal(new.samples, PIXELS)


def test_threads_fetch_each_block_once(store: Store, place: Path) -> None:
    together = threading.Barrier(4)

    def look(number: int) -> bool:
        opened = store.mirror(place)
        together.wait()
        for row in np.random.default_rng(number).permutation(TRAIN + TEST):
            opened.need(np.array([row]))
            if not torch.equal(opened.samples[row], PIXELS[row]):
                return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(look, range(4)))
    assert sorted(store.asked) == list(range(BLOCKS))


def test_a_mirror_is_no_pack_and_takes_no_room_for_holes(store: Store, place: Path) -> None:
    store.mirror(place)
    assert not is_pack(place)
    about = (place / "mirror.bin").stat()
    assert about.st_size == len(CONTENT)
    assert getattr(about, "st_blocks", 0) == 0


def test_what_cannot_be_written_is_one_line(store: Store, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    opened = store.mirror(place)
    monkeypatch.setattr(os, "fsync", fill)
    with pytest.raises(
        InputError, match=r"cannot write the mirror .* to .*: No space left on device; set ZEROSUM_CACHE"
    ):
        opened.need(np.array([0]))
    place.with_name("file").write_text("x")
    with pytest.raises(InputError, match="cannot write the mirror"):
        store.mirror(place.with_name("file"))


def test_a_list_of_digests_of_another_length_is_refused(store: Store, place: Path) -> None:
    store.files["blocks.bin"] += bytes(16)
    with pytest.raises(InputError, match="another number of blocks"):
        store.mirror(place)
