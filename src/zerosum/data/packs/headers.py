"""Open the bytes of an image file and read its header, and those of its pages; nothing else opens image files."""

import contextlib
import io
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image, UnidentifiedImageError

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


class Unreadable(Exception):
    """A file that is no usable image; the text is the reason, for people."""


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
    with open_image(content) as image:
        return _describe(image)


def read_pages(content: bytes, which: Literal["auto", "first", "all"]) -> list[tuple[int, Header | Unreadable]]:
    """Read the headers of the pages of an image file that `which` takes, with their numbers from 0; else the first.

    `auto` takes the first frame of an animation, and of a TIFF those pages that are no thumbnail, no mask, and as large
    as the first; the others of a TIFF come with the reason why they are not taken.

    Raises:
        Unreadable: it is no image, or too large a one.
    """
    with open_image(content) as image:
        pages: list[tuple[int, Header | Unreadable]] = [(0, _describe(image))]
        if which == "first" or image.format == "MPO" or (which == "auto" and image.format != "TIFF"):
            return pages
        try:
            for number in range(1, getattr(image, "n_frames", 1)):
                image.seek(number)
                pages.append((number, _judge_page(image, pages[0][1], which)))
        except Exception as error:  # as in open_image
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
        is_transparent(image),
        image.format or "",
        _count_frames(image),
        image.mode in ("RGB", "RGBA", "LA") and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ())),
    )


def _count_frames(image: Image.Image) -> int:
    """Count the frames of an animation; one whose later frames are damaged has one."""
    try:
        return int(getattr(image, "n_frames", 1)) if image.format in ANIMATIONS else 1
    except Exception:  # as in open_image
        return 1


def has_few_colours(content: bytes) -> bool:
    """Return whether an image has few colours, as masks and drawings.

    Raises:
        Unreadable: it is no image, is damaged, or is too large.
    """
    with open_image(content) as image:
        return image.getcolors(FEW_COLOURS) is not None


@contextlib.contextmanager
def open_image(content: bytes) -> Any:
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


def is_transparent(image: Image.Image) -> bool:
    """Return whether the image has transparency, in a channel or a colour of its own."""
    return image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info
