"""Stacks: three images in the channels of one, drawn from one split each, and what cannot be stacked."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.photos import fill
from zerosum.cli._data import tell_files
from zerosum.cli._progress import plain_console
from zerosum.data import Source
from zerosum.data.preparation import Preparation
from zerosum.data.readers import make_absolute, open_source
from zerosum.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8)
LABELS = np.arange(12, dtype=np.uint8) % 2


def write(path: Path, images: np.ndarray = IMAGES, labels: np.ndarray | None = LABELS, test: int = 4) -> Path:
    """Write labelled images to a file, the last ones for testing."""
    arrays = {"train_images": images[:-test], "test_images": images[-test:]}
    if labels is not None:
        arrays |= {"train_labels": labels[:-test], "test_labels": labels[-test:]}
    np.savez(path, **arrays)
    return path


def refused(data: str) -> str:
    with pytest.raises(InputError) as caught:
        open_source(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_channels_show_images_of_the_same_split(digits: Source) -> None:
    source = open_source("stacked:digits")
    assert (source.name, source.shape, source.train.samples.dtype) == ("stacked-digits", (3, 8, 8), torch.uint8)
    assert (len(source.train), len(source.test)) == (128_000, 26_000)
    for stacks, single in ((source.train, digits.train), (source.test, digits.test)):
        shown = {image.tobytes() for image in stacks.samples[:3_000].flatten(0, 1).numpy()}
        assert shown <= {image.tobytes() for image in single.samples.numpy()}
        assert len(shown) > 0.9 * len(single)


def test_stacks_have_no_labels_but_know_what_they_are_made_of(digits: Source) -> None:
    source = open_source("stacked:digits")
    assert (source.classes, source.class_names, source.train.labels, source.test.labels) == (0, (), None, None)
    assert source.stacked_from is not None
    assert source.stacked_from.fingerprint == digits.fingerprint
    assert digits.stacked_from is None


def test_every_combination_is_equally_probable(tmp_path: Path) -> None:
    """Of 4 images there are 64 stacks; with 26,000 draws each is binomial, and five standard deviations are allowed."""
    source = open_source(f"stacked:{write(tmp_path / 'a.npz')}")
    numbers = {image.tobytes(): number for number, image in enumerate(IMAGES[-4:])}
    shown = torch.tensor([numbers[image.tobytes()] for image in source.test.samples.flatten(0, 1).numpy()])
    stacks = (shown.view(-1, 3) * torch.tensor([16, 4, 1])).sum(1).bincount(minlength=64)
    expected = 26_000 / 64
    assert (stacks - expected).abs().max() < 5 * (expected * 63 / 64) ** 0.5


def test_the_fingerprint_is_that_of_the_images(tmp_path: Path) -> None:
    one, again = (open_source(f"stacked:{write(tmp_path / name)}") for name in ("a.npz", "b.npz"))
    assert torch.equal(one.train.samples, again.train.samples)
    assert one.fingerprint == again.fingerprint
    changed = IMAGES.copy()
    changed[3, 2, 2] ^= 1
    assert open_source(f"stacked:{write(tmp_path / 'c.npz', changed)}").fingerprint != one.fingerprint


@pytest.mark.parametrize(
    ("images", "labels", "fault"),
    [
        (np.repeat(IMAGES[:, None], 3, 1), LABELS, "its images have 3 channels, not one"),
        (IMAGES, None, "its images have no labels"),
        (np.arange(24.0).reshape(12, 2), LABELS, "its samples are points, not images"),
    ],
)
def test_what_cannot_be_stacked(tmp_path: Path, images: np.ndarray, labels: np.ndarray | None, fault: str) -> None:
    message = refused(f"stacked:{write(tmp_path / 'a.npz', images, labels)}")
    assert message.startswith(f"stacked:{tmp_path / 'a.npz'} cannot be stacked: {fault}; name labelled gray images")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("stacked:", "names no data; write stacked:DATA"),
        ("stacked:/nowhere", "no data at '/nowhere'"),
        ("stacked:ring", "its samples are points"),
        ("stacked:stacked:digits", "its images have 3 channels"),
        ("stacked-mnits", "did you mean 'stacked-mnist'?"),
    ],
)
def test_what_is_not_there_to_be_stacked(data: str, words: str) -> None:
    assert words in refused(data)


def test_stacks_that_would_fill_the_memory_are_refused_before_they_are_made(tmp_path: Path) -> None:
    values = 20 * np.arange(12, dtype=np.uint8)
    path = write(tmp_path / "large.npz", values.repeat(200 * 160).reshape(12, 200, 160))
    assert "stacks of 200x160 pixels would take 15 GB of memory; use smaller images" in refused(f"stacked:{path}")


def test_gray_files_in_folders_of_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    for first, name in ((0, "one"), (30, "two")):
        fill(tmp_path / "gray" / name, 20, first, mode="L")
        fill(tmp_path / "colour" / name, 20, first)
    data = f"stacked:{tmp_path / 'gray'}"
    source = open_source(data, Preparation(size=(8, 8), flip=True))
    assert (source.shape, source.train.flip, source.test.flip) == ((3, 8, 8), True, False)
    tell_files(source, plain_console(width=500))
    assert "40 images used, 0 left out" in capsys.readouterr().out
    asked_for = open_source(data, Preparation(size=(8, 8), channels=3))  # as `evaluate` does for images of stacks
    assert asked_for.fingerprint == source.fingerprint
    assert "its images have 3 channels" in refused(f"stacked:{tmp_path / 'colour'}")
    gray = open_source(f"stacked:{tmp_path / 'colour'}", Preparation(size=(8, 8), channels=1))
    assert gray.shape == (3, 8, 8)


def test_mnist_itself(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSUM_DATA", str(shared))
    source = open_source("stacked-mnist")
    assert (source.name, source.shape) == ("stacked-mnist", (3, 28, 28))
    assert (len(source.train), len(source.test)) == (128_000, 26_000)
    assert torch.equal(source.test.samples, open_source(f"stacked:{shared / 'mnist'}").test.samples)


def test_what_was_typed_means_the_same_in_every_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    here = str(tmp_path / "here")
    assert [make_absolute(data) for data in ("here", "./here", "~/here")] == [here] * 3
    assert [make_absolute(data) for data in ("stacked:here", "stacked:~/here")] == [f"stacked:{here}"] * 2
    (tmp_path / "ring").mkdir()
    assert make_absolute("ring") == str(tmp_path / "ring")
    for data in ("digits", "mnist", "stacked-mnist", "hub:owner/name:here", "stacked:", "nowhere", "stacked:nowhere"):
        assert make_absolute(data) == data
    for data in ("stacked:mnist", "stacked:builtin:mnist"):
        assert make_absolute(data) == "stacked:builtin:mnist"
    assert make_absolute("builtin:ring") == "ring"
