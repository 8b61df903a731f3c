"""What cannot be explored is called what it is."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.unit.explore.written import write_run
from zerosum.data.distributions import DISTRIBUTIONS
from zerosum.errors import InputError
from zerosum.explore.refusals import TOYS, check_subject


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "png")
    return file.getvalue()


def refusal(what: str) -> str:
    try:
        check_subject(what)
    except InputError as error:
        return str(error)
    return ""


def test_the_toys() -> None:
    assert tuple(DISTRIBUTIONS) == TOYS


def test_what_may_be_explored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "run")
    assert [refusal(what) for what in (*TOYS, "digits", "run", "hub:owner/name")] == [""] * (len(TOYS) + 3)
    assert "mnist is a data set" in refusal("mnist")
    write_run(tmp_path / "mnist")  # a path comes before a set of that name
    assert refusal("mnist") == ""


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("mnist", "a data set"),
        ("builtin:ring", "a data set"),
        ("flat", "a folder of images"),
        ("deep", "a folder of images"),
        ("photos.zip", "a .zip archive"),
        ("x.npy", "an array"),
    ],
)
def test_data_are_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("flat", "deep/cats"):
        Path(folder).mkdir(parents=True)
        Path(folder, "a.png").write_bytes(picture())
    with zipfile.ZipFile("photos.zip", "w") as archive:
        archive.writestr("a.png", picture())
    np.save("x.npy", np.zeros((3, 8, 8), np.uint8))
    with pytest.raises(InputError, match=f"{what} is {kind}, data to train on: 'zerosum train {what}'"):
        check_subject(what)


def test_neither_data_nor_anything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    write_run(tmp_path / "runs" / "a")
    for what, words in {
        "rng": "no run and no generator at rng",
        "empty": "empty is not a run folder",
        "runs": "it holds runs",
        "runs/a/samples": "give the run that it lies in",
    }.items():
        with pytest.raises(InputError, match=words):
            check_subject(what)
