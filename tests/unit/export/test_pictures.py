import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.errors import InputError
from zerosum.export import pictures, samples


@pytest.mark.parametrize(
    ("shape", "mode"), [((1, 8, 8), "L"), ((2, 9, 40), "LA"), ((3, 64, 64), "RGB"), ((4, 48, 32), "RGBA")]
)
def test_a_grid_holds_every_image(shape: tuple[int, int, int], mode: str) -> None:
    batch = torch.randint(0, 256, (7, *shape), dtype=torch.uint8)
    picture = Image.open(io.BytesIO(pictures.draw_samples(batch)))
    assert picture.mode == mode
    factor = max(1, -(-pictures.LEAST_SIDE // min(shape[1:])))
    pixels = np.array(picture).reshape(picture.height, picture.width, shape[0])
    found = 0
    for image in batch.permute(0, 2, 3, 1).numpy().repeat(factor, 1).repeat(factor, 2):
        windows = np.lib.stride_tricks.sliding_window_view(pixels, image.shape)
        found += bool((windows == image).all(axis=(-1, -2, -3)).any())
    assert found == 7


def test_a_hundred_small_images_make_a_square() -> None:
    picture = Image.open(io.BytesIO(pictures.draw_samples(torch.zeros(64, 1, 8, 8, dtype=torch.uint8))))
    assert picture.width == picture.height


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_points_become_a_plot(dimension: int) -> None:
    picture = Image.open(io.BytesIO(pictures.draw_samples(torch.randn(50, dimension), torch.randn(50, dimension))))
    assert picture.size == (500, 500)
    assert len(picture.convert("RGB").getcolors(maxcolors=100_000) or []) > 10


@pytest.mark.parametrize("dimension", [1, 2])
def test_journeys_between_points_are_lines_of_their_own(dimension: int) -> None:
    """Each in the next colour of the cycle, which tells it from the others."""
    points = torch.linspace(0, 1, 10 * dimension).reshape(-1, dimension)
    picture = Image.open(io.BytesIO(pictures.draw_samples(points, columns=5))).convert("RGB")
    found = {colour for _, colour in picture.getcolors(maxcolors=100_000) or []}
    blue, orange, green = (31, 119, 180), (255, 127, 14), (44, 160, 44)
    assert {blue, orange} <= found
    assert green not in found


def test_samples_are_written_as_the_name_says(tmp_path) -> None:
    batch = torch.randint(0, 256, (3, 3, 8, 9), dtype=torch.uint8)
    samples.save(batch, tmp_path / "a.npz")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["samples"], batch)
    samples.save(batch, tmp_path / "folder")
    files = sorted((tmp_path / "folder").iterdir())
    assert [file.name for file in files] == ["000000.png", "000001.png", "000002.png"]
    np.testing.assert_array_equal(np.array(Image.open(files[1])), batch[1].permute(1, 2, 0))


@pytest.mark.parametrize("name", ["a.npz", "folder", "a.png"])
@pytest.mark.parametrize("is_there", [False, True])
def test_samples_that_could_not_all_be_made_leave_nothing_behind(tmp_path, name: str, is_there: bool) -> None:
    place = tmp_path / name
    if is_there:
        place.write_bytes(b"old") if place.suffix else place.mkdir()

    def batches():
        yield torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
        raise MemoryError

    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    with pytest.raises(MemoryError):
        samples.save_batches(batches(), 4, place)
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("shape", [(3, 8, 9), (2,)])
def test_an_array_written_in_batches_is_one(tmp_path, shape: tuple[int, ...]) -> None:
    batch = torch.randint(0, 256, (10, *shape), dtype=torch.uint8)
    batch = batch if len(shape) == 3 else batch / 7

    def batches():
        for part in batch.split(4):
            yield part
            assert not (tmp_path / "a.npz").exists()

    samples.save_batches(batches(), 10, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        assert file.files == ["samples"]
        np.testing.assert_array_equal(file["samples"], batch)
        assert file["samples"].dtype == batch.numpy().dtype
    np.savez_compressed(tmp_path / "b.npz", samples=batch.numpy())
    contents = [zipfile.ZipFile(tmp_path / name).read("samples.npy") for name in ("a.npz", "b.npz")]
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.gif", "cannot write samples as .gif"), ("no/a.png", "is not a folder"), ("full", "exists already")],
)
def test_destinations_are_refused_before_the_work(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(InputError, match=expected):
        samples.check_destination(tmp_path / name)


def test_points_are_no_pictures(tmp_path: Path) -> None:
    samples.check_shape(tmp_path / "points.npz", (2,))
    with pytest.raises(InputError, match="points cannot be written as pictures"):
        samples.check_shape(tmp_path / "folder", (2,))
