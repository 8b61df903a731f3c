"""Decode the bytes of an image file to pixels of a given size; nothing else resizes image files.

An image is turned upright, resized by Lanczos with support that grows with the reduction, so that nothing is aliased,
and then converted to 8-bit sRGB (or gray). JPEGs are decoded at the smallest scale that is still at least twice the
size.
"""

import contextlib
import functools
import io
import random
from threading import Lock, get_ident
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from zerosum.data import MODES
from zerosum.data.packs.annotations import Box
from zerosum.data.packs.headers import BYTE_MODES, DEEP_MODES, Unreadable, is_transparent, open_image
from zerosum.data.preparation import Preparation
from zerosum.data.values import Range, scale

ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LARGE, ONE_LARGE = 25_000_000, Lock()  # larger images are decoded one at a time, as each takes gigabytes
Pixels = NDArray[np.uint8]


class Outside(Unreadable):
    """A box of which too little lies inside an image that is itself intact."""


def read_values(content: bytes, page: int) -> NDArray[Any]:
    """Decode the values of an image, or of a `page` in a file, as they are stored: [H, W], in colour [H, W, C].

    Raises:
        Unreadable: it is no image, is damaged, or has values that are not finite numbers.
    """
    with open_image(content) as image:
        image.seek(page)
        return _to_values(image)


def decode(
    content: bytes,
    size: tuple[int, int],
    channels: int,
    preparation: Preparation,
    box: Box | None,
    values: Range | None = None,
    page: int = 0,
) -> Pixels:
    """Decode the image, or the `box` in it, to uint8 [channels, H, W] with (H, W) = `size`.

    Args:
        content: of the file.
        size: of the result.
        channels: of the result.
        preparation: how it is cropped, and so on.
        box: the part to take; None takes all of it.
        values: the range that becomes 0..255, where values of one channel are no bytes or few of them are used.
        page: the page of a file that has several.

    Raises:
        Unreadable: it is no image, is damaged, or is too large; or it needs `values`, and they are None.
        Outside: less of the box than `preparation.smallest_box` lies in it.
    """
    with open_image(content) as image:
        image.seek(page)
        stored = image.size
        part = _clip_box(box, stored, preparation.smallest_box)
        image.draft(None, _choose_draft_size(stored, part, size))
        with ONE_LARGE if image.width * image.height > LARGE else contextlib.nullcontext():
            image.load()
            turn = _find_turn(image)
            if part is not None:
                image = image.crop(_scale_box(part, stored, image.size))
            if turn is not None:
                image = image.transpose(turn)
            small = _resize(_to_resizable(_to_eight_bits(image, values)), size, preparation.crop, content)
            return _to_array(_add_border(_convert(small, channels), size), channels)


def shrink_to_gray(pixels: Pixels, width: int, height: int) -> Pixels:
    """Shrink an image [C, H, W] to gray [height, width], to compare images."""
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
    return np.asarray(image.convert("L").resize((width, height), Image.Resampling.BOX))


def _find_turn(image: Image.Image) -> Image.Transpose | None:
    """Find the turn that makes the image upright, by its EXIF or XMP; ignore damaged metadata."""
    try:
        return TURNS.get(image.getexif().get(ORIENTATION, 1))
    except Exception:  # Pillow's parser of metadata raises almost anything
        return None


def _clip_box(box: Box | None, size: tuple[int, int], least: int) -> Box | None:
    """Clip `box` to an image of `size` (width, height); `least` pixels of each side must remain."""
    if box is None:
        return None
    part = Box(max(0, box.left), max(0, box.top), min(size[0], box.right), min(size[1], box.bottom))
    if min(part.right - part.left, part.bottom - part.top) < least:
        raise Outside(
            f"of its box {tuple(box)} less than data.smallest_box={least} lies inside its {size[0]} x {size[1]} pixels"
        )
    return part


def _choose_draft_size(stored: tuple[int, int], part: Box | None, size: tuple[int, int]) -> tuple[int, int]:
    """Return the least (width, height) to decode the whole image at, so that the part is at least twice the `size`."""
    width, height = stored if part is None else (part.right - part.left, part.bottom - part.top)
    scale = 2 * max(size[0] / height, size[1] / width, size[0] / width, size[1] / height)
    return (max(1, round(stored[0] * min(1.0, scale))), max(1, round(stored[1] * min(1.0, scale))))


def _scale_box(box: Box, stored: tuple[int, int], decoded: tuple[int, int]) -> tuple[int, int, int, int]:
    """Scale the box to an image that was decoded at 1, 1/2, 1/4 or 1/8 of its stored size, rounded up."""
    scale = round(max(stored) / max(decoded))
    left, top, right, bottom = (round(edge / scale) for edge in box)
    return left, top, max(left + 1, right), max(top + 1, bottom)


def _to_resizable(image: Image.Image) -> Image.Image:
    """Convert to a mode that can be resized: 8 bits per channel, no palette, and transparency in a channel."""
    if image.mode == "P" or (is_transparent(image) and image.mode not in ("LA", "RGBA")):
        return image.convert("RGBA")
    return image.convert("L") if image.mode == "1" else image


def _convert(image: Image.Image, channels: int) -> Image.Image:
    """Convert to sRGB or gray, with alpha kept or composed over white."""
    if image.mode == "LA":
        image = image.convert("RGBA")
    image = _to_srgb(image)
    if channels in (2, 4):
        return image.convert(MODES[channels])
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB").convert(MODES[channels]) if image.mode != "L" else image.convert(MODES[channels])


def _to_srgb(image: Image.Image) -> Image.Image:
    """Convert to sRGB by the embedded colour profile, if there is one that works."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        converted = ImageCms.applyTransform(image, _build_transform(profile, image.mode, get_ident()))
        if converted is not None:
            return converted
    return image


@functools.lru_cache(maxsize=32)
def _build_transform(profile: bytes, mode: str, thread: int) -> ImageCms.ImageCmsTransform:
    """Build the transform from a colour profile to sRGB.

    It is cached, as most photos of a camera carry the same profile and building takes longer than decoding. Each thread
    has its own, as Pillow does not document whether several may share one.
    """
    del thread
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    after = "RGBA" if mode == "RGBA" else "RGB"
    return ImageCms.buildTransform(source, ImageCms.ImageCmsProfile(target), mode, after)


def _to_eight_bits(image: Image.Image, values: Range | None) -> Image.Image:
    """Bring values to 0..255 if they are no bytes, or if they may be ids and a range says what is black and white."""
    if image.mode not in DEEP_MODES and (values is None or image.mode not in BYTE_MODES):
        return image
    if values is None:
        raise Unreadable("it changed just now")
    return Image.fromarray(scale(_to_values(image), values))


def _to_values(image: Image.Image) -> NDArray[Any]:
    values = np.asarray(image.convert("RGB") if image.mode == "P" else image)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise Unreadable("it has pixels that are not finite numbers")
    return values


def _resize(image: Image.Image, size: tuple[int, int], crop: str, content: bytes) -> Image.Image:
    """Resize to the size (H, W); with `fit`, to the largest that fits into it."""
    wanted, method = (size[1], size[0]), Image.Resampling.LANCZOS
    if crop == "stretch":
        return image.resize(wanted, method)
    if crop == "fit":
        scale = min(wanted[0] / image.width, wanted[1] / image.height)
        return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), method)
    centring = (0.5, 0.5)
    if crop == "random":
        draw = random.Random(content)  # noqa: S311  # a place to crop, the same for the same file
        centring = (draw.random(), draw.random())
    return ImageOps.fit(image, wanted, method, centering=centring)


def _add_border(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Centre the image on white if it is smaller than the size (H, W)."""
    if image.size == (size[1], size[0]):
        return image
    framed = Image.new(image.mode, (size[1], size[0]), "white")
    framed.paste(image, ((size[1] - image.width) // 2, (size[0] - image.height) // 2))
    return framed


def _to_array(image: Image.Image, channels: int) -> Pixels:
    return np.asarray(image).reshape(image.size[1], image.size[0], channels).transpose(2, 0, 1)
