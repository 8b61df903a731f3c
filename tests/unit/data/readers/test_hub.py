"""Data sets of the hub, from copies of repositories on disk: the same code reads both."""

import sys
from pathlib import Path

import datasets
import numpy as np
import pytest

from tests.photos import encoded, picture
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source
from zerosum.errors import InputError

COUNT = 40


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use separate caches and no network."""
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hub")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()


def stored(numbers: list[int], kind: str = "PNG") -> list[dict[str, object]]:
    return [{"bytes": encoded(picture(number, (24, 20)), kind), "path": None} for number in numbers]


def repository(folder: Path, columns: dict[str, list[object]], features: dict[str, object], split: str) -> None:
    table = datasets.Dataset.from_dict(columns, features=datasets.Features(features))
    table.to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")


def test_images_and_classes_are_those_of_the_training_split(tmp_path: Path) -> None:
    numbers, folder = list(range(COUNT)), tmp_path / "animals"
    kinds = {"picture": datasets.Image(), "kind": datasets.ClassLabel(names=["cat", "dog"])}
    columns = {"picture": stored(numbers), "kind": [number % 2 for number in numbers]}
    repository(folder, columns, kinds, "train")  # type: ignore[arg-type]
    repository(folder, {"picture": stored([99]), "kind": [0]}, kinds, "test")  # type: ignore[dict-item, arg-type]
    source = open_source(f"hub:{folder}", Preparation(size=(20, 24)))
    assert (source.name, source.class_names, source.shape) == ("animals", ("cat", "dog"), (3, 20, 24))
    found = {
        (row.numpy().tobytes(), int(label))
        for split in (source.train, source.test)
        for row, label in zip(split.samples, split.labels, strict=True)  # type: ignore[arg-type]
    }
    expected = {
        (np.ascontiguousarray(np.asarray(picture(number, (24, 20))).transpose(2, 0, 1)).tobytes(), number % 2)
        for number in numbers
    }
    assert found == expected
    assert source.notes[0].startswith("classes: the column ")
    with pytest.raises(InputError, match=r"is about files: hub:.* brings its labels, or none"):
        open_source(f"hub:{folder}", Preparation(labels="mine.csv"))
    assert open_source(f"hub:{folder}", Preparation(size=(20, 24), labels="none")).class_names == ()


def test_rows_without_a_usable_image_are_skipped_and_listed(tmp_path: Path) -> None:
    columns = {"image": [*stored(list(range(COUNT))), None, {"bytes": b"no image", "path": None}]}
    repository(tmp_path / "some", columns, {"image": datasets.Image()}, "train")  # type: ignore[arg-type]
    source = open_source(f"hub:{tmp_path / 'some'}")
    assert len(source.train) + len(source.test) == COUNT
    assert source.files is not None
    listed = source.files.read_text()
    assert "it is missing" in listed
    assert "it is text, not an image" in listed


def test_images_beside_the_table_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(COUNT):
        picture(number, (24, 20)).save(folder / f"{number}.png")
    source = open_source(f"hub:{folder}")
    assert len(source.train) + len(source.test) == COUNT


@pytest.mark.parametrize(("data", "words"), [("hub:", "names no data set"), ("hub:nobody/nothing", "cannot be had")])
def test_what_is_not_there_is_one_line(data: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        open_source(data)
    assert "\n" not in str(caught.value)


def test_a_table_without_images_says_what_it_has(tmp_path: Path) -> None:
    repository(tmp_path / "text", {"words": ["a", "b"]}, {"words": datasets.Value("string")}, "train")
    with pytest.raises(InputError, match="no column of images, but words"):
        open_source(f"hub:{tmp_path / 'text'}")


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match="pip install datasets"):
        open_source("hub:owner/name")
