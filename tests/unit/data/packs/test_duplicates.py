"""Near-duplicates are found and kept on one side of the split; other images are not taken for duplicates."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.photos import encoded, fill, picture
from zerosum.data import Source
from zerosum.data.packs.decode import decode
from zerosum.data.packs.duplicates import group_duplicates, hash_perceptually, make_thumbnail
from zerosum.data.packs.splits import LARGEST_GROUP
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source


def small(content: bytes) -> NDArray[np.uint8]:
    return make_thumbnail(decode(content, (64, 64), 3, Preparation(), None))


def copies(image: Image.Image) -> dict[str, bytes]:
    """Change a picture as happens when people pass it on."""
    profile = image.info.get("icc_profile")
    image = image.convert("RGB")
    width, height = image.size

    def jpeg(changed: Image.Image, quality: int) -> bytes:
        return encoded(changed, "JPEG", quality=quality, icc_profile=profile)

    return {
        "quality 90": jpeg(image, 90),
        "mirrored": jpeg(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 90),
        "quality 50": jpeg(image, 50),
        "quality 30": jpeg(image, 30),
        "3 pixels less": jpeg(image.resize((width - 3, height - 3), Image.Resampling.BICUBIC), 90),
        "half": jpeg(image.resize((width // 2, height // 2), Image.Resampling.BICUBIC), 90),
        "WebP": encoded(image, "WEBP", quality=60, method=0, icc_profile=profile),
        "PNG": encoded(image, "PNG", compress_level=1, icc_profile=profile),
    }


def sides(source: Source) -> dict[str, dict[str, object]]:
    assert source.files is not None
    found = map(json.loads, source.files.read_text(encoding="utf-8").splitlines())
    return {line["file"]: line for line in found if "used" in line}


def test_copies_of_photos_are_found_and_no_others(shared: Path) -> None:
    files = sorted((shared / "pets" / "raw" / "images").glob("*.jpg"))[::8]
    originals = np.stack([small(file.read_bytes()) for file in files])
    np.testing.assert_array_equal(group_duplicates(originals), np.arange(len(files)))
    made = []
    for file in files:
        with Image.open(io.BytesIO(file.read_bytes())) as image:
            made.append(copies(image))
    for kind in made[0]:
        again = np.stack([small(each[kind]) for each in made])
        found = group_duplicates(np.concatenate([originals, again]))
        np.testing.assert_array_equal(found, np.tile(np.arange(len(files)), 2), err_msg=kind)


def test_digits_are_no_copies_of_each_other(digits: Source) -> None:
    thumbnails = np.stack([make_thumbnail(image.numpy()) for image in digits.train.samples])
    np.testing.assert_array_equal(group_duplicates(thumbnails), np.arange(len(thumbnails)))


def test_a_hash_has_a_bit_for_each_place_that_is_darker_than_the_next() -> None:
    flat = np.full((1, 16, 17), 100, np.uint8)
    edge, noise = flat.copy(), flat.copy()
    edge[0, 3, 9:] = 103
    noise[0, :, ::2] = 102
    assert np.unpackbits(hash_perceptually(flat)).sum() == 0
    assert np.unpackbits(hash_perceptually(noise)).sum() == 0
    assert np.flatnonzero(np.unpackbits(hash_perceptually(edge))).tolist() == [3 * 16 + 8]


def test_groups_are_connected_by_pairs() -> None:
    """A dissolves into B by steps of which each is small; the last is far from the first."""
    one, other = (np.asarray(picture(seed, (17, 16), "L")).astype(float) for seed in (0, 1))
    steps = np.stack([one + (other - one) * share for share in np.linspace(0, 0.4, 12)]).round().astype(np.uint8)
    assert group_duplicates(np.stack([steps[0], steps[-1]])).tolist() == [0, 1]
    assert group_duplicates(np.stack([*steps, other.astype(np.uint8)])).tolist() == [0] * 12 + [12]


def test_the_order_does_not_matter() -> None:
    thumbnails = np.stack([np.asarray(picture(seed % 30, (17, 16), "L")) for seed in range(60)])
    order = np.random.default_rng(0).permutation(60)
    one, other = group_duplicates(thumbnails), group_duplicates(thumbnails[order])
    assert (one[order][:, None] == one[order][None]).tolist() == (other[:, None] == other[None]).tolist()


@pytest.mark.parametrize(("gain", "shift"), [(1.0, 30), (0.8, 0), (0.7, 20), (1.2, -30)])
def test_brightness_and_contrast_make_no_other_picture(gain: float, shift: float) -> None:
    thumbnails = np.stack([np.asarray(picture(seed, (17, 16), "L")) for seed in range(10)])
    changed = np.clip(thumbnails * gain + shift, 0, 255).round().astype(np.uint8)
    assert group_duplicates(np.concatenate([thumbnails, changed])).tolist() == [*range(10)] * 2


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_images(count: int) -> None:
    thumbnails = np.stack([np.asarray(picture(seed, (17, 16), "L")) for seed in range(count)])
    assert group_duplicates(thumbnails).tolist() == list(range(count))


def test_near_duplicates_are_on_one_side_and_listed(tmp_path: Path) -> None:
    for number in range(40):
        image = picture(number, (120, 100))
        (tmp_path / f"{number}.bmp").write_bytes(encoded(image))
        for kind, content in copies(image).items():
            (
                tmp_path / f"{number} {kind}.{'webp' if kind == 'WebP' else 'png' if kind == 'PNG' else 'jpg'}"
            ).write_bytes(content)
    lines = sides(open_source(str(tmp_path)))
    assert len(lines) == 360
    assert {line["used"] for line in lines.values()} == {"train", "test"}
    for number in range(40):
        mine = {name: line for name, line in lines.items() if name.replace(".", " ").split()[0] == str(number)}
        assert len({line["used"] for line in mine.values()}) == 1
        assert len([line for line in mine.values() if "same_as" in line]) == len(mine) - 1


def test_duplicates_and_boxes_of_one_photo_are_a_chain_on_one_side(tmp_path: Path) -> None:
    """Photo n has the pictures n and n + 1 side by side, each in a box: all are connected through the pictures shared.

    Another thirty photos are not.
    """
    box = "<object><bndbox><xmin>{}</xmin><ymin>0</ymin><xmax>{}</xmax><ymax>32</ymax></bndbox></object>"
    for number in range(30):
        chain, alone = Image.new("RGB", (80, 32)), Image.new("RGB", (80, 32))
        for place in (0, 1):
            chain.paste(picture(number + place), (40 * place, 0))
            alone.paste(picture(1000 + 2 * number + place), (40 * place, 0))
        for name, image in (("chain", chain), ("alone", alone)):
            (tmp_path / f"{name}{number}.bmp").write_bytes(encoded(image))
            marks = f"<annotation>{box.format(0, 40)}{box.format(40, 80)}</annotation>"
            (tmp_path / f"{name}{number}.xml").write_text(marks)
    lines = sides(open_source(str(tmp_path)))
    assert len(lines) == 120
    assert len({line["used"] for name, line in lines.items() if name.startswith("chain")}) == 1
    assert {line["used"] for name, line in lines.items() if name.startswith("alone")} == {"train", "test"}
    for number in range(30):
        assert len({lines[f"alone{number}.bmp#{each}"]["used"] for each in (1, 2)}) == 1


def test_identical_images_are_on_one_side_however_many(tmp_path: Path) -> None:
    """More than a group may have, each in a file of its own content."""
    fill(tmp_path, 30)
    for number in range(3 * LARGEST_GROUP):
        (tmp_path / f"same{number}.tif").write_bytes(encoded(picture(99), "TIFF", description=f"copy {number}"))
    lines = sides(open_source(str(tmp_path)))
    same = {name: line for name, line in lines.items() if name.startswith("same")}
    assert len({line["used"] for line in same.values()}) == 1
    assert len({line.get("same_as", name) for name, line in same.items()}) == 1


def noisy(folder: Path, scene: int, count: int, size: tuple[int, int] = (32, 32)) -> None:
    """Frames of one scene: nearly equal, and no two the same."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(scene)
    base = np.asarray(picture(scene, size, "L")).astype(float)
    for number in range(count):
        frame = np.clip(base + rng.normal(0, 1, base.shape), 0, 255).astype(np.uint8)
        (folder / f"{scene:02d}_{number:03d}.bmp").write_bytes(encoded(Image.fromarray(frame)))


def scenes(lines: dict[str, dict[str, object]], side: str) -> set[str]:
    return {name[:2] for name, line in lines.items() if line["used"] == side}


def test_about_a_fifth_of_frames_is_for_testing_and_scenes_stay_whole(tmp_path: Path) -> None:
    for scene in range(12):
        noisy(tmp_path, scene, 10)
    source = open_source(str(tmp_path))
    lines = sides(source)
    assert (len(source.train), len(source.test)) == (90, 30)  # two scenes are less than a fifth
    assert not scenes(lines, "train") & scenes(lines, "test")
    assert "near-duplicates: 120 images in 12 groups of near-equal ones; groups stay together" in source.notes[0]


def test_more_frames_leave_the_scenes_for_testing_where_they_are(tmp_path: Path) -> None:
    """At most one of them changes its place, as a fifth of all is a whole number of scenes."""
    for scene in range(20):
        noisy(tmp_path, scene, 8)
    before = scenes(sides(open_source(str(tmp_path))), "test")
    noisy(tmp_path, 20, 8)
    after = scenes(sides(open_source(str(tmp_path))), "test")
    assert len(before) == 4
    assert len((before ^ after) - {"20"}) <= 1


def test_a_large_group_is_trained_on_and_the_others_are_tested_with(tmp_path: Path) -> None:
    noisy(tmp_path, 0, 18)
    fill(tmp_path, 20, first=100, size=(32, 32), mode="L")
    lines = sides(open_source(str(tmp_path)))
    assert {line["used"] for name, line in lines.items() if name.startswith("00_")} == {"train"}
    assert 4 <= sum(line["used"] == "test" for line in lines.values()) <= 11


@pytest.mark.parametrize("others", [0, 6])
def test_a_set_of_one_subject_is_divided_image_by_image_and_it_is_said(tmp_path: Path, others: int) -> None:
    noisy(tmp_path, 0, 60)
    fill(tmp_path, others, first=100, size=(32, 32), mode="L")
    source = open_source(str(tmp_path))
    assert 0.05 < len(source.test) / (60 + others) < 0.4
    assert (
        f"60 of {60 + others} images look alike, too many to keep them together: they are divided one"
        in source.notes[0]
    )
    assert not any("same_as" in line for line in sides(source).values())


def test_two_scenes_are_divided_image_by_image(tmp_path: Path) -> None:
    """Else one would be trained on and the other tested with."""
    for scene in (0, 1):
        noisy(tmp_path, scene, 30)
    lines = sides(open_source(str(tmp_path)))
    assert scenes(lines, "train") == scenes(lines, "test") == {"00", "01"}
