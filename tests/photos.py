"""Pictures for tests, made from a seed: smooth, colourful, and no two alike."""

import io
from pathlib import Path
from typing import Any

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
    """`folder`, made if need be, with `count` pictures; sixteen are enough for both splits."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        (folder / f"{number:04d}.bmp").write_bytes(encoded(picture(number, size, mode)))
    return folder
