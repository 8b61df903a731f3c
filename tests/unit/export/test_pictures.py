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
    picture = pictures.draw_samples(batch)
    assert picture.mode == mode
    factor = max(1, -(-pictures.LEAST_SIDE // min(shape[1:])))
    pixels = np.array(picture).reshape(picture.height, picture.width, shape[0])
    found = 0
    for image in batch.permute(0, 2, 3, 1).numpy().repeat(factor, 1).repeat(factor, 2):
        windows = np.lib.stride_tricks.sliding_window_view(pixels, image.shape)
        found += bool((windows == image).all(axis=(-1, -2, -3)).any())
    assert found == 7


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_one_image_is_drawn_as_it_is(channels: int) -> None:
    image = torch.randint(0, 256, (1, channels, 9, 7), dtype=torch.uint8)
    picture = pictures.draw_samples(image)
    assert picture.size == (7, 9)
    assert np.array_equal(np.array(picture).reshape(9, 7, channels), image[0].permute(1, 2, 0))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_what_is_written_into_a_picture_changes_no_pixel(kind: str, mode: str) -> None:
    bands = len(Image.new(mode, (1, 1)).getbands())
    picture = Image.frombytes(mode, (9, 11), np.random.default_rng(0).integers(0, 256, 99 * bands, np.uint8).tobytes())
    with Image.open(io.BytesIO(pictures.encode(picture, "run 猫; seed 0", kind))) as read:
        same = read.convert("RGBA")
    assert same.tobytes() == picture.convert("RGBA").tobytes()


@pytest.mark.parametrize(("name", "kind"), pictures.FORMATS.items())
def test_a_picture_is_known_as_ours(tmp_path, name: str, kind: str) -> None:
    path, picture = tmp_path / f"a{name}", Image.new("RGB", (9, 9))
    path.write_bytes(pictures.encode(picture, "run a", kind))
    assert pictures.is_ours(path)
    picture.save(path, kind)
    assert not pictures.is_ours(path)
    path.write_bytes(b"zerosum ")
    assert not pictures.is_ours(path)


def test_pictures_of_points_are_drawn_in_one_frame_and_say_what_lies_outside() -> None:
    """So that those of a training can be compared, and shown as a film."""
    reference = torch.tensor([[0.0, 0.0], [2.0, 2.0]])
    near, far = torch.tensor([[1.0, 1.0], [2.9, 1.0]]), torch.tensor([[1.0, 1.0], [3.1, 1.0]])
    blue = [
        (np.asarray(pictures.draw_samples(points, reference)) == (31, 119, 180)).all(-1)[50:] for points in (near, far)
    ]
    left = [np.argwhere(each[:, :400])[:, 1] for each in blue]
    assert np.array_equal(*left)
    assert blue[0][:, 400:].any()
    assert not blue[1][:, 400:].any()


def test_of_many_channels_the_first_three_are_shown_or_those_chosen() -> None:
    batch = torch.randint(0, 256, (4, 13, 32, 32), dtype=torch.uint8)
    assert pictures.draw_samples(batch) == pictures.draw_samples(batch[:, :3])
    assert torch.equal(pictures.select_shown(batch, (12, 0, 5)), batch[:, [12, 0, 5]])
    assert torch.equal(pictures.select_shown(batch[:, :4], None), batch[:, :4])
    assert torch.equal(pictures.select_shown(batch[:, :4], (3,)), batch[:, 3:4])
    points = torch.randn(5, 2)
    assert pictures.select_shown(points, None) is points


def test_a_folder_of_pictures_cannot_hold_many_channels(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a PNG holds up to 4 channels, not 13: use --out"):
        samples.check_shape(tmp_path / "new", (13, 8, 8))
    samples.check_shape(tmp_path / "new.png", (13, 8, 8))


def test_a_hundred_small_images_make_a_square() -> None:
    picture = pictures.draw_samples(torch.zeros(64, 1, 8, 8, dtype=torch.uint8))
    assert picture.width == picture.height


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_points_become_a_plot(dimension: int) -> None:
    picture = pictures.draw_samples(torch.randn(50, dimension), torch.randn(50, dimension))
    assert picture.size == (500, 500)
    assert len(picture.convert("RGB").getcolors(maxcolors=100_000) or []) > 10


@pytest.mark.parametrize("dimension", [1, 2])
def test_journeys_between_points_are_lines_of_their_own(dimension: int) -> None:
    """Each in the next colour of the cycle, which tells it from the others."""
    points = torch.linspace(0, 1, 10 * dimension).reshape(-1, dimension)
    picture = pictures.draw_samples(points, columns=5).convert("RGB")
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
    ("name", "shape", "expected"),
    [
        ("a.bmp", (1, 8, 8), r"cannot write samples as \.bmp: use \.png \.jpg \.jpeg \.webp \.gif \(one picture\), "),
        ("A.JPG", (4, 8, 8), "a .jpg cannot hold the transparency"),
        ("a.gif", (2, 8, 8), "a .gif cannot hold the transparency"),
        ("no/a.png", (1, 8, 8), "is not a folder"),
        ("full", (1, 8, 8), "exists already"),
        ("folder", (2,), "points cannot be written as pictures"),
    ],
)
def test_destinations_are_refused_before_the_work(
    tmp_path: Path, name: str, shape: tuple[int, ...], expected: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()

    def check() -> None:
        samples.check_destination(tmp_path / name)
        samples.check_shape(tmp_path / name, shape)

    with pytest.raises(InputError, match=expected):
        check()


def test_points_fit_an_array_and_one_picture_but_no_folder(tmp_path: Path) -> None:
    refused = []
    for name in ("points.npz", "points.npy", "points.png", "points.zip", "points"):
        try:
            samples.check_shape(tmp_path / name, (2,))
        except InputError:
            refused.append(name)
    assert refused == ["points.zip", "points"]
