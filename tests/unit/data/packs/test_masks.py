"""Masks among images: found by their names and folders, and folders of a like name that hold photos are left alone."""

import pytest
from PIL import Image

from tests.photos import encoded, picture
from zerosum.data.packs.masks import find_masks

PHOTO, FLAT = encoded(picture(0), "PNG"), encoded(Image.new("L", (8, 8), 7), "PNG")
TWO = ("a", "b")


def masks(names: dict[str, bytes]) -> dict[str, str]:
    """Find the masks among files of the given names and contents."""
    return find_masks({name: content.__bytes__ for name, content in names.items()})


@pytest.mark.parametrize("word", ["_mask", "-mask", "_MASK", "_seg", "_labels", "_gt", "_trimap", ".mask"])
def test_a_mask_beside_its_image(word: str) -> None:
    names = {"x/1.jpg": PHOTO, f"x/1{word}.png": FLAT, "x/2.jpg": PHOTO, f"y/2{word}.png": FLAT}
    assert masks(names) == {f"x/1{word}.png": "x/1.jpg"}


@pytest.mark.parametrize("folder", ["masks", "Mask", "labels", "SegmentationClass", "masks_machine", "gt"])
@pytest.mark.parametrize("added", ["", "_mask"])
def test_a_folder_of_masks_beside_that_of_the_images(folder: str, added: str) -> None:
    pairs = {f"set/{folder}/{name}{added}.png": f"set/images/{name}.jpg" for name in TWO}
    assert masks(dict.fromkeys(pairs, FLAT) | dict.fromkeys(pairs.values(), PHOTO)) == pairs


def test_folders_of_splits_below() -> None:
    pairs = {f"masks/{split}/{name}.png": f"images/{split}/{name}.jpg" for split in ("train", "val") for name in TWO}
    assert masks(dict.fromkeys(pairs, FLAT) | dict.fromkeys(pairs.values(), PHOTO)) == pairs


def test_a_class_called_mask_is_none() -> None:
    photos = {f"{folder}/{name}.jpg": PHOTO for folder in ("mask", "none") for name in TWO}
    assert masks(photos) == {}
    assert masks({"mask/a.png": FLAT, "mask/c.png": FLAT, "none/a.png": PHOTO}) == {}
    assert masks({"mask/a.png": FLAT, "mask/b.png": FLAT}) == {}
    assert masks({"with_mask/a.png": FLAT, "without_mask/a.png": PHOTO}) == {}
    assert masks({"mask/a.png": b"broken", "images/a.png": PHOTO}) == {}
