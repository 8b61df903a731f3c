"""What `sample`, `interpolate` and `film` write: the right pictures, in every format, that say where they come from."""

import io
import os
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zerosum as package
from tests.end_to_end.conftest import Command, Zerosum
from zerosum.export import pictures
from zerosum.game.engine import Engine
from zerosum.generator import TrainedGenerator
from zerosum.networks import Networks
from zerosum.networks.compact import Compact
from zerosum.networks.mlp import MLP
from zerosum.run_folder import RunFolder

SINGLE = "For single files, --out a folder or a .zip; for the array, a .npz or .npy\n"


def untrained(networks: Networks, *shape: int) -> TrainedGenerator:
    generator, _ = networks.build_pair(shape, 0, seed=0)
    return TrainedGenerator(generator.eval(), networks, shape, {}, Engine(torch.device("cpu")), {})


def pixels_of(content: Path | bytes) -> np.ndarray:
    with Image.open(content if isinstance(content, Path) else io.BytesIO(content)) as picture:
        return np.asarray(picture)


def test_one_sample_is_the_picture_at_its_size(trained: tuple[Path, str], zerosum: Zerosum, tmp_path: Path) -> None:
    done = zerosum("sample", trained[0], "--count", 1, "--seed", 4, "--out", "one.png")
    assert (done.stdout, done.stderr) == ("1 picture of 8x8 (seed 4): one.png\n", "")
    assert np.array_equal(pixels_of(tmp_path / "one.png"), package.load(trained[0]).sample(1, seed=4)[0, 0])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp", ".gif"])
def test_one_sample_in_every_format(trained: tuple[Path, str], in_process: Command, suffix: str) -> None:
    code, out, err = in_process("sample", trained[0], "--count", 1, "--out", f"a{suffix}")
    assert (code, out, err) == (0, f"1 picture of 8x8 (seed 0): a{suffix}\n", "")
    with Image.open(in_process.folder / f"a{suffix}") as picture:
        assert picture.format == {".jpg": "JPEG"}.get(suffix, suffix[1:].upper())
        found = np.asarray(picture.convert("L")).astype(int)
    expected = package.load(trained[0]).sample(1)[0, 0].numpy().astype(int)
    assert np.abs(found - expected).max() <= (8 if "j" in suffix.lower() else 0)  # JPEG alone loses something


def test_a_grid_has_the_rows_and_columns_that_were_asked_for(trained: tuple[Path, str], in_process: Command) -> None:
    code, out, err = in_process("sample", trained[0], "--grid", "2x5", "--seed", 3, "--format", "webp")
    what = "10 pictures of 8x8, enlarged 4 times, in one grid of 2x5 (seed 3): samples-3.webp"
    assert (code, err, out) == (0, "", f"{what}\n{SINGLE}")
    found = pixels_of(in_process.folder / "samples-3.webp")
    side, expected = 8 * 4 + pictures.GAP, package.load(trained[0]).sample(10, seed=3)
    assert found.shape[:2] == (2 * side + pictures.GAP, 5 * side + pictures.GAP)
    seventh = found[side + pictures.GAP :, side + pictures.GAP :][:32:4, :32:4]
    assert np.array_equal(seventh[..., 0], expected[6, 0])
    in_process("sample", trained[0], "--grid", "1X1", "--out", "one.png")
    assert pixels_of(in_process.folder / "one.png").shape == (36, 36)
    for arguments, words in {
        ("--grid", "8"): "--grid 8: write rows x columns, as 8x8, each from 1 to 9999",
        ("--grid", "0x3"): "--grid 0x3: write rows x columns",
        ("--grid", "9999x9999"): "a grid of 99,980,001 pictures would be of",
        ("--grid", "2x2", "--count", 4): "--grid 2x2 and --count 4: give one of them",
        ("--grid", "2x2", "--out", "a.npz"): "--grid 2x2: a.npz is no picture; use .png",
        ("--format", "jpg", "--out", "a.png"): "--format jpg and --out a.png: give one of them",
    }.items():
        assert words in in_process.refused("sample", trained[0], *arguments)
    untrained(MLP(width=4), 2).save(in_process.folder / "points.safetensors")
    refused = in_process.refused("sample", "points.safetensors", "--grid", "2x2")
    assert "--grid 2x2: these samples are points, which become one plot: use --count" in refused


def test_a_sheet_has_a_row_for_each_class_of_the_same_latents(in_process: Command) -> None:
    networks = Compact(width=4, condition="projection")
    network, _ = networks.build_pair((3, 8, 8), 3, seed=0)
    classes = {"cat": 5, "dog": 4, "owl": 3}
    told = TrainedGenerator(network.eval(), networks, (3, 8, 8), classes, Engine(torch.device("cpu")), {})
    told.save(in_process.folder / "told.safetensors")
    code, out, err = in_process("sample", "told.safetensors", "--by-class", "--count", 4, "--seed", 2)
    assert (code, err) == (0, "")
    assert out.startswith("12 pictures of 8x8, enlarged 4 times, in one grid of 3x4 (seed 2): samples-2.png\n")
    assert "A row for each class, from the top: cat, dog, owl\n" in out
    side, found = 8 * 4 + pictures.GAP, pixels_of(in_process.folder / "samples-2.png")
    for row, label in enumerate(classes):
        for column, expected in enumerate(told.sample(4, seed=2, label=label)):
            shown = found[row * side + pictures.GAP :, column * side + pictures.GAP :][:32:4, :32:4]
            assert np.array_equal(shown.transpose(2, 0, 1), expected)
    untrained(Compact(width=4), 3, 8, 8).save(in_process.folder / "untold.safetensors")
    for arguments, words in {
        ("untold.safetensors",): "--by-class: this generator was told no classes",
        ("told.safetensors", "--label", "cat"): "--by-class and --label cat: give one of them",
        ("told.safetensors", "--grid", "2x2"): "--by-class and --grid 2x2: give one of them",
        ("told.safetensors", "--out", "a.npz"): "--by-class: a.npz is no picture; use .png",
    }.items():
        assert words in in_process.refused("sample", *arguments, "--by-class")


def test_arrays_and_archives(trained: tuple[Path, str], in_process: Command) -> None:
    expected = package.load(trained[0]).sample(70, seed=2)
    for name in ("a.npy", "a.zip", "folder"):
        code, out, err = in_process("sample", trained[0], "--count", 70, "--seed", 2, "--out", name)
        assert (code, err) == (0, "")
        what = "an array of 70 x 1 x 8 x 8" if name == "a.npy" else "70 pictures of 8x8, a PNG each"
        assert out == f"{what} (seed 2): {name}\n"
    assert np.array_equal(np.load(in_process.folder / "a.npy"), expected)
    with zipfile.ZipFile(in_process.folder / "a.zip") as archive:
        assert archive.namelist() == [f"{number:06d}.png" for number in range(70)]
        for name, sample in zip(archive.namelist(), expected, strict=True):
            assert archive.read(name) == (in_process.folder / "folder" / name).read_bytes()
            assert np.array_equal(pixels_of(archive.read(name)), sample[0])


def test_pictures_say_what_they_are(trained: tuple[Path, str], in_process: Command) -> None:
    software, run = f"zerosum {version('zerosum')}", trained[0]
    in_process("sample", run / "generator.safetensors", "--seed", 5, "--truncation", 0.5, "--out", "a.png")
    in_process("sample", run, "--seed", 5, "--out", "a.jpg")
    in_process("interpolate", run, "--out", "a.gif", "--count", 2, "--steps", 2)
    with Image.open(in_process.folder / "a.png") as picture:
        assert picture.info["Software"] == software
        assert picture.info["Description"] == "run run; step 60; seed 5; truncation 0.5"
    with Image.open(in_process.folder / "a.jpg") as picture:
        assert picture.getexif()[0x0131] == software
        assert picture.getexif()[0x010E] == "run run; step 60; seed 5"
    with Image.open(in_process.folder / "a.gif") as picture:
        assert picture.info["comment"] == f"{software}: run run; step 60; seed 0".encode()
    for made in (run / "samples" / "000060.png", run / "closest.png"):
        with Image.open(made) as picture:
            assert picture.info["Software"] == software
            assert "run run; step 60; seed 0" in picture.info["Description"]


def test_a_gif_of_colours_says_that_it_has_few(in_process: Command) -> None:
    untrained(Compact(width=2), 3, 8, 8).save(in_process.folder / "g.safetensors")
    _, out, err = in_process("sample", "g.safetensors", "--count", 1, "--out", "a.gif")
    assert (out, err) == ("1 picture of 8x8, in 256 colours (seed 0): a.gif\n", "")
    _, out, err = in_process("interpolate", "g.safetensors", "--count", 2, "--steps", 2, "--out", "b.gif")
    assert (out.splitlines()[-1].endswith(", enlarged 32 times, in 256 colours each"), err) == (True, "")


def test_only_what_zerosum_made_is_replaced(trained: tuple[Path, str], in_process: Command) -> None:
    mine = in_process.folder / "photo.png"
    Image.new("L", (9, 9)).save(mine)
    np.savez(in_process.folder / "mine.npz", samples=np.zeros(3))
    expected = "exists already, and only pictures, films and .npz made by zerosum are replaced: choose another"
    for arguments in (
        ("sample", trained[0], "--out", "photo.png"),
        ("sample", trained[0], "--out", "mine.npz"),
        ("interpolate", trained[0], "--out", "photo.png"),
        ("film", trained[0], "--out", "photo.gif"),
        ("data", "digits", "--sheet", "photo.png"),
        ("evaluate", trained[0], "--pairs", "photo.png"),
        ("theory", "dirac"),
    ):
        for name in ("photo.gif", "dirac.gif"):
            (in_process.folder / name).write_bytes(b"mine")
        assert expected in in_process.refused(*arguments)
    for name in ("a.png", "a.npz", "a.gif"):
        contents = []
        for seed in (0, 1):
            assert in_process("sample", trained[0], "--seed", seed, "--count", 1, "--out", name)[0] == 0
            contents.append((in_process.folder / name).read_bytes())
        assert contents[0] != contents[1]


def test_grids_that_are_too_large_are_refused(trained: tuple[Path, str], in_process: Command) -> None:
    said = in_process.refused("sample", trained[0], "--count", 1_000_000)
    assert said.startswith("error: a grid of 1,000,000 pictures would be of 34,002x34,002 pixels, too many for a .png")
    said = in_process.refused("interpolate", trained[0], "--steps", 4_000, "--out", "a.jpg")
    assert "would be of 274x136,002 pixels, too many for a .jpg" in said


def test_truncated_samples_say_so(trained: tuple[Path, str], in_process: Command) -> None:
    how = ("--seed", 1, "--truncation", 0.5)
    code, out, err = in_process("sample", trained[0], *how, "--count", 5, "--out", "a.npy")
    assert (code, err) == (0, "")
    assert out == ("an array of 5 x 1 x 8 x 8 (seed 1): a.npy\nTruncation: normal latents beyond 0.5 are drawn again\n")
    generator, found = package.load(trained[0]), torch.from_numpy(np.load(in_process.folder / "a.npy"))
    assert torch.equal(found, generator.sample(5, seed=1, truncation=0.5))
    assert not torch.equal(found, generator.sample(5, seed=1))
    code, out, err = in_process("interpolate", trained[0], *how, "--count", 2, "--steps", 3, "--out", "b.npy")
    assert (code, out.splitlines()[-1]) == (0, "Truncation: normal latents beyond 0.5 are drawn again")
    journeys = torch.from_numpy(np.load(in_process.folder / "b.npy"))
    assert torch.equal(journeys, generator.interpolate(2, 3, seed=1, truncation=0.5))


def test_a_truncated_submission(in_process: Command) -> None:
    generator = untrained(Compact(width=2), 3, 64, 64)
    generator.save(in_process.folder / "g.safetensors")
    code, out, err = in_process("submit", "g.safetensors", "--count", 2, "--truncation", 0.3)
    assert (code, err) == (0, "")
    assert out.endswith("Truncation: normal latents beyond 0.3 are drawn again\n")
    with zipfile.ZipFile(in_process.folder / "images.zip") as archive:
        found = torch.stack([torch.from_numpy(pixels_of(archive.read(name)).copy()) for name in archive.namelist()])
    assert torch.equal(found.permute(0, 3, 1, 2), generator.sample(2, truncation=0.3))


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf"])
@pytest.mark.parametrize("command", ["sample", "interpolate"])
def test_truncations_without_a_meaning(
    trained: tuple[Path, str], in_process: Command, command: str, value: str
) -> None:
    said = in_process.refused(command, trained[0], "--truncation", value)
    assert said == f"error: truncation {value}: it must be a number above 0, e.g. 0.7\n"


def test_uniform_latents_are_multiplied(in_process: Command) -> None:
    untrained(MLP(latent=3, width=8, prior="uniform"), 2).save(in_process.folder / "g.safetensors")
    _, out, _ = in_process("sample", "g.safetensors", "--truncation", 0.5, "--out", "a.npy")
    assert out.endswith("Truncation: uniform latents are multiplied by 0.5\n")
    said = in_process.refused("sample", "g.safetensors", "--truncation", 2)
    assert said == ("error: truncation 2: the generator's latents are uniform and are multiplied by it: at most 1\n")


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_a_walk_is_a_film_that_ends_where_it_begins(
    trained: tuple[Path, str], in_process: Command, suffix: str
) -> None:
    name = f"walk{suffix}"
    code, out, err = in_process("interpolate", trained[0], "--count", 3, "--steps", 4, "--seconds", 0.5, "--out", name)
    assert (code, err) == (0, "")
    assert out == (
        f"A film past 3 samples and back to the first (seed 0): {name}\n"
        "12 frames of 256x256 pixels, 1.5 seconds, then again, enlarged 32 times\n"
    )
    passed = package.load(trained[0]).sample(3)[:, 0].repeat_interleave(32, 1).repeat_interleave(32, 2).int()
    with Image.open(in_process.folder / name) as film:
        assert (film.n_frames, film.info["loop"]) == (12, 0)
        for frame in range(12):
            film.seek(frame)
            if suffix == ".gif":
                assert film.info["duration"] == 120  # in hundredths of a second: 12.5 are 12
            if frame % 4 == 0:
                found = torch.from_numpy(np.asarray(film.convert("L")).copy()).int()
                assert (found - passed[frame // 4]).abs().max() <= 1  # rounding of the angle may cross a pixel's


@pytest.mark.skipif(os.name == "nt", reason="the program that stands for ffmpeg is a shell script")
def test_an_mp4_is_made_by_ffmpeg(
    trained: tuple[Path, str], in_process: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    command = ("interpolate", trained[0], "--count", 2, "--steps", 5, "--out", "walk.mp4")
    assert "writing .mp4 needs the program ffmpeg, which is not installed: use .gif or .webp" in in_process.refused(
        *command
    )
    program = tmp_path / "ffmpeg"
    program.write_text(
        f'#!/bin/sh\nfor last; do :; done\necho "$@" > {tmp_path}/words\n/bin/cat > "$last" || exec cat > "$last"\n'
    )
    program.chmod(0o755)
    code, out, err = in_process(*command)
    assert (code, err) == (0, "")
    assert "10 frames of 256x256 pixels, 2.0 seconds" in out
    frames = np.frombuffer((in_process.folder / "walk.mp4").read_bytes(), np.uint8).reshape(10, 256, 256, 3)
    passed = package.load(trained[0]).sample(2)[:, 0].numpy().repeat(32, 1).repeat(32, 2)
    assert np.abs(frames[::5, :, :, 0].astype(int) - passed).max() <= 1
    words = (tmp_path / "words").read_text()
    assert "-pixel_format rgb24 -video_size 256x256 -framerate 5 -i -" in words
    assert f"comment=zerosum {version('zerosum')}: run run; step 60; seed 0" in words
    program.write_text("#!/bin/sh\necho 'Unknown encoder' >&2\nexit 1\n")
    (in_process.folder / "walk.mp4").unlink()
    assert "ffmpeg could not make the film: Unknown encoder; use .gif or .webp" in in_process.refused(*command)


def test_what_is_no_film_of_a_walk(trained: tuple[Path, str], in_process: Command) -> None:
    untrained(MLP(latent=3, width=8), 2).save(in_process.folder / "g.safetensors")
    for arguments, expected in (
        (("g.safetensors", "--out", "a.gif"), "these samples are points: use .png, or 'zerosum film RUN'"),
        ((trained[0], "--out", "a.gif", "--count", 1), "--count has to be at least 2"),
        ((trained[0], "--out", "a.gif", "--count", 10_000), "a film of 250,000 frames of 256x256 pixels is too large"),
        ((trained[0], "--seconds", 2), "--seconds is for films, and interpolation-0.png is none"),
    ):
        assert expected in in_process.refused("interpolate", *arguments)


def test_a_film_of_the_training(trained: tuple[Path, str], in_process: Command) -> None:
    code, out, err = in_process("film", trained[0])
    assert (code, err) == (0, "")
    assert out == (
        f"The training of {trained[0]} in 11 pictures: training.gif\n"
        "11 frames of 302x274 pixels, 7.5 seconds, then again\n"
    )
    with Image.open(in_process.folder / "training.gif") as film:
        assert film.n_frames == 11
        for frame, step in ((0, 0), (5, 30), (10, 60)):
            film.seek(frame)
            found = np.asarray(film.convert("RGB")).astype(int)
            expected = pixels_of(trained[0] / "samples" / f"{step:06d}.png")
            assert np.abs(found[:274] - expected[:, :, None]).max() <= 4  # 256 colours for gray and the bar's blue
            blue = found[300, :, 2] - found[300, :, 0] > 50
            assert blue.sum() == pytest.approx(274 * step / 60, abs=1)
        assert film.info["duration"] == 2_500


def test_a_film_of_points_stays_in_one_frame(in_process: Command) -> None:
    """The numbers of the axes are at the same pixels in all of them, wherever the points are."""
    about = {"data": "ring", "fingerprint": "", "device": "cpu", "precision": "float32", "recipe": {}}
    folder = RunFolder.create(in_process.folder / "run", about | {"format": 2, "seed": 0, "steps": 2, "threads": 1})
    folder.close()
    ring = package.open_source("ring").test.samples[:500]
    for step, scale in enumerate((0.01, 1.5, 9.0)):
        picture = pictures.draw_samples(torch.randn(500, 2) * scale, ring)
        (folder.samples / f"{step:06d}.png").write_bytes(pictures.encode(picture))
    code, out, err = in_process("film", "run", "--seconds", 0.2, "--out", "ring.webp")
    assert (code, err) == (0, "")
    assert out.endswith("3 frames of 528x500 pixels, 2.6 seconds, then again\n")
    drawn = [pixels_of(folder.samples / f"{step:06d}.png").astype(int) for step in range(3)]
    with Image.open(in_process.folder / "ring.webp") as film:
        for frame, picture in enumerate(drawn):
            film.seek(frame)
            assert np.array_equal(np.asarray(film.convert("RGB"))[:500], picture)
    axes = [(picture[60:, :30] < 128).any(-1) for picture in drawn]
    assert axes[0].sum() > 100
    assert np.array_equal(axes[0], axes[1])
    assert np.array_equal(axes[0], axes[2])


def test_what_has_no_film_of_its_training(trained: tuple[Path, str], in_process: Command) -> None:
    generator = trained[0] / "generator.safetensors"
    for arguments, expected in (
        ((generator,), "is a generator, which has no pictures of its training: name the run's folder"),
        (("nowhere",), "no run at nowhere: no such folder"),
        ((trained[0], "--out", "a.png"), "cannot write a film as .png: use .gif, .webp, .mp4"),
    ):
        assert expected in in_process.refused("film", *arguments)
