"""Packs: made once, whole or not at all, and a function of the files' content."""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.photos import encoded, fill, picture
from zerosum.data import Progress, Source, Split
from zerosum.data.packs import pack
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source
from zerosum.errors import InputError

ROOT = os.geteuid() == 0


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for packs in an empty cache; it does not exist yet."""
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "packs"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return fill(tmp_path / "photos")


def prepared(where: Path, progress: Progress | None = None, **changes: object) -> Source:
    return open_source(str(where), Preparation(**changes), progress)  # type: ignore[arg-type]


def lines(source: Source) -> list[dict[str, object]]:
    assert source.files is not None
    return [json.loads(line) for line in source.files.read_text(encoding="utf-8").splitlines()]


def sides(source: Source) -> dict[str, object]:
    """Return in which split each file is used."""
    return {str(line["file"]): line["used"] for line in lines(source) if "used" in line}


def never(*arguments: object) -> None:
    raise AssertionError("decoded again")


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid to decode files and to read their heads from now on."""
    for name in ("decode", "read_pages"):
        monkeypatch.setattr(f"zerosum.data.packs.writing.{name}", never)


def test_a_pack_is_as_documented(packs: Path, photos: Path) -> None:
    source = prepared(photos)
    (place,) = (path for path in packs.iterdir() if path.is_dir())
    assert {path.name for path in place.iterdir()} == {"pack.json", "images.bin", "files.jsonl", "blocks.bin"}
    assert source.files == place / "files.jsonl"
    assert (place / "images.bin").stat().st_size == 16 * 3 * 32 * 32
    samples = torch.cat([source.train.samples, source.test.samples])
    assert (samples.dtype, samples.shape) == (torch.uint8, (16, 3, 32, 32))
    assert samples.numpy().tobytes() == (place / "images.bin").read_bytes()
    expected = [np.asarray(picture(number)).transpose(2, 0, 1)[:, :, 4:36] for number in range(16)]
    for line, sample in zip(lines(source), samples, strict=True):
        np.testing.assert_array_equal(sample, expected[int(str(line["file"])[:4])])
    assert [line["used"] for line in lines(source)] == ["train"] * len(source.train) + ["test"] * len(source.test)


def test_samples_are_mapped_from_the_file(packs: Path, photos: Path) -> None:
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("this system does not tell what is mapped")
    source = prepared(photos)
    for split in (source.train, source.test):
        ranges = [line.split()[0].split("-") for line in maps.read_text().splitlines() if str(packs) in line]
        assert any(int(first, 16) <= split.samples.data_ptr() < int(last, 16) for first, last in ranges)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a sparse file takes its room on the disk")
def test_a_pack_may_be_larger_than_the_memory(tmp_path: Path) -> None:
    count = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 + 2**17  # 128 GiB more
    with (tmp_path / "images.bin").open("wb") as file:
        file.truncate(count * 2**20)
    images = pack.map_file(tmp_path / "images.bin", (count, 1, 1024, 1024))
    assert not images[-1].any()


def test_writing_to_samples_does_not_change_the_pack(packs: Path, photos: Path) -> None:
    source = prepared(photos)
    before = source.train.samples.clone()
    source.train.samples.zero_()
    assert torch.equal(prepared(photos).train.samples, before)


def test_the_second_opening_decodes_nothing(packs: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepared(photos)
    forbid(monkeypatch)
    again = prepared(photos)
    assert again.fingerprint == first.fingerprint
    assert torch.equal(again.train.samples, first.train.samples)


def test_a_size_that_was_chosen_can_be_asked_for(packs: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a resumed run does; and the other way round where another device would choose the same."""
    first = prepared(photos)
    forbid(monkeypatch)
    assert prepared(photos, size=(32, 32)).files == first.files
    assert prepared(photos, size=(32, 32), largest=256).files == first.files
    assert prepared(photos, flip=True).files == first.files


def test_a_size_that_was_chosen_is_chosen_again_if_its_note_is_lost(packs: Path, photos: Path) -> None:
    first = prepared(photos)
    (note,) = packs.glob("*.size")
    for content in (b"", b"[4, 4]", b"{}"):
        note.write_bytes(content)
        assert prepared(photos).files == first.files


@pytest.mark.parametrize(
    "change", [{"size": 16}, {"crop": "fit"}, {"channels": 1}, {"alpha": "keep"}, {"labels": "none"}, {"margin": 0.5}]
)
def test_another_preparation_is_another_pack(packs: Path, photos: Path, change: dict[str, object]) -> None:
    assert prepared(photos).files != prepared(photos, **change).files


def change_content(photos: Path) -> None:
    (photos / "0003.bmp").write_bytes(encoded(picture(77)))


def change_content_and_hide_it(photos: Path) -> None:
    """Another picture of the same size, with the old time of modification."""
    about = (photos / "0003.bmp").stat()
    change_content(photos)
    os.utime(photos / "0003.bmp", ns=(about.st_atime_ns, about.st_mtime_ns))


def add(photos: Path) -> None:
    fill(photos, 1, 16)


def add_broken(photos: Path) -> None:
    (photos / "broken.bmp").write_bytes(b"")


def remove(photos: Path) -> None:
    (photos / "0003.bmp").unlink()


def rename(photos: Path) -> None:
    (photos / "0003.bmp").rename(photos / "9999.bmp")


@pytest.mark.parametrize("change", [change_content, change_content_and_hide_it, add, add_broken, remove, rename])
def test_changed_added_and_removed_files_make_a_new_pack(packs: Path, photos: Path, change: object) -> None:
    first = prepared(photos)
    time.sleep(0.02)  # file systems note times in steps of some milliseconds
    change(photos)  # type: ignore[operator]
    again = prepared(photos)
    assert again.files != first.files
    found = {row.numpy().tobytes() for split in (again.train, again.test) for row in split.samples}
    whole = [np.asarray(Image.open(path)) for path in photos.iterdir() if path.stat().st_size]
    assert found == {image.transpose(2, 0, 1)[:, :, 4:36].tobytes() for image in whole}


def test_a_repaired_archive_makes_a_new_pack(packs: Path, photos: Path, tmp_path: Path) -> None:
    """Its directory, with all sizes and checksums, is the same as that of the damaged one."""
    whole = Path(shutil.make_archive(str(tmp_path / "a"), "zip", photos)).read_bytes()
    damaged = bytearray(whole)
    damaged[whole.index(b"0003.bmp") + 50] ^= 255
    (tmp_path / "a.zip").write_bytes(bytes(damaged))
    assert len(sides(prepared(tmp_path / "a.zip"))) == 15
    time.sleep(0.02)
    (tmp_path / "a.zip").write_bytes(whole)
    assert len(sides(prepared(tmp_path / "a.zip"))) == 16


def test_the_fingerprint_is_of_the_content_wherever_it_lies(packs: Path, photos: Path, tmp_path: Path) -> None:
    first = prepared(photos)
    shutil.copytree(photos, tmp_path / "elsewhere" / "copy")
    archive = Path(shutil.make_archive(str(tmp_path / "a"), "zip", photos))
    assert prepared(tmp_path / "elsewhere" / "copy").fingerprint == first.fingerprint
    assert prepared(archive).fingerprint == first.fingerprint
    (photos / "0003.bmp").write_bytes(encoded(picture(77)))
    assert prepared(photos).fingerprint != first.fingerprint


def test_the_fingerprint_tells_labels_shapes_and_splits_apart(packs: Path, tmp_path: Path) -> None:
    for number in range(16):
        for name, folder in (("a", f"{number // 8}"), ("b", f"{number % 2}"), ("c", "")):
            fill(tmp_path / name / folder, 1, number, size=(32, 16))
    seen = {prepared(tmp_path / name, size=(8, 16)).fingerprint for name in "abc"}
    seen.add(prepared(tmp_path / "c", size=(16, 8)).fingerprint)
    assert len(seen) == 4


class Stop:
    """Make a progress callback that is interrupted, as by Ctrl-C, after some images."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.seen: list[tuple[str, int, int]] = []

    def __call__(self, what: str, done: int, total: int) -> None:
        self.seen.append((what, done, total))
        if done == self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [1, 7, 16])
def test_an_interrupted_packing_goes_on_where_it_was(
    packs: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, after: int
) -> None:
    stop = Stop(after)
    with pytest.raises(KeyboardInterrupt):
        prepared(photos, stop)
    assert stop.seen == [("packing", done, 16) for done in range(1, after + 1)]
    assert [path.suffix for path in packs.iterdir()] == [".partial"]
    rest = Stop(100)
    source = prepared(photos, rest)
    assert rest.seen == [("packing", done, 16) for done in range(after + 1, 17)]
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "another"))
    at_once = prepared(photos)
    assert source.fingerprint == at_once.fingerprint
    assert lines(source) == lines(at_once)


def test_images_of_one_size_are_packed_once(packs: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(photos.parent / "equal", 40, size=(20, 30))
    first = open_source(str(folder), Preparation(size="stored"))
    monkeypatch.setattr("zerosum.data.packs.cache.write_pack", None)
    again = open_source(str(folder), Preparation(size="stored"))
    assert first.shape == again.shape == (3, 30, 20)
    assert again.fingerprint == first.fingerprint


def test_a_refused_packing_leaves_nothing(packs: Path, photos: Path) -> None:
    for number in range(6):
        (photos / f"{number}.jpg").write_bytes(b"oops")
    with pytest.raises(InputError, match="6 of 22 images are broken"):
        prepared(photos)
    assert list(packs.iterdir()) == []


def test_what_a_killed_process_left_is_removed_after_a_day(packs: Path, photos: Path) -> None:
    for name in ("old.partial", "new.partial"):
        (packs / name).mkdir(parents=True)
        (packs / name / "unsorted.bin").write_bytes(b"x")
    for path in (packs / "old.partial" / "unsorted.bin", packs / "old.partial"):
        os.utime(path, (0, 0))
    os.utime(packs / "new.partial", (0, 0))  # a process still writes into the folder
    prepared(photos)
    assert {path.name for path in packs.glob("*.partial")} == {"new.partial"}


def test_another_process_that_was_faster_is_no_error(packs: Path, photos: Path) -> None:
    def overtake(what: str, done: int, total: int) -> None:
        if done == total:
            prepared(photos)

    assert len(sides(prepared(photos, overtake))) == 16
    assert len([path for path in packs.iterdir() if path.is_dir()]) == 1


def test_a_cache_that_is_a_file_is_one_line(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    for place in ("file", "file/deeper"):
        monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / place))
        with pytest.raises(InputError) as caught:
            prepared(photos)
        assert str(caught.value).startswith(f"cannot write the pack of {photos} to {tmp_path / place / 'packs'}: ")
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(ROOT, reason="root may write anywhere")
@pytest.mark.parametrize("mode", [0o500, 0o000])
def test_a_cache_without_permission_is_one_line(packs: Path, photos: Path, mode: int) -> None:
    packs.parent.mkdir()
    packs.parent.chmod(mode)
    with pytest.raises(InputError, match=r"cannot write the pack of .* to .*: Permission denied"):
        prepared(photos)
    packs.parent.chmod(0o700)


def test_a_full_disk_is_one_line(packs: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zerosum.data.packs.writing._sort_images", full)
    with pytest.raises(InputError, match=r"cannot write the pack of .* to .*: No space left on device"):
        prepared(photos)
    assert list(packs.iterdir()) == []


@pytest.mark.parametrize("name", ["images.bin", "pack.json"])
@pytest.mark.parametrize("length", [0, 10])
def test_a_damaged_pack_says_so(packs: Path, photos: Path, name: str, length: int) -> None:
    source = prepared(photos)
    assert source.files is not None
    os.truncate(source.files.with_name(name), length)
    with pytest.raises(
        InputError, match=r"the pack .* is damaged, or of another version of zerosum: delete that folder"
    ):
        prepared(photos)


def test_added_files_move_no_old_one_from_test_to_train(packs: Path, tmp_path: Path) -> None:
    """Not even those that change the size, the channels, or come as near-duplicates of old ones."""
    folder = fill(tmp_path / "photos", 60, mode="L")
    before = sides(prepared(folder))
    assert prepared(folder).shape == (1, 32, 32)
    fill(folder, 200, 1000, size=(80, 70))
    for number in range(0, 60, 3):
        again = picture(number, mode="L").resize((200, 160))
        (folder / f"again{number}.jpg").write_bytes(encoded(again, "JPEG", quality=60))
    after = sides(prepared(folder))
    assert prepared(folder).shape == (3, 64, 64)
    tests = {name for name, side in before.items() if side == "test"}
    assert len(tests) > 3
    assert tests <= {name for name, side in after.items() if side == "test"}


def test_one_in_five_is_for_testing(packs: Path, tmp_path: Path) -> None:
    """Each with probability 0.2: among 400, five standard deviations are 40."""
    source = prepared(fill(tmp_path / "many", 400, size=(16, 16)))
    assert abs(len(source.test) - 80) < 40


def test_images_of_arrays_are_flipped_too() -> None:
    plain, flipped = open_source("digits"), open_source("digits", Preparation(flip=True))
    assert (plain.train.flip, flipped.train.flip, flipped.test.flip) == (False, True, False)
    assert not open_source("ring", Preparation(flip=True)).train.flip


def test_flips_are_for_training_only_and_a_function_of_the_seed(packs: Path, photos: Path) -> None:
    plain, flipped = prepared(photos), prepared(photos, flip=True)
    assert plain.fingerprint == flipped.fingerprint
    assert torch.equal(flipped.train.samples, plain.train.samples)
    assert (flipped.train.flip, flipped.test.flip) == (True, False)

    def mirrored(split: Split, number: int, seed: int) -> list[bool]:
        """Find which images of a minibatch are mirrored; each is as it was or its mirror image."""
        now = split.minibatch(64, number, seed).samples
        was = Split(split.samples).minibatch(64, number, seed).samples
        found = []
        for one, other in zip(now, was, strict=True):
            assert torch.equal(one, other) != torch.equal(one, other.flip(2))
            found.append(not torch.equal(one, other))
        return found

    first = mirrored(flipped.train, 0, 0)
    assert 12 < sum(first) < 52  # half of 64, within five standard deviations
    assert mirrored(flipped.train, 0, 0) == first
    assert mirrored(flipped.train, 1, 0) != first
    assert mirrored(flipped.train, 0, 1) != first
    assert not any(mirrored(flipped.test, 0, 0))
    assert not any(mirrored(plain.train, 0, 0))
    everything = torch.arange(len(flipped.train))
    assert torch.equal(flipped.train.batch(everything).samples, plain.train.batch(everything).samples)


def test_a_disk_without_room_is_refused_before_anything_is_decoded(
    photos: Path, packs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Disk", (), {"free": 100}))
    monkeypatch.setattr("zerosum.data.packs.writing.decode", never)
    with pytest.raises(InputError, match=r"packing 16 images of 32x40 needs .* GB in .* are free there: set ZEROSUM"):
        prepared(photos, size=(32, 40))
    assert not list(packs.glob("*/pack.json"))
