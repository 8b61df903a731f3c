"""Decode the bytes of an image file to pixels of a given size; nothing else decodes or resizes image files.

An image is turned upright, resized by Lanczos with support that grows with the reduction, so that nothing is aliased,
and then converted to 8-bit sRGB (or gray). JPEGs are decoded at the smallest scale that is still at least twice the
size.
"""

import contextlib
import functools
import io
import random
from dataclasses import dataclass
from threading import Lock, get_ident
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from zerosum.data import MODES
from zerosum.data.packs.annotations import Box
from zerosum.data.preparation import Preparation
from zerosum.data.values import Range, scale

# Pillow tries no other decoder. Left out are those that start other programs (EPS, PDF, WMF), that need a library which
# this process would have to register (HDF5, GRIB, BUFR), that hold layers, textures or films rather than pictures (PSD,
# DDS, FTEX, BLP, FLI, MPEG), and old ones that nobody asked for, as each decoder is one more door for damaged files.
KNOWN = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "PPM", "AVIF", "JPEG2000", "ICO", "PCX", "QOI", "SGI")
ANIMATIONS = ("GIF", "PNG", "WEBP", "AVIF")  # several frames are an animation; in a TIFF they are pages
MOST_PIXELS = 178_000_000  # just below Pillow's own limit, which a caller may have raised
DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
BYTE_MODES = ("L", "P")  # those of files that may hold ids
GRAY_MODES = ("1", "L", "LA", "La", *DEEP_MODES)
FEW_COLOURS = 64
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # how such files begin
SUBFILE, REDUCED_OR_MASK = 0x00FE, 0b101  # TIFF's tag of what a page is, and the bits for a thumbnail and a mask
TARGA_HEADER, RUN_LENGTHS = 18, 9  # bytes; the first of the kinds that are compressed
TARGA_KINDS = {(1, kind, 8) for kind in (1, 9)} | {
    *((0, kind, depth) for kind in (2, 10) for depth in (16, 24, 32)),
    *((0, kind, depth) for kind in (3, 11) for depth in (8, 16)),
}  # palette, colour, gray: whether there is a palette, the kind, and the bits of a pixel
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


class Unreadable(Exception):
    """A file that is no usable image; the text is the reason, for people."""


class Outside(Unreadable):
    """A box of which too little lies inside an image that is itself intact."""


@dataclass(frozen=True)
class Header:
    """The header of an image file, or of a page in one.

    Attributes:
        size: (height, width) as stored.
        mode: Pillow's.
        transparent: whether there is transparency.
        kind: Pillow's name of the file's format.
        frames: how many frames the file has, if it is an animation; else 1.
        halved: whether it has several channels of 16 bits, of which Pillow decodes the upper 8.
    """

    size: tuple[int, int]
    mode: str
    transparent: bool
    kind: str = ""
    frames: int = 1
    halved: bool = False

    @property
    def gray(self) -> bool:
        """Whether the image has no colour."""
        return self.mode in GRAY_MODES

    @property
    def deep(self) -> bool:
        """Whether its values need a range before they are bytes."""
        return self.mode in DEEP_MODES


def read_header(content: bytes) -> Header:
    """Read the header of an image file without decoding its pixels.

    Raises:
        Unreadable: it is no image, or too large a one.
    """
    with _open(content) as image:
        return _describe(image)


def read_pages(content: bytes, which: Literal["auto", "first", "all"]) -> list[tuple[int, Header | Unreadable]]:
    """Read the headers of the pages of an image file that `which` takes, with their numbers from 0; else the first.

    `auto` takes the first frame of an animation, and of a TIFF those pages that are no thumbnail, no mask, and as large
    as the first; the others of a TIFF come with the reason why they are not taken.

    Raises:
        Unreadable: it is no image, or too large a one.
    """
    with _open(content) as image:
        pages: list[tuple[int, Header | Unreadable]] = [(0, _describe(image))]
        if which == "first" or image.format == "MPO" or (which == "auto" and image.format != "TIFF"):
            return pages
        try:
            for number in range(1, getattr(image, "n_frames", 1)):
                image.seek(number)
                pages.append((number, _judge_page(image, pages[0][1], which)))
        except Exception as error:  # as in _open
            reason = " ".join(str(error).split()) or type(error).__name__
            pages.append((len(pages), Unreadable(f"it is damaged from page {len(pages) + 1} on: {reason}")))
        return pages


def _judge_page(image: Image.Image, first: Header | Unreadable, which: str) -> Header | Unreadable:
    header = _describe(image)
    if not 0 < header.size[0] * header.size[1] <= MOST_PIXELS:
        return Unreadable("it claims more pixels than is safe to decode")
    if which == "all":
        return header
    if getattr(image, "tag_v2", {}).get(SUBFILE, 0) & REDUCED_OR_MASK:
        return Unreadable("it is a thumbnail or a mask (data.pages=all takes it)")
    if isinstance(first, Header) and header.size != first.size:
        return Unreadable("it is of another size than the first page (data.pages=all takes it)")
    return header


def _describe(image: Image.Image) -> Header:
    return Header(
        (image.height, image.width),
        image.mode,
        _is_transparent(image),
        image.format or "",
        _count_frames(image),
        image.mode in ("RGB", "RGBA", "LA") and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ())),
    )


def _count_frames(image: Image.Image) -> int:
    """Count the frames of an animation; one whose later frames are damaged has one."""
    try:
        return int(getattr(image, "n_frames", 1)) if image.format in ANIMATIONS else 1
    except Exception:  # as in _open
        return 1


def has_few_colours(content: bytes) -> bool:
    """Return whether an image has few colours, as masks and drawings.

    Raises:
        Unreadable: it is no image, is damaged, or is too large.
    """
    with _open(content) as image:
        return image.getcolors(FEW_COLOURS) is not None


def read_values(content: bytes, page: int) -> NDArray[Any]:
    """Decode the values of an image, or of a `page` in a file, as they are stored: [H, W], in colour [H, W, C].

    Raises:
        Unreadable: it is no image, is damaged, or has values that are not finite numbers.
    """
    with _open(content) as image:
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
    with _open(content) as image:
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


@contextlib.contextmanager
def _open(content: bytes) -> Any:
    """Open the image in `content`; inside the block, raise all errors of Pillow as `Unreadable`."""
    if not content:
        raise Unreadable("it is empty")
    try:
        with Image.open(io.BytesIO(content), formats=("TGA",) if _is_targa(content) else KNOWN) as image:
            if not 0 < image.width * image.height <= MOST_PIXELS:
                raise Unreadable(
                    f"it claims {image.width} x {image.height} pixels: none, or more than is safe to decode"
                )
            yield image
    except (Unreadable, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise Unreadable("it claims more pixels than is safe to decode") from None
    except UnidentifiedImageError:
        raise Unreadable(f"it is {_guess_kind(content)}") from None
    except Exception as error:  # Pillow's decoders raise almost anything on damaged bytes
        raise Unreadable(f"it is damaged: {' '.join(str(error).split()) or type(error).__name__}") from None


def _is_targa(content: bytes) -> bool:
    """Return whether the bytes are a TGA: the format has no magic number, but a header of which few are possible."""
    if len(content) < TARGA_HEADER:
        return False
    palette, kind, depth, flags = content[1], content[2], content[16], content[17]
    width, height = int.from_bytes(content[12:14], "little"), int.from_bytes(content[14:16], "little")
    known = (palette, kind, depth) in TARGA_KINDS and width and height and not flags & 0xC0
    least = TARGA_HEADER + content[0] + (width * height * ((depth + 7) // 8) if kind < RUN_LENGTHS else 0)
    return bool(known) and len(content) >= least


def _guess_kind(content: bytes) -> str:
    head = content[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page, not an image"
    if head.startswith((b"<?xml", b"<svg")):
        return "XML, not an image"
    if content.startswith(TIFF):
        return (
            "a TIFF that is not read: damaged, or of other channels than gray, colour and alpha (.npy arrays hold any)"
        )
    return "text, not an image" if b"\0" not in head and head.isascii() else "data of another kind, not an image"


def _is_transparent(image: Image.Image) -> bool:
    return image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info


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
    if image.mode == "P" or (_is_transparent(image) and image.mode not in ("LA", "RGBA")):
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
