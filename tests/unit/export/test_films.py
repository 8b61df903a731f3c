"""Films: every frame as it was drawn, for as long as was asked."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum.errors import InputError
from zerosum.export import films, pictures
from zerosum.export.films import Film
from zerosum.run_folder import RunFolder


def frames(mode: str, count: int = 5) -> list[Image.Image]:
    bands = len(Image.new(mode, (1, 1)).getbands())
    draw = np.random.default_rng(0)
    return [Image.frombytes(mode, (8, 6), draw.integers(0, 256, 48 * bands, np.uint8).tobytes()) for _ in range(count)]


@pytest.mark.parametrize(("suffix", "mode"), [(".gif", "L"), (".gif", "RGB"), (".webp", "L"), (".webp", "RGB")])
def test_frames_are_kept_exactly(tmp_path: Path, suffix: str, mode: str) -> None:
    """Also by a GIF, as these have at most 48 colours."""
    path, shown = tmp_path / f"a{suffix}", frames(mode)
    films.write(iter(shown), Film(5, 6, 8, rate=10, rest=0.5), path, "run a")
    assert pictures.is_ours(path)
    with Image.open(path) as film:
        assert film.n_frames == 5
        assert film.info["loop"] == 0
        for number, frame in enumerate(shown):
            film.seek(number)
            assert film.convert("RGB").tobytes() == frame.convert("RGB").tobytes()
            if suffix == ".gif":
                assert film.info["duration"] == (600 if number == 4 else 100)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_is_transparent_is_white_in_a_gif(tmp_path: Path, mode: str) -> None:
    shown = [Image.new(mode, (8, 8), (shade,) * (len(mode) - 1) + (0,)) for shade in (0, 90)]
    shown[1].putpixel((0, 0), (50,) * (len(mode) - 1) + (255,))
    films.write(iter(shown), Film(2, 8, 8, rate=10), tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as film:
        film.seek(1)
        found = film.convert("RGB")
    assert [found.getpixel(place) for place in ((0, 0), (1, 0))] == [(50, 50, 50), (255, 255, 255)]


def test_small_pictures_are_enlarged_by_a_whole_factor() -> None:
    assert [films.enlargement(*size) for size in ((8, 8), (28, 28), (64, 48), (256, 300), (512, 512))] == [
        32,
        10,
        6,
        1,
        1,
    ]
    (large,) = films.enlarge(frames("RGB", 1), 3)
    assert np.array_equal(np.asarray(large), np.asarray(frames("RGB", 1)[0]).repeat(3, 0).repeat(3, 1))


@pytest.mark.parametrize(
    ("film", "expected"),
    [
        (Film(10_000, 256, 256, 25), "a film of 10,000 frames of 256x256 pixels is too large"),
        (Film(2, 9_000, 8, 25), "a film of 2 frames of 9000x8 pixels is too large"),
    ],
)
def test_films_that_are_too_large_are_refused(tmp_path: Path, film: Film, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        films.check_destination(tmp_path / "a.gif", film)


def run(path: Path, *sizes: int) -> RunFolder:
    (path / "samples").mkdir()
    folder = RunFolder(path)
    folder.describe = lambda: {"steps": 100}
    for number, size in enumerate(sizes):
        picture = Image.new("RGB", (size, size), (10 * number, 0, 0))
        (folder.samples / f"{number * 5:06d}.png").write_bytes(pictures.encode(picture))
    return folder


def test_a_training_is_shown_in_the_order_of_its_steps(tmp_path: Path) -> None:
    film, shown = films.open_training(run(tmp_path, *[300] * 21), rate=2, rest=1)
    assert film == Film(21, 300 + films.CAPTION_HEIGHT, 300, 2, 1)
    assert film.seconds == 11.5
    pixels = [frame.getpixel((0, 0))[0] for frame in shown]
    assert pixels == [10 * number for number in range(21)]


@pytest.mark.parametrize(
    ("sizes", "expected"), [((), "has 0 pictures"), ((9,), "has 1 pictures"), ((9, 8), "not all of one size")]
)
def test_a_training_without_pictures_for_a_film(tmp_path: Path, sizes: tuple[int, ...], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        films.open_training(run(tmp_path, *sizes), rate=2, rest=1)


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    folder = run(tmp_path, 9, 9)
    (folder.samples / "000005.png").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match=r"the picture .*000005\.png cannot be read: "):
        films.open_training(folder, rate=2, rest=1)


def test_a_film_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken():
        yield from frames("RGB", 2)
        raise MemoryError

    with pytest.raises(MemoryError):
        films.write(broken(), Film(5, 6, 8, 10), tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []
