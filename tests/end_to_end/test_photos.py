"""A folder of real photos at the command line, in this process: describe it, train, stop, resume."""

import json
import os
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

from tests.end_to_end.conftest import Command
from tests.photos import encoded, fill, picture
from zerosum.cli._training import Display
from zerosum.records import IterationRecord, Record

SMALL = (
    *("--set", "networks.width=4", "--set", "networks.feature_size=32", "--set", "batch_size=8"),
    *("--device", "cpu"),
)


@pytest.fixture
def zerosum(in_process: Command) -> Command:
    return in_process


@pytest.fixture(scope="module")
def photos(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of sixty real photos of all shapes, with the oddities of real folders."""
    folder = tmp_path_factory.mktemp("photos") / "Meine Bilder (2)"
    folder.mkdir()
    for image in sorted((shared / "pets" / "raw" / "images").glob("*.jpg"))[::3][:60]:
        (folder / image.name).symlink_to(image)
    (folder / "notes.txt").write_text("holidays")
    (folder / "broken\n[red].jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "._x.jpg").write_bytes(b"left behind")
    return folder


def test_data(zerosum: Command, photos: Path) -> None:
    code, out, err = zerosum("data", photos)
    assert (code, err) == (0, "")
    assert "60 images used, 1 left out (1 of them broken)" in out
    assert re.search(
        r"scores: with (8|9|1\d) images for testing, shares such as coverage are sure to about (2|3)\d points", out
    )
    assert re.search(r"(4|5)\d images to train on: of (20|207) photos of cats, 1,500 iterations of width 16", out)
    assert r"left out broken\n[red].jpg: it is data of another kind, not an image" in out
    assert "images, 3 x 64 x 64" in out
    assert "images, 3 x 48 x 64" in zerosum("data", photos, "--size", "48x64")[1]


def test_splits_in_folders_are_said_and_so_is_what_is_in_both(zerosum: Command, tmp_path: Path) -> None:
    for first, split in enumerate(("train", "test")):
        fill(tmp_path / "set" / split, first=100 * first)
    assert "kept for testing │ 16, as their folders say" in zerosum("data", tmp_path / "set")[1]
    fill(tmp_path / "set" / "test", 2)
    (tmp_path / "set" / "test" / "again.bmp").write_bytes(encoded(picture(100)))
    out = re.sub(r"[│\s]+", " ", zerosum("data", tmp_path / "set")[1])
    expected = "near-duplicates 3; 2 images for testing look like one to train on, e.g. test/0000.bmp looks like"
    assert f"{expected} train/0000.bmp" in out


def test_groups_of_near_equal_frames_stay_together(zerosum: Command, tmp_path: Path) -> None:
    for scene in range(10):
        base = np.asarray(picture(scene, (32, 32), "L")).astype(float)
        for number in range(6):
            noise = np.random.default_rng(10 * scene + number).normal(0, 1, base.shape)
            frame = Image.fromarray((base + noise).round().astype(np.uint8))
            (tmp_path / f"{scene} {number}.bmp").write_bytes(encoded(frame))
    code, out, err = zerosum("data", tmp_path)
    assert (code, err) == (0, "")
    assert "near-duplicates: 60 images in 10 groups of near-equal ones; groups stay together (folders train and" in out
    assert "to train on      │ 48" in out
    assert "kept for testing │ 12" in out


def test_one_picture_many_times_is_refused_in_words(zerosum: Command, tmp_path: Path) -> None:
    (tmp_path / "same").mkdir()
    for number in range(20):
        (tmp_path / "same" / f"{number}.bmp").write_bytes(encoded(picture(0)))
    needed = "at least 4 different ones are needed, 2 to train with and 2 to test with\n"
    said = zerosum.refused("train", tmp_path / "same", "--steps", 1)
    assert said.endswith(f"all 20 samples are the same: there is nothing to learn from one of them, 20 times; {needed}")
    for number in range(10):
        (tmp_path / "same" / f"{number}.bmp").write_bytes(encoded(picture(1)))
    assert zerosum.refused("data", tmp_path / "same").endswith(
        f"20 usable samples, but only 2 different ones: {needed}"
    )


def test_train_is_stopped_and_resumed_without_decoding_again(
    zerosum: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert zerosum("train", photos, "--steps", 2, "--size", 16, "--out", "whole", *SMALL)[0] == 0
    about = json.loads((zerosum.folder / "whole" / "run.json").read_text())
    assert about["recipe"]["data"]["size"] == [16, 16]
    assert Path(about["data"]) == photos

    show = Display.show

    def stop(self: Display, record: Record) -> None:
        show(self, record)
        if isinstance(record, IterationRecord):  # the first one only: a second signal would end this process at once
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Display, "show", stop)
        code, out, err = zerosum("train", photos, "--steps", 2, "--size", 16, "--out", "r", *SMALL)
    assert (code, err) == (128 + signal.SIGINT, "")
    assert "Stopped after 1 of 2 iterations" in out
    monkeypatch.setattr("zerosum.data.packs.writing.decode", None)
    code, out, err = zerosum("resume", "r")
    assert (code, err) == (0, "")
    assert "going on after 1 of 2 iterations" in out
    ends = [safetensors.numpy.load_file(zerosum.folder / run / "generator.safetensors") for run in ("whole", "r")]
    assert ends[0].keys() == ends[1].keys()
    assert all((ends[0][name] == ends[1][name]).all() for name in ends[0])


def test_a_pack_trains_as_the_photos_do_without_them(zerosum: Command, photos: Path) -> None:
    steps = ("--steps", 2, *SMALL)
    shutil.copytree(photos, zerosum.folder / "photos")
    assert zerosum("train", "photos", "--out", "from-photos", "--size", 16, *steps)[0] == 0
    code, out, err = zerosum("pack", "photos", "--out", "packs/mine", "--size", 16)
    assert (code, err) == (0, "")
    assert "'zerosum train packs/mine' trains on them" in out
    shutil.rmtree(zerosum.folder / "photos")
    assert zerosum("train", "packs/mine", "--out", "from-pack", *steps)[0] == 0
    ends = [
        safetensors.numpy.load_file(zerosum.folder / run / "generator.safetensors")
        for run in ("from-photos", "from-pack")
    ]
    assert ends[0].keys() == ends[1].keys()
    assert all((ends[0][name] == ends[1][name]).all() for name in ends[0])


def test_pack_refuses_what_it_cannot_pack(zerosum: Command, photos: Path) -> None:
    (zerosum.folder / "mine").mkdir()
    assert zerosum.refused("pack", photos, "--out", "mine") == (
        "error: mine exists: name another folder, or delete it\n"
    )
    assert "needs no packing" in zerosum.refused("pack", "digits", "--out", "d")
    assert "only fields of data say how images are prepared" in zerosum.refused(
        "pack", "digits", "--out", "d", "--set", "batch_size=3"
    )
    assert not (zerosum.folder / "d").exists()


def test_a_size_that_was_chosen_by_the_images_is_kept(
    zerosum: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = ("--set", "data.largest=16", *SMALL)
    assert zerosum("train", photos, "--steps", 1, "--out", "r", *small)[0] == 0
    assert json.loads((zerosum.folder / "r" / "run.json").read_text())["recipe"]["data"]["size"] == [16, 16]
    monkeypatch.setattr("zerosum.data.packs.writing.decode", None)
    assert zerosum("resume", "r", "--steps", 2)[0] == 0


def test_a_size_that_is_not_square(zerosum: Command, photos: Path) -> None:
    code, out, err = zerosum("train", photos, "--steps", 1, "--size", "48x64", "--out", "r", *SMALL)
    assert (code, err) == (0, "")
    assert "samples of shape [3, 48, 64] to train on" in out


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        *((size, "a size is 8 to 4096 pixels, as 64, or height") for size in ("48x", "big", "4", "64x4", "9999")),
        (
            "4000",
            "all images are smaller than the size 4000x4000 that was asked for; the largest has a shorter side of",
        ),
    ],
)
def test_wrong_sizes(zerosum: Command, photos: Path, size: str, expected: str) -> None:
    assert expected in zerosum.refused("train", photos, "--steps", 1, "--size", size, "--out", "r")


@pytest.mark.parametrize("command", [("data",), ("train", "--steps", 1, "--out", "r")])
def test_folders_that_cannot_be_used(zerosum: Command, tmp_path: Path, command: tuple[object, ...]) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.txt").write_text("x")
    assert (
        "words: no images (JPEG, PNG, WebP, BMP, TIFF, GIF and others: docs/photos.md), but 1 .txt"
        in zerosum.refused(*command, tmp_path / "words")
    )
    (tmp_path / "words" / "a\nb.jpg").write_bytes(b"x")
    assert r"none of 1 images can be read, e.g. a\nb.jpg: it is text" in zerosum.refused(*command, tmp_path / "words")
    (tmp_path / "words" / "a\nb.jpg").write_bytes(encoded(picture(0)))
    assert "1 usable sample is too few" in zerosum.refused(*command, tmp_path / "words")
    (tmp_path / "a.zip").write_text("x")
    assert "a.zip is no zip archive, or is damaged" in zerosum.refused(*command, tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("train", "photos", "--set", "game=hing"), "game: unknown game 'hing': did you mean 'hinge'?"),
        (("train", "photos", "--set", "batch=8"), "recipe has no field 'batch'"),
        (
            ("train", "photos", "--set", "generator_optimizer.lr=-1"),
            "generator_optimizer.lr: it must be greater than 0",
        ),
        (("train", "photos", "--set", "networks.packing=5"), "networks.packing=5 and batch_size=16 do not go together"),
        (
            ("train", "photos", "--recipe", "sngan", "--set", 'tricks=["noisy-labels"]'),
            "the game hinge has no labels to change",
        ),
        (("train", "photos", "--recipe", "dcgn"), "unknown recipe 'dcgn'"),
        (("train", "photos", "--device", "tpu"), "unknown device 'tpu': choose auto, cpu, cuda"),
        (("train", "photos", "--size", "x"), "data.size: a size is 8 to 4096 pixels"),
        (("train", "photos", "--out", "photos"), "photos exists already: please choose another --out"),
        (("train", "photos", "--out", "photos/0000.bmp/r"), "cannot write to photos/0000.bmp/r: Not a directory"),
        (("train", "photos", "--minutes", "-1"), "Invalid value for '--minutes'"),
        (("data", "photos", "--set", "game=hing"), "game: unknown game 'hing'"),
        (("data", "photos", "--sheet", "a/b.png"), "cannot write to a/b.png: a is not a folder"),
        (("evaluate", "photos", "--against", "photos", "--metric", "fad"), "unknown metric 'fad'"),
        (("evaluate", "photos", "--against", "photos", "--features", "vgg"), "unknown features 'vgg'"),
        (("evaluate", "photos", "--against", "photos", "--features", "inception:7"), "the numbers of features are 64"),
        (
            ("evaluate", "photos", "--against", "photos", "--weights", "w", "--features", "inception"),
            "weights w cannot",
        ),
        (("evaluate", "photos", "--against", "photos", "--size", "x"), "size: a size is 8 to 4096 pixels"),
        (
            ("evaluate", "photos", "--against", "photos", "--device", "tpu"),
            "unknown device 'tpu': choose auto, cpu, cuda",
        ),
        (("evaluate", "photos", "--against", "nowhere"), "no data at 'nowhere'"),
        (("evaluate", "photos", "nowhere", "--against", "photos"), "no run and no images at nowhere"),
        (("evaluate", "photos"), "say which real data to compare with: --against DATA"),
    ],
)
def test_words_are_checked_before_photos_are_read(
    zerosum: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], expected: str
) -> None:
    fill(zerosum.folder / "photos", 4)
    monkeypatch.setattr("zerosum.data.readers.folder.collect", None)
    assert expected in zerosum.refused(*arguments)


def test_a_run_without_a_checkpoint_or_a_device_is_refused_before_its_data_are_read(
    zerosum: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(zerosum.folder / "photos", 8)
    assert zerosum("train", "photos", "--steps", 1, "--out", "r", *SMALL)[0] == 0
    monkeypatch.setattr("zerosum.data.readers.folder.collect", None)
    for command in (("resume", "r", "--steps", 2), ("equilibrium", "r")):
        assert "unknown device 'tpu': choose auto, cpu, cuda" in zerosum(*command, "--device", "tpu")[2]
    for file in (zerosum.folder / "r" / "checkpoints").iterdir():
        file.unlink()
    for command in (("resume", "r", "--steps", 2), ("equilibrium", "r")):
        assert "has no checkpoint to resume from" in zerosum(*command)[2]


def test_what_was_taken_for_classes_is_said_and_can_be_set(zerosum: Command, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for first, folder in enumerate(("100CANON", "101CANON")):
        fill(photos / "DCIM" / folder, 8, first=10 * first)
    code, out, err = zerosum("data", photos)
    assert (code, err) == (0, "")
    assert "classes: none; the folders 100CANON, 101CANON look like a camera's; --set data.labels=folders uses" in out
    assert "│ classes " not in out
    out = zerosum("data", photos, "--set", "data.labels=folders")[1]
    assert "classes: the folders 100CANON (8), 101CANON (8)" in out
    assert "│ classes          │ 2 (100CANON: " in out
    labels = {f"{number:04d}.bmp": number % 2 for number in (*range(8), *range(10, 18))}
    (zerosum.folder / "mine.json").write_text(json.dumps(labels))
    out = zerosum("data", photos, "--set", "data.labels=mine.json")[1]
    assert "classes: the labels in mine.json: 0 (8), 1 (8)" in out
    (photos / "dataset.json").write_text(json.dumps({"labels": list(labels.items())}))
    out = zerosum("data", photos)[1]
    assert "classes: the labels in dataset.json: 0 (8), 1 (8); --set data.labels=none ignores them" in out


def test_wrong_labels_are_refused_before_work(zerosum: Command, tmp_path: Path) -> None:
    fill(tmp_path / "photos", 8)
    (zerosum.folder / "few.csv").write_text("file,label\n0000.bmp,a\n")

    def said(value: str) -> str:
        return zerosum.refused("train", tmp_path / "photos", "--set", f"data.labels={value}")

    assert "data.labels: labels are auto, folders, none, or a .json, .csv or .tsv file" in said("foldrs")
    assert "data.labels=folders, but 8 of 8 images lie in no folder that tells them apart, e.g. 0000" in said("folders")
    assert "nowhere.csv cannot be read: No such file or directory" in said("nowhere.csv")
    assert "few.csv gives 7 of 8 images no label, e.g. 0001.bmp" in said("few.csv")


def test_samples_among_the_photos_do_not_become_data(zerosum: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of somebody who works in the folder of photos."""
    fill(zerosum.folder, 16)

    def stop(self: Display, record: Record) -> None:
        if isinstance(record, IterationRecord):
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Display, "show", stop)
        assert zerosum("train", ".", "--steps", 2, *SMALL)[0] == 128 + signal.SIGINT
    run = f"runs/{zerosum.folder.name}"
    assert zerosum("sample", run, "--count", 4)[0] == 0
    code, out, err = zerosum("data", ".")
    assert (code, err) == (0, "")
    assert f"left out, as zerosum made them: 2 pictures or runs, e.g. {run}" in out
    assert "16 images used, 2 left out (0 of them broken)" in out
    code, out, err = zerosum("resume", run)
    assert (code, err) == (0, "")
    assert "going on after 1 of 2 iterations" in out
