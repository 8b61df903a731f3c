"""Pictures for tests, made from a seed: smooth, colourful, and no two alike; and the files of the dog competition."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image


def picture(seed: int, size: tuple[int, int] = (40, 32), mode: str = "RGB") -> Image.Image:
    """A smooth picture of (width, height) = `size`; no pixel is near 0 or 255."""
    coarse = np.random.default_rng(seed).integers(40, 216, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR).convert(mode)


def encoded(image: Image.Image, kind: str = "BMP", **options: Any) -> bytes:
    """The image as the bytes of a file; a BMP's are the same with every version of every library."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def fill(folder: Path, count: int = 16, first: int = 0, size: tuple[int, int] = (40, 32), mode: str = "RGB") -> Path:
    """`folder`, made if need be, with `count` pictures; sixteen of this size are enough for both splits."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        (folder / f"{number:04d}.bmp").write_bytes(encoded(picture(number, size, mode)))
    return folder


Sides = tuple[object, object, object, object]


def annotation(*boxes: Sides) -> str:
    """Of Pascal VOC, with an object for each of `boxes` (left, top, right, bottom)."""
    objects = "".join(
        f"<object><name>dog</name><bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax>"
        "</bndbox></object>"
        for left, top, right, bottom in boxes
    )
    return f"<annotation><filename>x.jpg</filename><size><width>9</width></size>{objects}</annotation>"


class Photo(NamedTuple):
    """An image file, its annotation's, and what is on it."""

    image: Path
    annotation: Path
    breed: str


def made(folder: Path, count: int = 48) -> list[Photo]:
    """Pictures of two breeds, with a box each."""
    photos = []
    for number in range(count):
        photos.append(Photo(folder / f"{number:04d}.jpg", folder / f"{number:04d}.xml", ("beagle", "pug")[number % 2]))
        photos[-1].image.write_bytes(encoded(picture(number, (96, 80)), "JPEG"))
        photos[-1].annotation.write_text(annotation((8, 8, 80, 72)))
    return photos


def pets(raw: Path) -> list[Photo]:
    """The real photos."""
    images = sorted((raw / "images").glob("*.jpg"))
    marks = raw / "annotations" / "xmls"
    return [Photo(image, marks / f"{image.stem}.xml", image.stem.rsplit("_", 1)[0]) for image in images]


Files = list[tuple[Path, str]]


def dog_competition(photos: list[Photo]) -> tuple[Files, Files]:
    """What lies in the two archives of Kaggle's "Generative Dog Images", images and annotations: files, their names."""
    breeds = sorted({photo.breed for photo in photos})
    folders = {breed: f"Annotation/n{number:08d}-{breed}" for number, breed in enumerate(breeds)}
    images = [(photo.image, f"all-dogs/{photo.image.name}") for photo in photos]
    return images, [(photo.annotation, f"{folders[photo.breed]}/{photo.image.stem}") for photo in photos]


def compress(archive: Path, files: Iterable[tuple[Path, str]]) -> None:
    """Put `files` into an archive under their names there."""
    with zipfile.ZipFile(archive, "w") as file:
        for path, name in files:
            file.write(path, name)


def download(folder: Path, photos: list[Photo]) -> Path:
    """`folder`, made, with the two archives of the competition as they come."""
    folder.mkdir()
    images, marks = dog_competition(photos)
    compress(folder / "all-dogs.zip", images)
    compress(folder / "Annotation.zip", marks)
    return folder
