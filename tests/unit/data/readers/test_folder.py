"""Folders and archives of image files: what is found, what is skipped and why, and what is refused in one line."""

import io
import json
import os
import shutil
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.photos import encoded, fill, picture
from zerosum.cli._data import open_data, tell_files
from zerosum.cli._progress import plain_console
from zerosum.data import Source
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source
from zerosum.demonstrations.drawing import create_figure, encode_gif, encode_png
from zerosum.errors import InputError
from zerosum.export import samples
from zerosum.game.recipe import Recipe, change

ROOT = os.geteuid() == 0


def prepared(where: Path, **changes: object) -> Source:
    return open_source(str(where), Preparation(**changes))  # type: ignore[arg-type]


def refused(where: Path, **changes: object) -> str:
    with pytest.raises(InputError) as caught:
        prepared(where, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def lines(source: Source) -> list[dict[str, object]]:
    assert source.files is not None
    return [json.loads(line) for line in source.files.read_text(encoding="utf-8").splitlines()]


def used(source: Source) -> set[str]:
    return {str(line["file"]) for line in lines(source) if "used" in line}


def left_out(source: Source) -> dict[str, str]:
    return {str(line["file"]): str(line["skipped"]) for line in lines(source) if "skipped" in line}


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


@pytest.mark.parametrize("name", ["a.HEIC", "a.eps", "a.nef"])
def test_formats_that_are_not_read_are_said(name: str, tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / name).write_bytes(b"photo")
    assert left_out(prepared(tmp_path)) == {name: f"{name[1:].lower()} is not read: convert it to JPEG or PNG"}
    alone = tmp_path / "alone"
    alone.mkdir()
    (tmp_path / name).rename(alone / name)
    assert "no usable images; 1 were left out, e.g. a." in refused(alone)


def test_runs_among_the_images_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path)
    before = prepared(tmp_path).fingerprint
    run = tmp_path / "runs" / "photos"
    (run / "samples").mkdir(parents=True)
    (run / "run.json").write_text('{"zerosum": "0.2.0"}')
    fill(run / "samples", 3, first=50)
    assert prepared(tmp_path).fingerprint == before


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted as Linux lists them")
def test_of_many_archives_few_are_open(tmp_path: Path) -> None:
    for number in range(40):
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
            archive.writestr("a.bmp", encoded(picture(number, (16, 16), "RGB")))
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    source = prepared(tmp_path, labels="none")
    assert len(source.train) + len(source.test) == 40
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) <= before + 20


def test_folders_called_after_splits_are_no_classes(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for kind in ("cats", "dogs"):
            fill(tmp_path / split / kind, first=100 * len(split) + 50 * (kind == "dogs"))
    assert prepared(tmp_path).class_names == ("cats", "dogs")
    for kind in ("cats", "dogs"):
        assert prepared(tmp_path / "train" / kind).class_names == ()
    flat = tmp_path / "flat"
    for first, split in enumerate(("Train", "val")):
        fill(flat / split, first=20 * first)
    assert prepared(flat).class_names == ()


def kept_for_testing(source: Source) -> set[str]:
    """List the files that are kept for testing."""
    return {str(line["file"]) for line in lines(source) if line.get("used") == "test"}


def test_folders_called_train_and_test_are_the_splits(tmp_path: Path) -> None:
    """Exactly, also where both hold the same image; validation images are not for training."""
    for first, split in enumerate(("Training", "test", "val")):
        for kind in ("cats", "dogs"):
            fill(tmp_path / split / kind, 8, first=100 * first + 50 * (kind == "dogs"))
    (tmp_path / "test" / "cats" / "leak.bmp").write_bytes((tmp_path / "Training" / "cats" / "0000.bmp").read_bytes())
    for labels in ("auto", "none"):
        source = prepared(tmp_path, labels=labels)
        assert kept_for_testing(source) == {name for name in used(source) if not name.startswith("Training/")}
        assert {line["by"] for line in lines(source)} == {"folder"}
        assert len(source.train) == 16
    around = tmp_path / "around" / "data"
    around.mkdir(parents=True)
    for split in ("Training", "test", "val"):
        (tmp_path / split).rename(around / split)
    assert kept_for_testing(prepared(tmp_path)) == {f"around/data/{name}" for name in kept_for_testing(source)}


def test_folders_of_one_split_say_nothing_of_the_other(tmp_path: Path) -> None:
    """Nor do images beside such folders."""
    fill(tmp_path / "test")
    fill(tmp_path / "val", first=30)
    alone = prepared(tmp_path)
    assert {line["by"] for line in lines(alone)} == {"content"}
    assert len(kept_for_testing(alone)) < len(used(alone))
    fill(tmp_path / "train", first=60)
    (tmp_path / "cover.bmp").write_bytes(encoded(picture(99)))
    assert {line["by"] for line in lines(prepared(tmp_path))} == {"content"}


def test_a_split_that_is_empty_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "only.jpg").write_bytes(b"broken")
    said = "leave none for testing (16 to train on); add some, or name the folder of one split alone"
    assert refused(tmp_path).endswith(said)
    (tmp_path / "train").rename(tmp_path / "val")
    (tmp_path / "test").rename(tmp_path / "train")
    assert "leave none for training (16 for testing)" in refused(tmp_path)


def test_archives_called_after_splits_are_the_splits(tmp_path: Path) -> None:
    for first, split in enumerate(("train", "test")):
        with zipfile.ZipFile(tmp_path / f"{split}.zip", "w") as archive:
            for number in range(8):
                archive.writestr(f"{number}.bmp", encoded(picture(10 * first + number)))
    assert kept_for_testing(prepared(tmp_path)) == {f"test/{number}.bmp" for number in range(8)}


def test_stored_sizes_have_limits(tmp_path: Path) -> None:
    fill(tmp_path, size=(4, 4))
    assert "its images have 4x4 pixels; 8 to 4096 are possible: say --size" in refused(tmp_path, size="stored")


# Sizes and channels


@pytest.mark.parametrize(
    ("sides", "changes", "expected"),
    [
        ([64] * 24, {}, 64),
        ([300] * 24, {}, 64),
        ([300] * 24, {"largest": 256}, 256),
        ([300] * 24, {"largest": 200}, 128),
        ([63] * 24, {}, 32),
        ([5] * 24, {}, 8),
        ([64] * 18 + [16] * 6, {}, 64),
        ([64] * 17 + [16] * 7, {}, 16),
    ],
)
def test_the_size_is_the_largest_that_three_in_four_reach(
    tmp_path: Path, sides: list[int], changes: dict[str, object], expected: int
) -> None:
    for number, side in enumerate(sides):
        fill(tmp_path, 1, number, size=(side + 7, side))
    assert prepared(tmp_path, **changes).shape == (3, expected, expected)


def test_sizes_are_height_by_width(tmp_path: Path) -> None:
    fill(tmp_path, size=(100, 90))
    assert prepared(tmp_path, size="48x64").shape == (3, 48, 64)
    assert prepared(tmp_path, size=" 48 X 64 ").shape == (3, 48, 64)
    assert prepared(tmp_path, size=(48, 64)).shape == (3, 48, 64)
    assert prepared(tmp_path, size="16").shape == prepared(tmp_path, size=16).shape == (3, 16, 16)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        (("", "x", "48x", "x64", "48x64x3", "big", "²", "0x"), "as 64, or height x width, as 48x64"),
        (("7", "48x4", "0", "-8"), "a size is 8 to 4096 pixels"),
        (("5000", "8x5000", "9" * 5000), "a size is 8 to 4096 pixels"),
        (("4.5", "{}", "[8, 8, 8]", "true", "[true, 8]", '["8", "x"]'), "a size is 8 to 4096 pixels"),
    ],
)
def test_wrong_sizes_are_refused(sizes: tuple[str, ...], expected: str) -> None:
    for size in sizes:
        with pytest.raises(InputError) as caught:
            change(Recipe("x"), f"data.size={size}")
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith("data.size: ")
        assert expected in str(caught.value)


def test_images_that_are_all_smaller_than_asked_for_are_refused(tmp_path: Path) -> None:
    fill(tmp_path)
    message = refused(tmp_path, size=64)
    assert (
        "all images are smaller than the size 64x64 that was asked for; the largest has a shorter side of 32" in message
    )
    fill(tmp_path, 1, 16, size=(64, 64))
    assert prepared(tmp_path, size=64).shape == (3, 64, 64)


def test_channels(tmp_path: Path) -> None:
    fill(tmp_path / "gray", mode="L")
    assert prepared(tmp_path / "gray").shape[0] == 1
    assert prepared(tmp_path / "gray", channels=3).shape[0] == 3
    (tmp_path / "gray" / "alpha.png").write_bytes(encoded(picture(99, mode="LA"), "PNG"))
    assert prepared(tmp_path / "gray").shape[0] == 1
    assert prepared(tmp_path / "gray", alpha="keep").shape[0] == 2
    fill(tmp_path / "gray", 1, 100)
    assert prepared(tmp_path / "gray").shape[0] == 3
    assert prepared(tmp_path / "gray", alpha="keep").shape[0] == 4
    assert prepared(tmp_path / "gray", channels=1).shape[0] == 1
    fill(tmp_path / "opaque")
    assert prepared(tmp_path / "opaque", alpha="keep").shape[0] == 3


# Folders


def test_nested_images_are_found(tmp_path: Path) -> None:
    fill(tmp_path / "a" / "b" / "c", 8)
    fill(tmp_path / "a", 8, 8)
    source = prepared(tmp_path)
    assert used(source) == {f"a/b/c/{n:04d}.bmp" for n in range(8)} | {f"a/{n:04d}.bmp" for n in range(8, 16)}
    assert source.class_names == ()
    assert source.name == tmp_path.name


def test_folders_side_by_side_are_classes(tmp_path: Path) -> None:
    fill(tmp_path / "pets" / "dogs", 16)
    fill(tmp_path / "pets" / "cats", 16, 16)
    (tmp_path / "pets" / "notes.txt").write_text("not an image")
    source = prepared(tmp_path)
    assert source.class_names == ("cats", "dogs")
    for line in lines(source):
        assert line["class"] == str(line["file"]).split("/")[1]
    assert prepared(tmp_path, labels="none").class_names == ()
    fill(tmp_path / "pets", 1, 40)
    assert prepared(tmp_path).class_names == ()


def test_labels_fit_the_names_of_the_classes(tmp_path: Path) -> None:
    """Give every class one flat gray, so that each sample shows its class."""
    for number, name in enumerate(["zebra", "ant", "Öl", "犬"]):
        for each in range(12):
            (tmp_path / name).mkdir(exist_ok=True)
            gray = picture(0, (16, 16), "L").point(lambda value, number=number: 60 * number + value // 16)
            gray.putpixel((each, 0), 255)
            (tmp_path / name / f"{each}.bmp").write_bytes(encoded(gray))
    source = prepared(tmp_path)
    assert source.class_names == ("ant", "zebra", "Öl", "犬")
    for split in (source.train, source.test):
        assert split.labels is not None
        for sample, label in zip(split.samples, split.labels, strict=True):
            assert source.class_names[int(label)] == ["zebra", "ant", "Öl", "犬"][int(sample[0, 8, 8]) // 60]


@pytest.mark.parametrize(
    "name",
    [".hidden.bmp", "._0001.bmp", ".git/x.bmp", "__MACOSX/x.bmp", "__MACOSX/._x.bmp", "._photos.zip", ".x/y.zip"],
)
def test_what_systems_leave_behind_is_ignored(tmp_path: Path, name: str) -> None:
    fill(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"no image")
    source = prepared(tmp_path)
    assert (len(used(source)), left_out(source)) == (16, {})


def test_names_in_any_alphabet(tmp_path: Path) -> None:
    names = [
        "犬 und Käse.bmp",
        "صورة.BMP",
        "кот.bmp",
        "e\u0301.bmp",
        "é.bmp",
        "👩\u200d🚀.bmp",
        "a'b\"c$d%s{0}[b].bmp",
        "-x.bmp",
    ]
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(encoded(picture(number)))
    assert used(prepared(fill(tmp_path, first=20))) >= set(names)


def test_odd_names_stay_on_one_line(tmp_path: Path) -> None:
    """A name that is no UTF-8, and one that would write a line, and colours, into the terminal."""
    raw = {
        b"\xff\xfe.bmp": r"\udcff\udcfe.bmp",
        b"a\nb\x1b[31m.bmp": r"a\nb\x1b[31m.bmp",
        b"c\xe2\x80\xa8d.bmp": r"c\u2028d.bmp",
    }
    try:
        for number, name in enumerate(raw):
            Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(encoded(picture(number)))
            Path(os.fsdecode(os.fsencode(tmp_path) + b"/x" + name)).write_bytes(b"broken")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    source = prepared(fill(tmp_path, first=20))
    assert used(source) >= set(raw.values())
    assert set(left_out(source)) == {f"x{name}" for name in raw.values()}
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    tell_files(source, plain_console(file=out, width=80))
    out.seek(0)
    told = out.read()
    assert told.count("\n") == 4
    assert r"left out xa\nb\x1b[31m.bmp: it is text, not an image" in told
    assert told.isprintable() or "\x1b" not in told
    for number in range(10):
        (tmp_path / f"x{number}\n.bmp").write_bytes(b"broken")
    assert "of 32 images are broken" in refused(tmp_path)


def test_files_of_one_name_in_different_case(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "A.bmp").write_bytes(encoded(picture(50)))
    (tmp_path / "a.BMP").write_bytes(encoded(picture(51)))
    assert len(used(prepared(tmp_path))) == len(list(tmp_path.iterdir())) == 18


def test_links_are_followed_once(tmp_path: Path) -> None:
    elsewhere = fill(tmp_path / "elsewhere", 8)
    root = fill(tmp_path / "root", 16, 8)
    (root / "inner").mkdir()
    (root / "inner" / "loop").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    (root / "linked").symlink_to(elsewhere)
    (root / "linked-again").symlink_to(elsewhere)
    (root / ".first").symlink_to(root / "inner")
    (root / "inner" / "one.bmp").symlink_to(elsewhere / "0000.bmp")
    assert used(prepared(root)) == {
        "inner/one.bmp",
        *(f"linked/{number:04d}.bmp" for number in range(8)),
        *(f"{number:04d}.bmp" for number in range(8, 24)),
    }


def test_broken_links_are_broken_images(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "gone.zip").symlink_to(tmp_path / "nowhere.zip")
    reasons = left_out(prepared(tmp_path))
    assert reasons["gone.jpg"] == "no such file or directory"
    assert "loop.jpg" in reasons
    assert len(reasons) == 2


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    fill(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")
    os.mkfifo(tmp_path / "pipe.zip")
    assert len(used(prepared(tmp_path))) == 16


@pytest.mark.skipif(ROOT, reason="root may read anything")
def test_what_may_not_be_read_is_broken(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "0003.bmp").chmod(0)
    fill(tmp_path / "closed", 3, 20).chmod(0)
    try:
        assert left_out(prepared(tmp_path)) == {"0003.bmp": "permission denied", "closed": "permission denied"}
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_a_folder_that_cannot_be_looked_into_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    fill(tmp_path / "closed", 3, 20)
    scan = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr("os.scandir", refuse)
    assert left_out(prepared(tmp_path)) == {"closed": "permission denied"}


BAD = {
    "empty.jpg": (b"", "it is empty"),
    "truncated.bmp": (encoded(picture(0))[:1000], "it is damaged: "),
    "words.jpg": (b"dear diary", "it is text, not an image"),
    "page.png": (b"<!doctype html><title>Not found</title>", "it is a web page, not an image"),
}


def test_broken_files_are_skipped_and_listed(tmp_path: Path) -> None:
    fill(tmp_path)
    for name, (content, _) in BAD.items():
        (tmp_path / name).write_bytes(content)
    source = prepared(tmp_path)
    assert (len(used(source)), len(source.train) + len(source.test)) == (16, 16)
    found = left_out(source)
    assert found.keys() == BAD.keys()
    assert all(found[name].lower().startswith(reason.lower()) for name, (_, reason) in BAD.items())
    assert all(line["broken"] for line in lines(source)[:4])


def test_up_to_a_fifth_may_be_broken(tmp_path: Path) -> None:
    fill(tmp_path, 20)
    for number in range(5):
        (tmp_path / f"broken{number}.png").write_bytes(b"oops")
    assert len(used(prepared(tmp_path))) == 20
    (tmp_path / "broken5.png").write_bytes(b"oops")
    message = refused(tmp_path)
    assert "6 of 26 images are broken (broken0.png: it is text, not an image; broken1.png" in message
    assert "and 3 more); to go on without them, use --set data.broken=1" in message
    assert len(used(prepared(tmp_path, broken=1.0))) == 20


def test_what_pillow_warns_of_is_silent_in_every_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings are errors in these tests, so a thread whose filters another one takes away would call images broken."""
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 1000)
    with pytest.warns(Image.DecompressionBombWarning):
        Image.open(io.BytesIO(encoded(picture(0)))).close()
    before = list(warnings.filters)
    assert left_out(prepared(fill(tmp_path, 300))) == {}
    assert [each for each in warnings.filters if each in before] == before  # imports may add some


def test_no_images(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.txt").write_text("x")
    (tmp_path / "README").write_text("x")
    (tmp_path / ".hidden.jpg").write_text("x")
    assert refused(tmp_path).endswith(
        "no images (JPEG, PNG, WebP, BMP, TIFF, GIF and others: docs/photos.md), but 2 .txt, 1 no extension"
    )
    (tmp_path / "c.jpg").write_text("x")
    assert refused(tmp_path).endswith("none of 1 images can be read, e.g. c.jpg: it is text, not an image")
    assert "none of 1 images can be read" in refused(tmp_path, broken=1.0)


def test_images_whose_heads_only_are_whole(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.bmp").write_bytes(encoded(picture(number))[:500])
    for broken in (0.2, 1.0):
        assert "none of 4 images can be used (0.bmp: it is damaged" in refused(tmp_path, broken=broken)


def test_one_image_is_too_few(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    assert refused(tmp_path).endswith(
        "1 usable sample is too few: at least 4 different ones are needed, 2 to train with and 2 to test with"
    )


def test_a_run_is_no_data(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"format": 2, "zerosum": "0.2')
    assert "is a run, not data: 'zerosum resume" in refused(tmp_path)


def test_another_program_s_run_is_data(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "run.json").write_text('{"program": "scanner"}')
    assert len(used(prepared(tmp_path))) == 16


def generated_files(folder: Path) -> dict[str, Path]:
    """Write what commands write, each in its way."""
    images = torch.randint(0, 256, (12, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    made = {"grid": folder / "samples-7.png", "points": folder / "points.png", "each": folder / "mine"}
    made |= {"jpeg": folder / "photo.jpg", "webp": folder / "photo.webp"}
    for kind, path in made.items():
        samples.save(torch.randn(40, 2) if kind == "points" else images, path)
    made["renamed"] = folder / "nice.png"
    made["renamed"].write_bytes(made["grid"].read_bytes())
    figure = create_figure(1, 1)
    made["theory"] = folder / "figure.png"
    made["theory"].write_bytes(encode_png(figure))
    made["movie"] = folder / "figure.gif"
    made["movie"].write_bytes(encode_gif(figure, [0, 1], lambda state: None))
    return made


@pytest.mark.parametrize("zipped", [False, True])
def test_what_zerosum_made_is_no_data_wherever_it_lies(tmp_path: Path, zipped: bool) -> None:
    photos = tmp_path / "photos"
    for first, kind in enumerate(("cats", "dogs")):
        fill(photos / kind, 8, first=10 * first)
    before = prepared(photos).fingerprint
    generated_files(photos)
    run = photos / "runs" / "photos"
    fill(run / "samples", 3, first=50)
    (run / "run.json").write_text('{"zerosum": "0.2.0"}')
    data = Path(shutil.make_archive(str(tmp_path / "photos"), "zip", photos)) if zipped else photos
    source = prepared(data)
    assert source.fingerprint == before
    assert source.class_names == ("cats", "dogs")
    alone = {"samples-7.png", "points.png", "nice.png", "figure.png", "figure.gif", "runs/photos"}
    alone |= {"photo.jpg", "photo.webp"}
    assert left_out(source).keys() == alone | {f"mine/{number:06d}.png" for number in range(12)}
    assert "left out, as zerosum made them: 20 pictures or runs, e.g. runs/photos" in source.notes


def test_what_zerosum_made_can_be_scored(tmp_path: Path) -> None:
    made = generated_files(tmp_path)["each"]
    assert "no usable images; 12 were left out, e.g. 000000.png: zerosum made it" in refused(made)
    source = samples.load(str(made))
    assert len(source.train) + len(source.test) == 12


# Archives


def archive(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in entries.items():
            file.writestr(zipfile.ZipInfo(name), content, method)
    return path


def pictures(count: int = 16, first: int = 0, prefix: str = "") -> dict[str, bytes]:
    return {f"{prefix}{number:04d}.bmp": encoded(picture(number)) for number in range(first, first + count)}


def test_an_archive_is_read_in_place_as_its_folder_would_be(tmp_path: Path, cache: Path) -> None:
    entries = {**pictures(16, 0, "cats/"), **pictures(16, 16, "dogs/"), "__MACOSX/._x.bmp": b"", "readme.txt": b"hello"}
    for name, content in entries.items():
        (tmp_path / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pets" / name).write_bytes(content)
    path = archive(tmp_path / "pets.ZIP", entries)
    before = everything(tmp_path)
    source = prepared(path)
    assert everything(tmp_path) == before
    assert (source.name, source.class_names) == ("pets", ("cats", "dogs"))
    assert source.fingerprint == prepared(tmp_path / "pets").fingerprint
    assert used(source) == {name for name in entries if name.endswith(".bmp") and "MAC" not in name}
    assert cache in source.files.parents if source.files else False


def test_archives_in_a_folder_are_folders(tmp_path: Path) -> None:
    archive(tmp_path / "cats.zip", pictures())
    archive(tmp_path / "dogs.zip", pictures(16, 16))
    source = prepared(tmp_path)
    assert source.class_names == ("cats", "dogs")
    assert used(source) == pictures(16, 0, "cats/").keys() | pictures(16, 16, "dogs/").keys()


@pytest.mark.parametrize(
    "name",
    [
        "../x.bmp",
        "a/../../x.bmp",
        "/x.bmp",
        "//x.bmp",
        "C:/x.bmp",
        "c:x.bmp",
        "C:\\x.bmp",
        "..\\x.bmp",
        "a\\..\\..\\x.bmp",
        "\\\\host\\x.bmp",
    ],
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    path = archive(
        tmp_path / "deep" / "er" / "a.zip",
        {**pictures(16, 0, "a/"), **pictures(16, 16, "b/"), name: encoded(picture(99))},
    )
    before = everything(tmp_path)
    source = prepared(path)
    assert everything(tmp_path) == before
    assert left_out(source) == {name.replace("\\", "/"): "its name leads out of the archive"}
    assert source.class_names == ("a", "b")


def test_backslashes_are_slashes_and_colons_are_letters(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.zip", {**pictures(), "at 12:30.bmp": encoded(picture(50)), "sub\\x..y.bmp": encoded(picture(51))}
    )
    assert used(prepared(path)) == {*pictures(), "at 12:30.bmp", "sub/x..y.bmp"}


def patched(path: Path, name: str, place: int, form: str, value: int, *, local: int | None = None) -> None:
    """Change a number in the directory's record of an entry, and at `local` in the entry's header."""
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, content.rindex(name.encode()) - 46 + place, value)
    if local is not None:
        struct.pack_into(form, content, content.index(name.encode()) - 30 + local, value)
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    ("place", "form", "value", "expected"),
    [
        (8, "<H", 1, "it is encrypted"),
        (16, "<I", 12345, "its entry in the archive is damaged: Bad CRC-32"),
        (24, "<I", 100, "its entry in the archive is damaged: Bad CRC-32"),
        (24, "<I", 5000, "it is not as large as the archive says"),
        (24, "<I", 600_000_000, "it would unpack to 600,000,000 bytes"),
        (10, "<H", zipfile.ZIP_BZIP2, "it is compressed in a way that is not read; 'store' and 'deflate' are"),
        (10, "<H", 99, "it is compressed in a way that is not read; 'store' and 'deflate' are"),
        (38, "<I", 0o120777 << 16, "it is a link"),
        (42, "<I", 5, "its entry in the archive is damaged: Bad magic number"),
    ],
)
def test_entries_that_lie(tmp_path: Path, method: int, place: int, form: str, value: int, expected: str) -> None:
    path = archive(tmp_path / "a.zip", {**pictures(), "liar.bmp": encoded(picture(50, (32, 32), "L"))}, method)
    patched(path, "liar.bmp", place, form, value)
    reasons = left_out(prepared(path))  # some versions of Python refuse the entry that it overlaps, too
    assert reasons["liar.bmp"].startswith(expected)


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_truncated_archive_is_refused(tmp_path: Path, share: float) -> None:
    path = archive(tmp_path / "a.zip", pictures())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert refused(path).endswith("a.zip is no zip archive, or is damaged: File is not a zip file")


def test_words_named_zip_are_refused(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "a.zip").write_text("dear diary")
    for where in (tmp_path, tmp_path / "a.zip"):
        assert refused(where).endswith("a.zip is no zip archive, or is damaged: File is not a zip file")


def test_an_empty_archive_and_one_without_images(tmp_path: Path) -> None:
    assert "but nothing at all" in refused(archive(tmp_path / "a.zip", {}))
    assert "but 1 .txt" in refused(archive(tmp_path / "b.zip", {"a.txt": b"x", "folder/": b""}))


def test_an_entry_without_a_name_is_ignored(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {**pictures(), "": b"x"})
    assert len(used(prepared(path))) == 16


def test_what_was_chosen_is_what_the_recipe_says(tmp_path: Path) -> None:
    """So that a resumed run does not choose again."""
    fill(tmp_path, size=(20, 20))
    source, recipe = open_data(
        str(tmp_path), "auto", ["data.crop=fit", "batch_size=3"], "cpu", plain_console(file=io.StringIO())
    )
    assert (source.shape, recipe.data.size, recipe.data.crop, recipe.batch_size) == ((3, 16, 16), (16, 16), "fit", 3)
    again = open_source(str(tmp_path), recipe.data)
    assert again.files == source.files
    np.testing.assert_array_equal(again.train.samples, source.train.samples)
