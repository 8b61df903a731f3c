"""What is taken for classes, and what is said about it."""

import json
from collections import Counter
from pathlib import PurePosixPath

import pytest

from zerosum.data.packs.classes import Image, find_classes, judge_names, sort_classes
from zerosum.errors import InputError


def images(*names: str) -> list[Image]:
    return [Image(name, PurePosixPath(name).parts) for name in names]


FLAT = images("a.png", "b.png", "c.png", "d.png")
HALVES = ["cat", "cat", "dog", "dog"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["100CANON", "101CANON"], "a camera's"),
        (["100MSDCF", "101MSDCF", "misc"], "a camera's"),
        (["100_PANA", "101_PANA"], "a camera's"),
        (["2021-05-01", "2021-05-02"], "dates"),
        (["2021-05-01 Beach", "2021-06-02 Home"], "dates"),
        (["20210501", "20210502"], "dates"),
        (["2019", "2020"], "dates"),
        (["01.05.2021", "02.05.2021"], "dates"),
        (["00000", "00001"], "a storage's"),
        (["00000", "01000", "02000"], "a storage's"),
        ([f"{number:02d}" for number in range(100)], "a storage's"),
        (["part-0001", "part-0002"], "parts of one set"),
        (["images_001", "images_002"], "parts of one set"),
        (["New Folder", "New Folder (2)"], "parts of one set"),
        (["3f", "a0", "00", "ff"], "hashes"),
        ([f"{number:02x}" for number in range(256)], "hashes"),
        (["d41d8cd98f00", "0cc175b9c0f1"], "hashes"),
        (["f47ac10b-58cc-4372-a567-0e02b2c3d479", "16fd2706-8baf-433b-82eb-8c7fada847da"], "hashes"),
        (["images", "masks"], "what their images are for"),
        (["train", "images"], "what their images are for"),
    ],
)
def test_folders_that_are_no_classes(names: list[str], words: str) -> None:
    assert words in judge_names(Counter(dict.fromkeys(names, 30)))
    found = find_classes(images(*(f"{name}/{each}.png" for name in names for each in range(9))), {}, "auto")
    assert set(found.labels) == {None}
    assert found.note.startswith("classes: none; the folders ")
    assert found.note.endswith("; --set data.labels=folders uses them all the same")


@pytest.mark.parametrize(
    "names",
    [
        ["cats", "dogs"],
        [str(digit) for digit in range(10)],
        [f"{number:02d}" for number in range(12)],
        ["n02085620", "n02085782"],
        ["001.Black_footed_Albatross", "002.Laysan_Albatross"],
        ["ad", "be"],
        ["beach", "2021-05-01", "forest"],
        ["red", "green", "blue"],
        ["class_0", "class_1"],
        ["Audi TT 2011", "Fiat 500 2012"],
    ],
)
def test_folders_that_are_classes(names: list[str]) -> None:
    assert judge_names(Counter(dict.fromkeys(names, 30))) == ""
    found = find_classes(images(*(f"{name}/{each}.png" for name in names for each in range(9))), {}, "auto")
    assert set(found.labels) == set(names)
    assert found.note.startswith("classes: the folders ")


def test_folders_of_one_or_two_pictures_are_ids() -> None:
    persons = Counter({f"person {name}": 2 for name in "abcde"} | {"person f": 40})
    assert "hold at most 2 images each, half of them" in judge_names(persons)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "dataset.json",
            json.dumps({"labels": [["a.png", "cat"], ["b.png", "cat"], ["c.png", "dog"], ["d.png", "dog"]]}),
        ),
        ("labels.json", json.dumps({"a.png": "cat", "b.png": "cat", "c.png": "dog", "d.png": "dog"})),
        ("labels.json", json.dumps([["a.png", "cat"], ["b", "cat"], ["c.png", "dog"], ["x/d.png", "dog"]])),
        ("labels.csv", "id,breed\na,cat\nb,cat\nc,dog\nd,dog\n"),
        ("labels.csv", "\ufefffile;n;label\r\na.png;1;cat\r\nb.png;2;cat\r\nc.png;3;dog\r\nd.png;4;dog\r\n"),
        ("labels.tsv", "label\tfile\ncat\ta.png\ncat\tb.png\ndog\tc.png\ndog\td.png\n"),
        ("metadata.csv", "file_name,label\na.png,cat\nb.png,cat\nc.png,dog\nd.png,dog\ne.png,cow\n"),
    ],
)
def test_files_of_labels(name: str, content: str) -> None:
    found = find_classes(FLAT, {name: content.encode}, "auto")
    assert found.labels == HALVES
    assert found.note == f"classes: the labels in {name}: cat (2), dog (2); --set data.labels=none ignores them"
    assert find_classes(FLAT, {name: content.encode}, "none").labels == [None] * 4


def test_a_file_comes_before_folders_and_names_begin_at_its_folder() -> None:
    stored = images("set/00000/a.png", "set/00000/b.png", "set/00001/a.png", "set/00001/b.png")
    labels = [["00000/a.png", 0], ["00000/b.png", 1], ["00001/a.png", 1], ["00001/b.png", 0]]
    found = find_classes(stored, {"set/dataset.json": json.dumps({"labels": labels}).encode}, "auto")
    assert found.labels == ["0", "1", "1", "0"]
    found = find_classes(stored, {"set/dataset.json": json.dumps({"labels": None}).encode}, "auto")
    assert found.labels == [None] * 4
    assert "classes: none, as dataset.json says that there are no labels" in found.note


def test_each_split_may_have_a_file_of_its_own() -> None:
    both = images("train/a.png", "train/b.png", "test/a.png", "test/b.png")
    tables = {
        "train/labels.csv": b"file,label\na.png,x\nb.png,y\n",
        "test/labels.csv": b"file,label\na.png,y\nb.png,x\n",
    }
    found = find_classes(both, {name: (lambda content=content: content) for name, content in tables.items()}, "auto")
    assert found.labels == ["x", "y", "y", "x"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is no JSON"),
        ("3", "does not hold names and labels"),
        ('{"labels": [["a.png", [0.1, 2]]]}', "has labels that are no classes, as [0.1, 2]"),
        ('{"a.png": "x", "b.png": "y"}', "gives 2 of 4 images no label, e.g. c.png"),
        ('{"a.png": "x", "b.png": "x", "c.png": "x", "d.png": "x"}', "gives all images the same label, x"),
        ('[["a.png", "x"], ["a.png", "y"]]', "gives a.png two labels, x and y"),
        ('{"a.png": "x", "b.png": "y", "c.png": "z", "d.png": "w"}', "gives most images a label of their own"),
    ],
)
def test_files_that_give_no_classes_are_left_alone_and_said(content: str, words: str) -> None:
    found = find_classes(FLAT, {"labels.json": content.encode}, "auto")
    assert found.labels == [None] * 4
    assert f"classes: none, as labels.json {words}" in found.note


def test_folders_that_were_asked_for() -> None:
    assert find_classes(images("100CANON/a.png", "101CANON/b.png"), {}, "folders").labels == ["100CANON", "101CANON"]
    assert find_classes(images("x/1/a.png", "y/b.png"), {}, "folders").labels == ["x", "y"]
    with pytest.raises(
        InputError, match=r"data\.labels=folders, but 1 of 2 images lie in no folder that tells them apart"
    ):
        find_classes(images("x/a.png", "b.png"), {}, "folders")


def test_numbers_are_sorted_by_value() -> None:
    assert sort_classes({"10", "2", "1"}) == ["1", "2", "10"]
    assert sort_classes({"10", "2", "a"}) == ["10", "2", "a"]
