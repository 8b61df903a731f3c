"""What other files are, told by their names and first bytes."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from zerosum.strangers import PICKLE, is_model, name_kind


def make(path: Path) -> Path:
    """Write a file of the kind that its name says."""
    stem = path.stem
    if stem == "pickled":
        path.write_bytes(pickle.dumps([1]))
    elif stem == "torch":
        torch.save({"a": torch.zeros(2)}, path)
    elif stem == "array":
        np.save(path, np.zeros(3))
    elif stem == "picture":
        Image.new("RGB", (8, 8)).save(path)
    elif stem == "archive":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", "a")
    else:
        path.write_bytes({"hdf": b"\x89HDF\r\n\x1a\n", "named": b"x", "words": b"hello"}[stem])
    return path


@pytest.mark.parametrize(
    ("name", "kind", "model"),
    [
        ("pickled.pkl", PICKLE, True),
        ("pickled.data", PICKLE, True),
        ("torch.pt", PICKLE, True),
        ("torch.safetensors", PICKLE, True),
        ("named.CKPT", PICKLE, True),
        ("named.onnx", "an ONNX model", True),
        ("hdf.h5", "an HDF5 file", True),
        ("picture.png", "a picture", False),
        ("picture.jpg", "a picture", False),
        ("picture.tif", "a picture", False),
        ("array.npy", "an array", False),
        ("archive.zip", "a .zip archive", False),
        ("words.txt", "", False),
    ],
)
def test_kinds(name: str, kind: str, model: bool, tmp_path: Path) -> None:
    path = make(tmp_path / name)
    assert (name_kind(path), is_model(path)) == (kind, model)


def test_what_cannot_be_read_has_no_kind(tmp_path: Path) -> None:
    assert name_kind(tmp_path / "nowhere.pkl") == ""
    assert not is_model(tmp_path)
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04")
    assert name_kind(tmp_path / "cut.zip") == "a .zip archive"


@pytest.mark.parametrize("length", [0x0280, 0x0480, 0x0580])
def test_a_header_whose_length_begins_like_a_pickle_is_a_header(length: int, tmp_path: Path) -> None:
    file = tmp_path / "g.safetensors"
    head = b'{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    file.write_bytes(length.to_bytes(8, "little") + head.ljust(length) + bytes(4))
    assert safetensors.torch.load_file(file)["x"].shape == (1,)
    assert name_kind(file) == ""
    assert not is_model(file)
    file.write_bytes(file.read_bytes()[:100])  # shorter than its header
    assert name_kind(file) == PICKLE
