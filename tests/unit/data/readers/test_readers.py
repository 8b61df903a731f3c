"""Readers on good input, and on every kind of bad input, which ends in one line."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.photos import fill
from zerosum.data import Source
from zerosum.data.preparation import Preparation
from zerosum.data.readers import find_reader, open_any_count, open_source, reader_names
from zerosum.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 9, 8), dtype=np.uint8)
LABELS = np.arange(60, dtype=np.uint8) % 3


def idx(array: np.ndarray, code: int = 8) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()


def write_mnist(folder: Path, *, zipped: bool = False) -> Path:
    for split, part in (("train", slice(0, 40)), ("t10k", slice(40, 60))):
        for kind, content in (("images-idx3", idx(IMAGES[part])), ("labels-idx1", idx(LABELS[part]))):
            name = folder / f"{split}-{kind}-ubyte{'.gz' if zipped else ''}"
            name.write_bytes(gzip.compress(content, mtime=0) if zipped else content)
    return folder


def refused(data: Path | str) -> str:
    with pytest.raises(InputError) as caught:
        open_source(str(data))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_digits(digits: Source) -> None:
    assert digits.shape == (1, 8, 8)
    assert len(digits.train) + len(digits.test) == 1797
    assert digits.class_names == tuple("0123456789")
    assert (digits.train.samples.min(), digits.train.samples.max()) == (0, 255)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_folder_like_mnists(tmp_path: Path, zipped: bool) -> None:
    source = open_source(str(write_mnist(tmp_path, zipped=zipped)))
    assert (len(source.train), len(source.test), source.shape) == (40, 20, (1, 9, 8))
    assert source.name == tmp_path.name
    assert source.class_names == ("0", "1", "2")
    np.testing.assert_array_equal(source.train.samples[:, 0], IMAGES[:40])
    np.testing.assert_array_equal(source.test.labels, LABELS[40:])


def test_a_single_idx_file_brings_its_labels_and_its_name(tmp_path: Path) -> None:
    source = open_source(str(write_mnist(tmp_path) / "train-images-idx3-ubyte"))
    assert len(source.train) + len(source.test) == 40
    assert source.train.labels is not None


def test_splits_are_told_by_the_last_word_of_their_names(tmp_path: Path) -> None:
    """As those of EMNIST are called."""
    for file in write_mnist(tmp_path).iterdir():
        file.rename(tmp_path / f"emnist-letters-{file.name.replace('t10k', 'test')}")
    source = open_source(str(tmp_path))
    assert (len(source.train), len(source.test)) == (40, 20)
    np.testing.assert_array_equal(source.train.samples[:, 0], IMAGES[:40])


def test_a_folder_of_several_sets_is_refused(tmp_path: Path) -> None:
    for name in ("emnist-letters-train", "emnist-letters-test", "emnist-digits-train"):
        (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(idx(IMAGES))
    assert "holds emnist-digits-train, emnist-letters-test, emnist-letters-train: leave one set" in refused(tmp_path)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (idx(np.arange(-1, 59).astype(np.int8), 9), "labels must be whole numbers from 0 on, and one is -1"),
        (idx(np.full(60, 10**9, ">i4"), 12), "a label is 1000000000, of 60 samples: number the classes 0, 1, 2"),
        (idx(np.zeros((60, 8), ">i4"), 12), "labels of shape [60, 8] for 60 samples"),
    ],
)
def test_labels_in_idx_files_are_checked(tmp_path: Path, labels: bytes, expected: str) -> None:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(labels)
    assert expected in refused(tmp_path)


def test_mnist_itself(shared: Path) -> None:
    source = open_source(str(shared / "mnist"))
    assert (len(source.train), len(source.test), source.shape, source.name) == (60_000, 10_000, (1, 28, 28), "mnist")


def test_cifar_itself(shared: Path) -> None:
    source = open_source(str(shared / "cifar10" / "cifar10-lossless-5000.npz"))
    assert (len(source.train), len(source.test), source.shape) == (4_000, 1_000, (3, 32, 32))
    assert len(source.class_names) == 10


@pytest.mark.parametrize(
    ("array", "shape"),
    [
        (IMAGES, (1, 9, 8)),
        (IMAGES[..., None], (1, 9, 8)),
        (np.repeat(IMAGES[..., None], 3, 3), (3, 9, 8)),
        (np.repeat(IMAGES[:, None], 4, 1), (4, 9, 8)),
        (IMAGES.astype(np.int64), (1, 9, 8)),
        (IMAGES.astype(np.float32), (1, 9, 8)),
        (IMAGES / 255, (1, 9, 8)),
        (IMAGES / 127.5 - 1, (1, 9, 8)),
    ],
)
def test_images_in_every_layout_and_range(tmp_path: Path, array: np.ndarray, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "a.npy", array)
    source = open_source(str(tmp_path / "a.npy"))
    assert source.shape == shape
    found = torch.cat([source.train.samples, source.test.samples])
    assert {row.tobytes() for row in found[:, 0].numpy()} == {row.tobytes() for row in IMAGES}


@pytest.mark.parametrize(
    ("shape", "layout", "expected"),
    [
        ((13, 16, 16), "auto", (13, 16, 16)),
        ((16, 16, 13), "auto", (13, 16, 16)),
        ((16, 16, 103), "auto", (103, 16, 16)),
        ((103, 16, 16), "auto", (103, 16, 16)),
        ((16, 24, 5), "auto", (5, 16, 24)),
        ((5, 16, 24), "auto", (5, 16, 24)),
        ((9, 20, 9), "channels-first", (9, 20, 9)),
        ((9, 20, 9), "channels-last", (9, 9, 20)),
    ],
)
def test_channels_are_found_by_the_sizes(
    shape: tuple[int, ...], layout: str, expected: tuple[int, ...], tmp_path: Path
) -> None:
    values = np.random.default_rng(0).integers(0, 256, (40, *shape), dtype=np.uint8)
    np.save(tmp_path / "a.npy", values)
    source = open_source(str(tmp_path / "a.npy"), Preparation(layout=layout))  # type: ignore[arg-type]
    assert source.shape == expected
    moved = values if expected == shape else np.moveaxis(values, 3, 1)
    found = torch.cat([source.train.samples, source.test.samples]).numpy()
    assert {each.tobytes() for each in found} == {np.ascontiguousarray(each).tobytes() for each in moved}


@pytest.mark.parametrize(
    ("channels", "last", "shown"),
    [
        (4, "noise", (0, 1, 2)),
        (4, "extremes", None),
        (4, "opaque", None),
        (2, "noise", (0,)),
        (2, "extremes", None),
        (3, "noise", None),
        (13, "noise", (0, 1, 2)),
    ],
)
def test_a_last_channel_of_extremes_is_alpha_in_pictures(
    channels: int, last: str, shown: tuple[int, ...] | None, tmp_path: Path
) -> None:
    values = np.random.default_rng(0).integers(0, 256, (40, channels, 16, 16), dtype=np.uint8)
    if last != "noise":
        values[:, -1] = 255 if last == "opaque" else (values[:, -1] > 99) * 255
    np.save(tmp_path / "a.npy", values)
    source = open_source(str(tmp_path / "a.npy"))
    assert source.shown == shown
    said = "is alpha in pictures" if last != "noise" else f"pictures show {','.join(map(str, shown or ()))};"
    assert (said in source.notes[-1]) if channels != 3 else source.notes == ()


@pytest.mark.parametrize("shape", [(60, 48, 12), (60, 12, 48)])
def test_long_images_may_be_series_and_it_is_said(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    (note,) = open_source(str(tmp_path / "a.npy")).notes
    assert note.startswith(f"read as gray images of {shape[1]}x{shape[2]}; if they are series, points are what works:")
    assert note.endswith("x.reshape(60, 576)")


def test_where_nothing_tells_whether_a_channel_is_alpha_both_readings_are_named(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (40, 4, 16, 16), dtype=np.uint8)
    values[:, -1] = np.where(values[:, -1] > 99, 255, values[:, -1])
    np.save(tmp_path / "a.npy", values)
    assert "say which, --set data.alpha=keep or --set data.shown=0,1,2 (for pictures)" in refused(tmp_path / "a.npy")
    assert open_source(str(tmp_path / "a.npy"), Preparation(alpha="keep")).shown is None
    assert open_source(str(tmp_path / "a.npy"), Preparation(shown=(1, 2, 3))).shown == (1, 2, 3)
    assert open_any_count(str(tmp_path / "a.npy"), Preparation(split=False)).shape == (4, 16, 16)


def test_what_a_bad_generator_made_may_be_faint(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES // 64)
    assert "may be of 0..3 (ids or few grays) or of 0..255" in refused(tmp_path / "a.npy")
    generated = open_any_count(str(tmp_path / "a.npy"), Preparation(split=False))
    assert generated.train.samples.max() == 3


def write_frames(file: Path, scenes: int, channels: int) -> None:
    """Write ten noisy frames of each scene; the first pixel of a frame is the number of its scene."""
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 256, (scenes, 1, channels, 8, 8)).repeat(4, 3).repeat(4, 4)
    frames = np.clip(scene + rng.normal(0, 1, (scenes, 10, channels, 32, 32)), 0, 255).astype(np.uint8)
    frames[..., 0, 0] = np.arange(scenes)[:, None, None]
    images = frames.reshape(-1, channels, 32, 32)
    if file.suffix == ".npy":
        np.save(file, images)
    else:
        file.write_bytes(idx(images[:, 0]))


@pytest.mark.parametrize(
    ("name", "channels", "instead"),
    [
        ("slices.npy", 1, "arrays train_images and test_images"),
        ("bands.npy", 5, "arrays train_images and test_images"),
        ("slices-idx3-ubyte", 1, "files train-* and t10k-*"),
    ],
)
def test_near_equal_images_of_an_array_stay_on_one_side(name: str, channels: int, instead: str, tmp_path: Path) -> None:
    write_frames(tmp_path / name, 12, channels)
    source = open_source(str(tmp_path / name))
    train, test = ({int(image[0, 0, 0]) for image in split.samples} for split in (source.train, source.test))
    assert (train & test, train | test) == (set(), set(range(12)))
    assert (len(source.train), len(source.test)) == (90, 30)
    assert source.notes[-1] == (
        "near-duplicates: 120 images in 12 groups of near-equal ones; groups stay together "
        f"({instead} would decide instead)"
    )


def test_what_is_alike_in_a_large_array_is_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_frames(tmp_path / "many.npy", 200, 1)
    first = open_source(str(tmp_path / "many.npy"))
    monkeypatch.setattr("zerosum.data.packs.splits.group_duplicates", None)
    again = open_source(str(tmp_path / "many.npy"))
    assert first.notes == again.notes
    assert torch.equal(first.test.samples, again.test.samples)


def test_points_stay_as_they_are(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(100, 2)) * 10
    np.savez(tmp_path / "p.npz", points)
    source = open_source(str(tmp_path / "p.npz"))
    assert (source.shape, source.train.samples.dtype) == ((2,), torch.float32)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (64, "read as points of 64 numbers; if they are images of 8x8, save x.reshape(30, 8, 8)"),
        (192, "if they are images of 8x8, save x.reshape(30, 8, 8, 3) or x.reshape(30, 3, 8, 8)"),
        (63, ""),
        (2, ""),
    ],
)
def test_points_that_may_be_flattened_images_are_said(length: int, said: str, tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.random.default_rng(0).normal(size=(30, length)))
    notes = open_source(str(tmp_path / "p.npy")).notes
    assert (said in notes[0]) if said else notes == ()


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("x_train", "y_train", "x_test", "y_test"), (40, 20)),
        (("train_images", "train_labels", "test_images", "test_labels"), (40, 20)),
    ],
)
def test_named_splits_in_npz(tmp_path: Path, names: tuple[str, ...], split: tuple[int, int]) -> None:
    arrays = (IMAGES[:40], LABELS[:40], IMAGES[40:], LABELS[40:])
    np.savez(tmp_path / "a.npz", **dict(zip(names, arrays, strict=True)))
    source = open_source(str(tmp_path / "a.npz"))
    assert (len(source.train), len(source.test)) == split
    assert source.test.labels is not None


def test_samples_to_test_with_are_not_trained_on(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", test_images=IMAGES)
    assert "holds test_images, samples to test with and none to train with" in refused(tmp_path / "a.npz")


def test_both_splits_are_on_one_scale(tmp_path: Path) -> None:
    train, test = IMAGES[:40] / 127.5 - 1, IMAGES[40:] / 255  # which might be either
    np.savez(tmp_path / "a.npz", x_train=train, x_test=test)
    samples = open_source(str(tmp_path / "a.npz")).test.samples[:, 0]
    np.testing.assert_allclose(samples, (test + 1) * 127.5, atol=0.5)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, bool, np.float32])
def test_black_and_white_is_that_in_any_type(tmp_path: Path, kind: type) -> None:
    np.save(tmp_path / "a.npy", (IMAGES > 127).astype(kind))
    source = open_source(str(tmp_path / "a.npy"))
    assert set(source.train.samples.unique().tolist()) == {0, 255}


def test_arrays_that_nobody_asked_for_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "a.npz", x=IMAGES, bomb=np.zeros(10))
    read = np.lib.npyio.NpzFile.__getitem__
    asked = []
    monkeypatch.setattr("numpy.lib.npyio.NpzFile.__getitem__", lambda file, key: asked.append(key) or read(file, key))
    assert len(open_source(str(tmp_path / "a.npz")).train) > 0
    assert asked == ["x"]


@pytest.mark.parametrize("name", reader_names())
def test_a_path_comes_before_the_set_of_its_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (built_in, opened), (same, _) = find_reader(name), find_reader(f"builtin:{name}")
    assert (name in built_in.names, opened, type(same)) == (True, name, type(built_in))
    (tmp_path / name).mkdir()
    for path in (name, f"./{name}"):
        with pytest.raises(InputError, match=f"the folder '{path}' is empty"):
            open_source(path)
    assert refused(name).endswith(f"; the built-in set of that name is builtin:{name}")
    assert find_reader(f"builtin:{name}")[1] == name
    assert find_reader(name, recorded=True)[1] == name
    (tmp_path / name).rmdir()
    (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=f"cannot tell what '{name}' is"):
        open_source(name)


def test_which_of_two_was_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_source("digits").notes == ()
    fill(tmp_path / "digits")
    source = open_source("digits")
    assert source.shape == (3, 32, 32)
    said = f"data: the path {tmp_path / 'digits'}; the built-in set of that name is builtin:digits"
    assert source.notes[0] == said
    assert open_source("./digits").notes == ()
    assert open_source("builtin:digits").shape == (1, 8, 8)
    (tmp_path / "digits" / "run.json").write_text('{"zerosum": "0.2.0"}')
    assert refused("digits").endswith("goes on with it; the built-in set of that name is builtin:digits")
    assert refused("builtin:digit") == "no built-in set 'digit': did you mean 'digits'?"


def test_what_a_run_recorded_is_the_set_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "run.json").write_text('{"zerosum": "0.2.0"}')
    known = open_source("digits")
    monkeypatch.setattr(
        "zerosum.data.readers.standard.Standard.open", lambda reader, data, preparation, progress: known
    )
    with pytest.raises(InputError, match="mnist is a run, not data"):
        open_source("mnist")
    assert open_source("mnist", recorded=True) is known


def test_a_missing_path_suggests_the_built_in_name() -> None:
    assert "no such file or folder" in refused("digit")
    assert "did you mean 'digits'?" in refused("digit")


def test_an_empty_folder_and_a_strange_one(tmp_path: Path) -> None:
    assert "is empty" in refused(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    assert "no images (JPEG, PNG, WebP, BMP, TIFF, GIF and others: docs/photos.md), but 1 .txt" in refused(tmp_path)


def test_labels_without_images(tmp_path: Path) -> None:
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS))
    assert "there are labels but no images for 'train'" in refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "wrong magic number"),
        (b"\x89PNG\r\n\x1a\n", "wrong magic number 89 50 4e 47"),
        (b"\0\0\x07\x03", "wrong magic number"),
        (idx(IMAGES)[:-1], "truncated or damaged"),
        (idx(IMAGES) + b"x", "truncated or damaged"),
        (idx(IMAGES)[:9], "truncated or damaged"),
        (idx(IMAGES[:, :0]), "none of the sizes may be zero"),
        (idx(IMAGES[:0]), "none of the sizes may be zero"),
        (idx(LABELS), "cannot train on an array of shape [60]"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-20], "truncated or damaged: its gzip stream"),
        (gzip.compress(idx(IMAGES), mtime=0)[:100] + b"garbage" * 20, "truncated or damaged"),
    ],
)
def test_bad_idx_files(tmp_path: Path, content: bytes, expected: str) -> None:
    write_mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    message = refused(tmp_path)
    assert expected in message
    assert "train-images-idx3-ubyte" in message


def test_images_and_labels_of_different_length(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS[:7]))
    assert "train-labels-idx1-ubyte: labels of shape [7] for 40 samples" in refused(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"x": np.full((30, 8, 8), np.nan)}, "1920 values are NaN or infinite"),
        ({"x": np.where(np.arange(60).reshape(30, 2) == 5, np.inf, 0.0)}, "1 values are NaN or infinite"),
        ({"x": np.array([{"a": 1}, None])}, "Python objects, which are never loaded"),
        ({"x": np.array(["a", "b"])}, "samples must be numbers, not <U1"),
        ({"x": np.zeros((30, 0, 8))}, "none of the sizes may be zero"),
        (
            {"x": np.zeros((30, 8, 8, 8))},
            "may be 8 channels of 8x8 or 8 of 8x8: say which, --set data.layout=channels-first",
        ),
        (
            {"x": np.zeros((30, 128, 3))},
            "as points of 384 numbers they can be trained: np.save('points.npy', x.reshape(30, 384))",
        ),
        (
            {"mu": np.zeros(9), "sigma": np.eye(9)},
            "mean and covariance of features (a reference for FID) and no samples",
        ),
        ({"x": np.zeros((2, 2, 2, 2, 2))}, "cannot train on an array of shape"),
        (
            {"x": IMAGES % 21},
            "whole numbers 0..20, may be of 0..20 (ids or few grays) or of 0..255 (nearly black images)",
        ),
        ({"x": IMAGES / 255 * 1.4}, "--set data.range=0..1 or --set data.range=0..1.4"),
        ({"x": IMAGES, "y": LABELS[:-1]}, "labels of shape [59] for 60 samples"),
        ({"x": IMAGES, "y": LABELS.astype(float)}, "labels must be whole numbers"),
        ({"x": IMAGES, "y": LABELS.astype(int) - 1}, "labels must be whole numbers from 0 on"),
        ({"x_train": IMAGES, "x_test": IMAGES[:, :8]}, "training samples are [1, 9, 8], but test samples [1, 8, 8]"),
        ({"p": IMAGES, "q": IMAGES}, "name the samples one of images"),
        ({}, "holds nothing"),
    ],
)
def test_bad_arrays(tmp_path: Path, arrays: dict[str, np.ndarray], expected: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    message = refused(tmp_path / "a.npz")
    assert expected in message
    assert "a.npz" in message


def test_a_pickle_named_npy_is_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([print, 1], dtype=object), allow_pickle=True)
    assert "never loaded" in refused(tmp_path / "a.npy")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", "a.npy", "a.npz"])
def test_mutated_bytes_give_the_documented_error_or_a_source(tmp_path: Path, name: str, data: st.DataObject) -> None:
    path = tmp_path / name
    if name.endswith(".npy"):
        np.save(path, IMAGES)
    elif name.endswith(".npz"):
        np.savez(path, images=IMAGES, labels=LABELS)
    else:
        path.write_bytes(gzip.compress(idx(IMAGES), mtime=0) if name.endswith(".gz") else idx(IMAGES))
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, min(len(content) - 1, 400)), min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        source = open_source(str(path))
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017  # either outcome is right
    else:
        assert len(source.train) > 0


def test_what_an_array_of_another_name_is_taken_for_is_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", foo=IMAGES)
    assert "the only array, 'foo', is taken for the samples" in open_source(str(tmp_path / "a.npz")).notes


def test_text_named_npz_is_no_array(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_text("hello, world")
    assert refused(tmp_path / "a.npz").endswith("a.npz is no file of NumPy's, whatever its name says")
