"""Boxes of Pascal-VOC annotations become images, and nothing else in such a file has any effect."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.photos import annotation, dog_competition, download, fill, pets, picture
from zerosum.data import Source
from zerosum.data.packs.annotations import Box, NotAnAnnotation, read_boxes, widen_box
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source
from zerosum.errors import InputError


def lines(source: Source) -> list[dict[str, object]]:
    assert source.files is not None
    return [json.loads(line) for line in source.files.read_text(encoding="utf-8").splitlines()]


def used(source: Source) -> dict[str, dict[str, object]]:
    return {str(line["file"]): line for line in lines(source) if "used" in line}


def left_out(source: Source) -> dict[str, dict[str, object]]:
    return {str(line["file"]): line for line in lines(source) if "skipped" in line}


def test_every_object_is_a_box() -> None:
    text = annotation((1, 2, 30, 40), (" 5 ", "\n6\n", "70.4", "80.6"), (-3, -4, 10, 11))
    assert read_boxes(text.encode()) == [Box(1, 2, 30, 40), Box(5, 6, 70, 81), Box(-3, -4, 10, 11)]


def test_an_object_without_a_whole_box_is_left_out() -> None:
    text = annotation((1, 2, 30, 40)).replace("</annotation>", "<object><bndbox><xmin>3</xmin></bndbox></object>")
    assert read_boxes(f"{text}</annotation>".encode()) == [Box(1, 2, 30, 40)]


def test_parts_of_an_object_are_not_objects() -> None:
    part = "<part><bndbox><xmin>0</xmin><ymin>0</ymin><xmax>1</xmax><ymax>1</ymax></bndbox></part></object>"
    assert read_boxes(annotation((1, 2, 30, 40)).replace("</object>", part).encode()) == [Box(1, 2, 30, 40)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "it is not XML"),
        (b"not XML", "it is not XML"),
        (b"<annotation><object>", "it is not XML"),
        (b"<html></html>", "its root is <html>, not <annotation>"),
        (b"<annotation></annotation>", "it has no <bndbox> with xmin, ymin, xmax and ymax"),
        (annotation((1, 2, "left", 3)).encode(), "its xmax is 'left', not a number"),
        (annotation((1, 2, "", 3)).encode(), "its xmax is '', not a number"),
        (annotation((1, 2, "nan", 3)).encode(), "its xmax is 'nan', not a number"),
        (annotation((1, 2, "9" * 400, 3)).encode(), "its xmax is '99999999999999999999', not a number"),
        (b" " * 10_000_001, "it has 10,000,001 bytes, too many"),
        *((f'<?xml version="1.0" encoding="{name}"?><annotation/>'.encode(), "it is") for name in ("?", "gbk", "hex")),
        (b'<?xml version="1.0" encoding="undefined"?><annotation/>', "it is not XML"),
    ],
)
def test_what_is_no_annotation_says_why(content: bytes, expected: str) -> None:
    with pytest.raises(NotAnAnnotation) as caught:
        read_boxes(content)
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "declaration",
    [
        "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10)),
        '<!ENTITY l9 SYSTEM "file:///etc/passwd">',
        '<!ENTITY % l9 SYSTEM "file:///etc/passwd"> %l9;',
    ],
)
def test_entities_are_never_loaded(declaration: str) -> None:
    text = f"<!DOCTYPE annotation [{declaration}]>{annotation(('&l9;', 2, 30, 40))}"
    with pytest.raises(NotAnAnnotation, match="it declares XML entities, which are never loaded"):
        read_boxes(text.encode())


def test_a_definition_elsewhere_is_never_loaded() -> None:
    text = f'<!DOCTYPE annotation SYSTEM "file:///etc/passwd">{annotation((1, 2, 30, 40))}'
    assert read_boxes(text.encode()) == [Box(1, 2, 30, 40)]


def test_deep_and_long_annotations_take_linear_work() -> None:
    """Each is close to the largest that is read: quadratic work would never end."""
    deep = 300_000
    text = annotation((1, 2, 30, 40)).replace("</annotation>", "<a>" * deep + "</a>" * deep + "</annotation>")
    assert read_boxes(text.encode()) == [Box(1, 2, 30, 40)]
    with pytest.raises(NotAnAnnotation, match="its xmax is '9"):
        read_boxes(annotation((1, 2, "9\n" * 200_000, 40)).encode())


def test_margin() -> None:
    assert widen_box(Box(10, 20, 50, 100), Preparation(margin=0.25)) == Box(0, 0, 60, 120)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(5, 5, 5, 50), "is empty"),
        (Box(50, 5, 5, 50), "is empty"),
        (Box(0, 0, 19, 50), "19 x 50 pixels has a side below data.smallest_box=20"),
        (Box(0, 0, 20, 51), "20 x 51 pixels is longer than data.longest_box=2.5 allows"),
    ],
)
def test_boxes_that_are_not_taken(box: Box, expected: str) -> None:
    assert expected in str(widen_box(box, Preparation(smallest_box=20, longest_box=2.5)))
    assert isinstance(widen_box(Box(0, 0, 20, 50), Preparation(smallest_box=20, longest_box=2.5)), Box)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Make sixteen pictures of 40 x 32 with a box each, annotated beside them."""
    for image in sorted(fill(tmp_path / "photos").iterdir()):
        image.with_suffix(".xml").write_text(annotation((4, 2, 24, 22)))
    return tmp_path / "photos"


def test_boxes_are_cut_out(photos: Path) -> None:
    source = open_source(str(photos), Preparation(size=(20, 20)))
    found = {row.numpy().tobytes() for split in (source.train, source.test) for row in split.samples}
    crops = [np.asarray(picture(number)).transpose(2, 0, 1)[:, 2:22, 4:24] for number in range(16)]
    assert found == {crop.tobytes() for crop in crops}
    assert all(line["box"] == [4, 2, 24, 22] for line in used(source).values())
    assert source.class_names == ()


def test_boxes_go_where_the_folder_of_their_photo_says(photos: Path) -> None:
    for number, photo in enumerate(sorted(photos.glob("*.bmp"))):
        folder = photos / ("test" if number % 2 else "train")
        folder.mkdir(exist_ok=True)
        for file in (photo, photo.with_suffix(".xml")):
            file.rename(folder / file.name)
    lines = used(open_source(str(photos)))
    assert {(name.split("/")[0], str(line["used"])) for name, line in lines.items()} == {("train",) * 2, ("test",) * 2}
    assert len(lines) == 16


def test_boxes_can_be_left_alone(photos: Path) -> None:
    source = open_source(str(photos), Preparation(boxes=False, size=(32, 40)))
    found = {row.numpy().tobytes() for split in (source.train, source.test) for row in split.samples}
    assert found == {np.asarray(picture(number)).transpose(2, 0, 1).tobytes() for number in range(16)}


def test_several_objects_and_those_that_are_not_taken(photos: Path) -> None:
    text = annotation((0, 0, 20, 20), (5, 5, 8, 8), (20, 12, 90, 60), (25, 25, 90, 90), (3, 3, 3, 30))
    (photos / "0003.xml").write_text(text)
    (photos / "0004.xml").unlink()
    source = open_source(str(photos))
    assert {"0003.bmp#1", "0003.bmp#3", "0005.bmp"} <= used(source).keys()
    reasons = {name: line["skipped"] for name, line in left_out(source).items()}
    assert reasons == {
        "0003.bmp#2": "its box of 3 x 3 pixels has a side below data.smallest_box=16",
        "0003.bmp#4": "of its box (25, 25, 90, 90) less than data.smallest_box=16 lies inside its 40 x 32 pixels",
        "0003.bmp#5": "its box (3, 3, 3, 30) is empty",
        "0004.bmp": "no annotation has its name (data.boxes=false takes images as a whole)",
    }
    assert not any(line["broken"] for line in left_out(source).values())


def test_files_that_are_left_out_are_part_of_the_pack(photos: Path) -> None:
    (photos / "0004.xml").unlink()
    assert left_out(open_source(str(photos))).keys() == {"0004.bmp"}
    (photos / "0004.bmp").unlink()
    assert left_out(open_source(str(photos))) == {}


def test_the_boxes_of_one_photo_are_on_one_side(tmp_path: Path) -> None:
    folder = fill(tmp_path / "photos", 30, size=(120, 60))
    for image in sorted(folder.iterdir()):
        image.with_suffix(".xml").write_text(annotation((0, 0, 40, 40), (40, 10, 80, 50), (80, 20, 120, 60)))
    source = open_source(str(folder))
    assert len(used(source)) == 90
    for number in range(30):
        assert len({used(source)[f"{number:04d}.bmp#{box}"]["used"] for box in (1, 2, 3)}) == 1


def test_a_broken_annotation_breaks_its_image(photos: Path) -> None:
    (photos / "0003.xml").write_text("<annotation>")
    source = open_source(str(photos))
    assert left_out(source)["0003.xml"]["broken"]
    assert len(used(source)) == 15


def test_annotations_of_one_name_go_with_the_nearest_images(tmp_path: Path) -> None:
    """Cats have their box at the left, dogs at the right; their files have the same names."""
    for kind, left in (("cats", 0), ("dogs", 20)):
        fill(tmp_path / "images" / kind)
        folder = tmp_path / "annotations" / kind
        folder.mkdir(parents=True)
        for number in range(16):
            (folder / f"{number:04d}.xml").write_text(annotation((left, 0, left + 20, 20)))
    source = open_source(str(tmp_path))
    assert source.class_names == ("cats", "dogs")
    assert len(used(source)) == 32
    for name, line in used(source).items():
        assert line["box"] == ([0, 0, 20, 20] if "cats" in name else [20, 0, 40, 20])
    (tmp_path / "annotations" / "cats").rename(tmp_path / "annotations" / "birds")
    (tmp_path / "annotations" / "dogs").rename(tmp_path / "annotations" / "fish")
    with pytest.raises(InputError, match=r"no usable images; 32 were left out, e\.g\..*: 2 annotations have its name"):
        open_source(str(tmp_path))


def test_masks_beside_the_annotations_are_no_images(tmp_path: Path) -> None:
    """As in the Oxford pets: annotations/xmls/*.xml and annotations/trimaps/*.png with the names of the images."""
    fill(tmp_path / "images")
    fill(tmp_path / "annotations" / "trimaps")
    (tmp_path / "annotations" / "xmls").mkdir()
    for number in range(16):
        (tmp_path / "annotations" / "xmls" / f"{number:04d}.xml").write_text(annotation((0, 0, 20, 20)))
    source = open_source(str(tmp_path))
    assert {Path(name).parts[0] for name in used(source)} == {"images"}
    assert {line["skipped"] for line in left_out(source).values()} == {"it lies among annotations"}
    assert source.class_names == ()


@pytest.mark.parametrize("extension", ["", ".xml", ".XML"])
def test_extensions(tmp_path: Path, extension: str) -> None:
    fill(tmp_path / "images")
    (tmp_path / "Annotation").mkdir()
    for number in range(16):
        (tmp_path / "Annotation" / f"{number:04d}{extension}").write_text(annotation((0, 0, 20, 20)))
    assert {str(line["box"]) for line in used(open_source(str(tmp_path))).values()} == {"[0, 0, 20, 20]"}


def test_folders_of_annotations_are_classes(tmp_path: Path) -> None:
    """The number of a WordNet synset is no part of the name, but every other part is."""
    fill(tmp_path / "all-dogs")
    for number in range(16):
        breed = ("n02113624-toy_poodle", "miniature-poodle")[number % 2]
        (tmp_path / "Annotation" / breed).mkdir(parents=True, exist_ok=True)
        (tmp_path / "Annotation" / breed / f"{number:04d}").write_text(annotation((0, 0, 20, 20)))
    source = open_source(str(tmp_path))
    assert source.class_names == ("miniature-poodle", "toy_poodle")
    assert {int(name[-8:-4]) % 2 == 0 for name, line in used(source).items() if line["class"] == "toy_poodle"} == {True}
    assert open_source(str(tmp_path), Preparation(labels="none")).class_names == ()


def test_annotations_in_folders_of_one_name_are_no_classes(tmp_path: Path) -> None:
    for split, first in (("train", 0), ("val", 16)):
        fill(tmp_path / split / "images", 16, first)
        (tmp_path / split / "annotations").mkdir()
        for number in range(first, first + 16):
            (tmp_path / split / "annotations" / f"{number:04d}.xml").write_text(annotation((0, 0, 20, 20)))
    assert open_source(str(tmp_path)).class_names == ()


def test_the_dog_competition_as_folders_and_as_archives(shared: Path, tmp_path: Path) -> None:
    """all-dogs/all-dogs/*.jpg and annotation/Annotation/<synset>-<breed>/<stem>, or both as they were downloaded."""
    photos = pets(shared / "pets" / "raw")
    for top, files in zip(("all-dogs", "annotation"), dog_competition(photos), strict=True):
        for path, name in files:
            (tmp_path / "folders" / top / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / "folders" / top / name)
    download(tmp_path / "archives", photos)

    folders, archives = (open_source(str(tmp_path / kind)) for kind in ("folders", "archives"))
    assert folders.fingerprint == archives.fingerprint
    assert folders.class_names == archives.class_names == tuple(sorted({photo.breed for photo in photos}))
    assert folders.shape == (3, 64, 64)
    boxes = sum(len(read_boxes(photo.annotation.read_bytes())) for photo in photos)
    assert len(used(folders)) + len(left_out(folders)) == boxes
    assert len(used(folders)) > 0.9 * len(photos)
    assert all(
        Path(name).stem.rsplit("_", 1)[0] == line["class"]
        for each in (folders, archives)
        for name, line in used(each).items()
    )
    assert not any(line["broken"] for line in left_out(folders).values())


def test_the_pets_with_boxes_of_their_own(shared: Path) -> None:
    source = open_source(str(shared / "pets" / "raw"), Preparation(size=(16, 16), margin=0.1))
    for photo in pets(shared / "pets" / "raw")[:5]:
        (box,) = read_boxes(photo.annotation.read_bytes())
        line = used(source)[f"images/{photo.image.name}"]
        across = round((box.right - box.left) * 0.1)
        assert line["box"][0] == box.left - across  # type: ignore[index]
