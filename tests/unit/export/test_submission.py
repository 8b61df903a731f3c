"""The competition's file: as many PNGs as it wants, the same bytes for the same seed, and whole or not at all."""

import errno
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.errors import InputError
from zerosum.export import pictures, submission
from zerosum.game.engine import Engine
from zerosum.generator import TrainedGenerator
from zerosum.networks.compact import Compact


def untrained(*shape: int) -> TrainedGenerator:
    """A generator that has learned nothing."""
    networks = Compact(width=2)
    generator, _ = networks.build_pair(shape, 0, seed=0)
    return TrainedGenerator(generator.eval(), networks, shape, {}, Engine(torch.device("cpu")), {})


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sample may be drawn."""
    monkeypatch.setattr(TrainedGenerator, "generate", None)


def test_the_file_holds_the_samples_of_the_seed(tmp_path: Path) -> None:
    dogs, told = untrained(3, 64, 64), []
    path = tmp_path / "images.zip"
    submission.write(dogs, path, 70, seed=3, progress=lambda *progress: told.append(progress))
    assert told == [("drawing", 64, 70), ("drawing", 70, 70)]
    samples = dogs.sample(70, seed=3)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{number:06d}.png" for number in range(70)]
        for name, sample in zip(archive.namelist(), samples, strict=True):
            picture = Image.open(io.BytesIO(archive.read(name)))
            assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (64, 64))
            assert np.array_equal(np.asarray(picture), sample.permute(1, 2, 0))


def test_the_rules_are_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "encode", lambda picture, about: b"")
    monkeypatch.setattr(
        TrainedGenerator, "generate", lambda self, latents: torch.zeros(len(latents), 3, 64, 64, dtype=torch.uint8)
    )
    submission.write(untrained(3, 64, 64), tmp_path / "images.zip")
    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        assert len(archive.namelist()) == 10_000


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a.zip", 1), ("b.zip", 1), ("c.zip", 2)):
        submission.write(untrained(3, 64, 64), tmp_path / name, 5, seed)
    same, again, other = (path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert same == again
    assert same != other
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:  # or they would be other bytes two seconds later
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("shape", [(1, 64, 64), (4, 64, 64), (3, 32, 32), (3, 64, 48), (1, 8, 8)])
def test_other_samples_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"of shape \[3, 64, 64\], but this generator's are \[\d, \d+, \d+\]: train"):
        submission.write(untrained(*shape), tmp_path / "images.zip", 3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("untouched")
def test_nothing_is_no_submission(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot make 0 samples"):
        submission.write(untrained(3, 64, 64), tmp_path / "images.zip", 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("images.png", r"cannot write a submission as images\.png: use a \.zip"),
        ("images", "cannot write a submission as images: use a"),
        ("no/images.zip", "no is not a folder"),
        ("file/images.zip", "file is not a folder"),
        ("taken.zip", r"taken\.zip exists already: choose another --out"),
        ("folder.zip", r"folder\.zip exists already: choose another --out"),
    ],
)
def test_destinations_are_refused_before_the_work(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken.zip").touch()
    (tmp_path / "folder.zip").mkdir()
    with pytest.raises(InputError, match=expected):
        submission.check_destination(tmp_path / name)
    submission.check_destination(tmp_path / "images.zip")


@pytest.mark.usefixtures("untouched")
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which even root can write nothing")
def test_a_folder_that_cannot_be_written_to() -> None:
    with pytest.raises(InputError, match=r"cannot write to /proc/images\.zip: \w+"):
        submission.write(untrained(3, 64, 64), Path("/proc/images.zip"), 3)


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
def test_nothing_half_written_stays_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    encode, seen = pictures.encode, []

    def fail(picture: Image.Image, about: str) -> bytes:
        seen.extend(tmp_path.iterdir())
        if len(seen) > 2:
            raise failure
        return encode(picture, about)

    monkeypatch.setattr(pictures, "encode", fail)
    expected = InputError if isinstance(failure, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as caught:
        submission.write(untrained(3, 64, 64), tmp_path / "images.zip", 5)
    if expected is InputError:
        assert str(caught.value) == f"cannot write to {tmp_path / 'images.zip'}: No space left on device"
    assert tmp_path / "images.zip" not in seen  # it appears whole, by its last step
    assert list(tmp_path.iterdir()) == []
