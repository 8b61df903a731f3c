"""Values, formats, pages and channels at the command line: read right and said, or refused with both readings named."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.end_to_end.conftest import Command
from tests.photos import encoded, fill, picture
from zerosum.game.engine import Engine
from zerosum.generator import TrainedGenerator
from zerosum.networks.compact import Compact

SMALL = ("--set", "networks.width=4", "--set", "batch_size=8", "--device", "cpu", "--steps", 1, "--out", "r")
Array = NDArray[Any]


@pytest.fixture
def zerosum(in_process: Command) -> Command:
    return in_process


def write(folder: Path, arrays: list[Array], kind: str) -> Path:
    """Write each array as an image file whose first column is white noise, so that no two look alike."""
    folder.mkdir()
    for number, array in enumerate(arrays):
        Image.fromarray(array).save(folder / f"{number:02d}.{kind}")
    return folder


def noise(number: int, low: float, high: float, kind: str) -> Array:
    """Random values [16, 16] from low to high, both there."""
    values = np.random.default_rng(number).uniform(low, high, (16, 16))
    values[0, :2] = low, high
    return values.astype(kind)


def shades(zerosum: Command, data: object, *changes: object) -> tuple[str, list[int]]:
    """Describe the data with a sheet; return what was said and the grays on the sheet, without its frames."""
    code, out, err = zerosum("data", data, "--sheet", "sheet.png", *changes)
    assert (code, err) == (0, ""), err
    sheet = np.asarray(Image.open(zerosum.folder / "sheet.png").convert("L"))
    return out, np.unique(sheet).tolist()


def test_twelve_bits_in_sixteen(zerosum: Command) -> None:
    images = [np.where(np.indices((16, 16))[1] > number, 4095, 2048).astype("u2") for number in range(14)]
    out, grays = shades(zerosum, write(zerosum.folder / "x", images, "png"))
    assert "values 0..4095 of 16-bit files become black..white (found: 2048..4095); data.range=LOW..HIGH over" in out
    assert grays == [round(2048 * 255 / 4095), 255]
    out, grays = shades(zerosum, "x", "--set", "data.range=0..8190")
    assert "values 0..8190 of 16-bit files become black..white (found: 2048..4095); as data.range says" in out
    assert {round(2048 * 255 / 8190), round(4095 * 255 / 8190)} <= set(grays)


def test_metal_in_some_slices_leaves_tissue_its_gray_in_all(zerosum: Command) -> None:
    slices = []
    for number in range(20):
        slices.append(np.full((16, 16), -1000, "i4"))
        slices[-1][1 : 3 + number % 10, 2:14] = 40
        slices[-1][4, number % 12 : 3 + number % 12] = 40
        slices[-1][15, 15] = 3000 if number % 2 else -1000
    out, grays = shades(zerosum, write(zerosum.folder / "ct", slices, "tif"), "--size", 16)
    assert "values -1000..3000 of 32-bit numbers become black..white" in out
    assert grays == [0, round(1040 * 255 / 4000), 255]


def test_a_fraction_that_is_hardly_above_one_is_one(zerosum: Command) -> None:
    images = [noise(number, 0, 1.0000002 if number % 2 else 1, "f4") for number in range(20)]
    said = "of them outside and clipped); data.range=LOW..HIGH overrules"
    assert f"10 of 5,120 {said}" in shades(zerosum, write(zerosum.folder / "x", images, "tif"))[0]
    np.save(zerosum.folder / "x.npy", np.stack(images))
    out, grays = shades(zerosum, "x.npy")
    assert f"values 0..1 of float32 become black..white (found: 0..1.000000238, 10 of 5,120 {said}" in out
    assert len(grays) > 200


@pytest.mark.parametrize(
    ("high", "kind", "one", "other"), [(20, "u1", "0..20", "0..255"), (1.4, "f4", "0..1", "0..1.4")]
)
def test_where_two_readings_are_possible_both_are_named(
    zerosum: Command, high: float, kind: str, one: str, other: str
) -> None:
    images = [noise(number, 0, high, kind) for number in range(20)]
    np.save(zerosum.folder / "x.npy", np.stack(images))
    write(zerosum.folder / "x", images, "tif")
    (zerosum.folder.parent / "cache" / "packs").mkdir(parents=True)
    for data in ("x.npy", "x"):
        for command in (("data", data), ("train", data, *SMALL)):
            assert f"--set data.range={one} or --set data.range={other}" in zerosum.refused(*command)
        assert shades(zerosum, data, "--set", f"data.range={one}")[1][-1] == 255


def test_ids_in_a_palette_of_grays_are_asked_about(zerosum: Command) -> None:
    (zerosum.folder / "x").mkdir()
    for number in range(16):
        ids = Image.fromarray(noise(number, 0, 4, "u1"))
        ids.putpalette([level for gray in range(256) for level in (gray, gray, gray)])
        ids.save(zerosum.folder / "x" / f"{number}.png")
    (zerosum.folder.parent / "cache" / "packs").mkdir(parents=True)
    assert "--set data.range=0..4 or --set data.range=0..255" in zerosum.refused("data", "x")
    out, grays = shades(zerosum, "x", "--set", "data.range=0..4")
    assert "values 0..4 of the palettes of 8-bit files become black..white" in out
    assert grays == [0, 64, 128, 191, 255]


def test_samples_made_elsewhere_are_read_in_the_range_of_the_real_ones(zerosum: Command) -> None:
    for name, high in (("real", 3000), ("fake", 1000)):
        np.save(zerosum.folder / f"{name}.npy", np.stack([noise(each, -1000, high, "i2") for each in range(60)]))
    candidates = ("fake.npy", "--against", "real.npy", "--metric", "frechet-distance", "--features", "pixels")
    code, out, err = zerosum("evaluate", *candidates)
    assert (code, err) == (0, "")
    assert "fake.npy: values -1000..3000 of int16 become black..white (found: -1000..1000)" in out


@pytest.mark.parametrize("text", ["4095", "0..", "9..1", "0..inf", "a..b", "1..1", "true"])
def test_a_range_that_is_none(zerosum: Command, text: str) -> None:
    fill(zerosum.folder / "x")
    assert "data.range: a range is low..high, two finite" in zerosum.refused(
        "train", "x", *SMALL, "--set", f"data.range={text}"
    )


def test_a_range_where_no_value_needs_one(zerosum: Command) -> None:
    fill(zerosum.folder / "x")
    assert "x: data.range is about gray values, and its files are in" in zerosum.refused(
        "data", "x", "--set", "data.range=0..9"
    )


def test_every_format_is_read_and_the_rest_is_counted_and_named(zerosum: Command) -> None:
    folder = fill(zerosum.folder / "x", 4)
    for number, (kind, name) in enumerate([("PPM", "ppm"), ("TGA", "tga"), ("JPEG2000", "jp2"), ("AVIF", "avif")] * 4):
        (folder / f"p{number}.{name}").write_bytes(encoded(picture(100 + number), kind))
    (folder / "a.txt").write_text("x")
    (folder / "b.txt").write_text("x")
    (folder / "c.pdf").write_bytes(b"%PDF-1.4")
    (folder / "d.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0")
    out = zerosum("data", folder)[1]
    assert "20 images used, 1 left out (0 of them broken)" in out
    assert "left out d.eps: .eps is not read: convert it to JPEG or PNG" in out
    assert "3 files are no images: 2 .txt, 1 .pdf" in out


def test_masks_are_left_out_and_said_and_taken_on_request(zerosum: Command) -> None:
    fill(zerosum.folder / "x" / "images")
    for number in range(16):
        shape = Image.new("L", (40, 32))
        shape.paste(255, (number, number, 30, 20))
        (zerosum.folder / "x" / "masks").mkdir(exist_ok=True)
        shape.save(zerosum.folder / "x" / "masks" / f"{number:04d}.png")
    out = zerosum("data", "x")[1]
    assert "16 images used, 16 left out (0 of them broken)" in out
    assert "left out masks/0000.png: it is the mask of images/0000.bmp (data.masks=use takes it)" in out
    assert "32 images used, 0 left out" in zerosum("data", "x", "--set", "data.masks=use")[1]


def test_twelve_bits_in_sixteen_per_colour_are_refused_with_the_way_out(zerosum: Command) -> None:
    pixels = np.random.default_rng(0).integers(0, 4096, (16, 16, 3)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0), b"IDAT" + zlib.compress(rows), b"IEND")
    content = b"".join(struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in chunks)
    (zerosum.folder / "x").mkdir()
    (zerosum.folder / "x" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    (zerosum.folder.parent / "cache" / "packs").mkdir(parents=True)
    expected = "1 files of several 16-bit channels have values below 4096 of 65535, and only the upper 8 bits"
    assert expected in zerosum.refused("data", "x")


def test_pages_are_images_that_stay_together_and_frames_are_counted(zerosum: Command) -> None:
    folder = zerosum.folder / "x"
    folder.mkdir()
    for number in range(12):
        pages = [picture(10 * number + page) for page in range(3)]
        (folder / f"{number:02d}.tif").write_bytes(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    out = zerosum("data", folder)[1]
    assert "36 images used" in out
    assert "near-duplicates  │ none found" in out  # each page has its own pixels
    assert "36 images are pages of 12 files, which stay together; data.pages=first takes only the first of each" in out
    (listed,) = (zerosum.folder.parent / "cache").rglob("files.jsonl")
    lines = [json.loads(line) for line in listed.read_text().splitlines()]
    assert {line["file"] for line in lines} == {f"{file:02d}.tif#{page}" for file in range(12) for page in (1, 2, 3)}
    sides = {(line["file"][:2], line["used"]) for line in lines}
    assert len(sides) == 12
    assert "12 images used" in zerosum("data", folder, "--set", "data.pages=first")[1]
    frames = [picture(200 + number) for number in range(4)]
    (folder / "a.gif").write_bytes(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    out = zerosum("data", folder)[1]
    assert "37 images used" in out
    assert "of 1 animation the first frame is used, 3 frames are left out; data.pages=all takes them" in out
    assert "40 images used" in zerosum("data", folder, "--set", "data.pages=all")[1]


def test_thirteen_bands_are_read_shown_and_written(zerosum: Command) -> None:
    bands = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 13), dtype=np.uint8)
    bands[..., 5], bands[..., 9] = 77, 200
    np.save(zerosum.folder / "x.npy", bands)
    out = zerosum("data", "x.npy", "--sheet", "sheet.png", "--set", "data.shown=5,9,5")[1]
    assert "an array of shape [40, 32, 32, 13] is read as 13 channels of 32x32; data.layout overrules" in out
    assert "images, 13 x 32 x 32" in out
    assert Image.open(zerosum.folder / "sheet.png").getpixel((9, 9)) == (77, 200, 77)
    assert "of 13 channels, counted from 0, pictures show 0,1,2; data.shown overrules" in zerosum("data", "x.npy")[1]
    assert "data.shown=13: x has 13 channels, counted from 0" in zerosum.refused(
        "data", "x.npy", "--set", "data.shown=13"
    )

    networks = Compact(width=4)
    network, _ = networks.build_pair((13, 8, 8), 0, seed=0)
    about = {"recipe": {"data": {"shown": [5, 9, 5]}}}
    TrainedGenerator(network.eval(), networks, (13, 8, 8), {}, Engine.choose("cpu"), about).save(
        zerosum.folder / "g.safetensors"
    )
    assert zerosum("sample", "g.safetensors", "--count", 9, "--out", "s.npz")[0] == 0
    samples = np.load(zerosum.folder / "s.npz")["samples"]
    assert samples.shape == (9, 13, 8, 8)
    assert zerosum("sample", "g.safetensors", "--count", 9, "--out", "s.png")[0] == 0
    picture = np.asarray(Image.open(zerosum.folder / "s.png"))
    np.testing.assert_array_equal(picture[2:34:4, 2:34:4].transpose(2, 0, 1), samples[0, [5, 9, 5]])
    assert "a PNG holds up to 4 channels, not 13" in zerosum.refused("sample", "g.safetensors", "--out", "folder")


def test_series_and_statistics_are_refused_with_the_way_out(zerosum: Command) -> None:
    series = np.random.default_rng(0).normal(0, 0.3, (60, 128, 3)).clip(-1, 1)
    np.save(zerosum.folder / "series.npy", series)
    for command in (("data", "series.npy"), ("train", "series.npy", *SMALL)):
        assert "np.save('points.npy', x.reshape(60, 384))" in zerosum.refused(*command)
    np.save(zerosum.folder / "points.npy", series.reshape(60, 384))  # as the message says
    assert "points, 384" in zerosum("data", "points.npy")[1]
    np.savez(zerosum.folder / "fid.npz", mu=np.zeros(8), sigma=np.eye(8))
    assert "the mean and covariance of features" in zerosum.refused("data", "fid.npz")
