"""Packs that the user names: the same data as the files that they were made of, anywhere."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.photos import fill
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source
from zerosum.data.readers.files import find_files
from zerosum.errors import InputError
from zerosum.run.plan import open_for_recipe


def pack(photos: Path, place: Path, **options: object) -> Path:
    reader, name = find_files(str(photos))
    reader.pack(name, place, Preparation(**options))  # type: ignore[arg-type]
    return place


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for kind in ("cats", "dogs"):
        fill(tmp_path / "photos" / kind, 16, first=100 * len(kind) + ord(kind[0]))
    return tmp_path / "photos"


def test_a_pack_is_the_same_data_as_the_files_also_without_them(tmp_path: Path, photos: Path) -> None:
    expected = open_source(str(photos))
    place = pack(photos, tmp_path / "pack")
    assert not list(tmp_path.glob("*.partial*"))
    shutil.rmtree(photos)
    moved = place.rename(tmp_path / "elsewhere")
    found = open_source(str(moved))
    assert found.fingerprint == expected.fingerprint
    assert found.class_names == expected.class_names == ("cats", "dogs")
    assert found.notes == expected.notes
    assert torch.equal(found.train.samples, expected.train.samples)
    assert found.train.labels is not None
    assert expected.train.labels is not None
    assert torch.equal(found.train.labels, expected.train.labels)
    assert open_source(str(moved), Preparation(flip=True)).train.flip


def test_a_run_records_how_the_images_of_a_pack_were_prepared(tmp_path: Path, photos: Path) -> None:
    place = pack(photos, tmp_path / "pack", crop="fit", size="16")
    _, recipe = open_for_recipe(str(place), "auto", ["data.flip=true"])
    assert recipe.data == Preparation(crop="fit", size=(16, 16), flip=True)
    open_source(str(place), recipe.data)  # as a resumed run does
    open_source(str(place), Preparation(size=(16, 16), channels=3))  # as an evaluation against it does


def test_a_pack_of_the_format_before_is_read(tmp_path: Path, photos: Path) -> None:
    place = pack(photos, tmp_path / "pack")
    about = json.loads((place / "pack.json").read_text())
    del about["digests"]
    (place / "pack.json").write_text(json.dumps(about | {"format": "zerosum pack 8"}))
    (place / "blocks.bin").unlink()
    assert open_source(str(place)).fingerprint == open_source(str(photos)).fingerprint


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            {"size": "32"},
            r"data.size=32x32: the images of the pack .* were made with 16x16; make another one by zerosum",
        ),
        ({"channels": 1}, "data.channels=1: the images of the pack .* were made with 3"),
        ({"crop": "stretch"}, "data.crop=stretch: the images of the pack .* were made with centre"),
        ({"labels": "none"}, "data.labels=none: the images of the pack .* were made with auto"),
    ],
)
def test_other_pixels_than_those_of_the_pack_are_refused(
    tmp_path: Path, photos: Path, asked: dict[str, object], expected: str
) -> None:
    place = pack(photos, tmp_path / "pack", size="16")
    with pytest.raises(InputError, match=expected):
        open_source(str(place), Preparation(**asked))  # type: ignore[arg-type]


def change_format(place: Path) -> None:
    about = json.loads((place / "pack.json").read_text())
    (place / "pack.json").write_text(json.dumps(about | {"format": "zerosum pack 99"}))


def cut(place: Path) -> None:
    (place / "images.bin").write_bytes(b"short")


def lose_labels(place: Path) -> None:
    (place / "labels.npy").unlink()


@pytest.mark.parametrize("damage", [change_format, cut, lose_labels])
def test_a_damaged_pack_is_one_line(tmp_path: Path, photos: Path, damage: Callable[[Path], None]) -> None:
    place = pack(photos, tmp_path / "pack")
    damage(place)
    with pytest.raises(InputError, match=r"the pack .* is damaged, or of another version of zerosum"):
        open_source(str(place))


def test_what_needs_no_packing_is_refused(tmp_path: Path, photos: Path) -> None:
    place = pack(photos, tmp_path / "pack")
    for data in ("digits", str(place)):
        with pytest.raises(InputError, match="needs no packing"):
            find_files(data)


def test_a_folder_that_exists_is_left_alone(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="mine exists: name another folder, or delete it"):
        pack(photos, tmp_path / "mine")
    (tmp_path / "pack.partial").mkdir()
    (tmp_path / "pack.partial" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"pack.partial is no unfinished pack: delete it, or name another folder"):
        pack(photos, tmp_path / "pack")
    assert (tmp_path / "pack.partial" / "thesis.txt").exists()


def test_a_partial_pack_of_other_images_is_begun_anew(tmp_path: Path, photos: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    reader, name = find_files(str(photos))
    with pytest.raises(KeyboardInterrupt):
        reader.pack(name, tmp_path / "pack", Preparation(size="16"), stop)  # type: ignore[arg-type]
    seen = []
    reader.pack(name, tmp_path / "pack", Preparation(), lambda what, done, total: seen.append(done))
    assert seen[0] == 1
    assert open_source(str(tmp_path / "pack")).fingerprint == open_source(str(photos)).fingerprint
    assert {path.name for path in (tmp_path / "pack").iterdir()} == {
        "pack.json",
        "images.bin",
        "labels.npy",
        "files.jsonl",
        "blocks.bin",
    }
