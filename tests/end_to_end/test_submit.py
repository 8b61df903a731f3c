"""From the archives of the dog competition to the file that it takes."""

import io
import zipfile
from pathlib import Path

from PIL import Image

from tests.end_to_end.conftest import Command
from tests.photos import download, made, pets

SMALL = ("--set", "networks.width=2", "--set", "batch_size=8", "--device", "cpu")


def check(archive: Path, count: int) -> None:
    with zipfile.ZipFile(archive) as file:
        assert file.namelist() == [f"{number:06d}.png" for number in range(count)]
        for name in file.namelist():
            picture = Image.open(io.BytesIO(file.read(name)))
            assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (64, 64))


def test_from_real_photos(shared: Path, in_process: Command) -> None:
    download(in_process.folder / "dogs", pets(shared / "pets" / "raw")[::3])
    code, out, err = in_process("train", "dogs", "--recipe", "dogs64", "--steps", 2, "--out", "run", *SMALL)
    assert (code, err) == (0, "")
    assert "65 images used, 0 left out" in out
    assert "samples of shape [3, 64, 64] to train on" in out
    done = in_process("submit", "run", "--count", 70)
    assert done == (0, "70 images of 64x64 pixels (seed 0) in images.zip\n", "")
    check(in_process.folder / "images.zip", 70)


def test_from_made_pictures(in_process: Command, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    download(in_process.folder / "dogs", made(tmp_path / "files"))
    code, out, err = in_process("train", "dogs", "--recipe", "dogs64", "--steps", 2, "--out", "run", *SMALL)
    assert (code, err) == (0, "")
    assert "48 images used, 0 left out" in out
    done = in_process("submit", "run", "--count", 3, "--seed", 5)
    assert done == (0, "3 images of 64x64 pixels (seed 5) in images.zip\n", "")
    check(in_process.folder / "images.zip", 3)
    content = (in_process.folder / "images.zip").read_bytes()
    done = in_process("submit", "run", "--count", 3)
    assert done == (2, "", "error: images.zip exists already: choose another --out\n")
    assert (in_process.folder / "images.zip").read_bytes() == content
    done = in_process("submit", "run/generator.safetensors", "--count", 3, "--seed", 5, "--out", "again.zip")
    assert done == (0, "3 images of 64x64 pixels (seed 5) in again.zip\n", "")
    assert (in_process.folder / "again.zip").read_bytes() == content


def test_a_generator_of_something_else(trained: tuple[Path, str], in_process: Command) -> None:
    assert "of shape [3, 64, 64], but this generator's are [1, 8, 8]: train one" in in_process.refused(
        "submit", trained[0]
    )
