"""Mark the pictures that zerosum writes, so that they never become data, wherever they lie.

A PNG says so in its text `Software`, a GIF in its comment; both stand before the pixels.
"""

from typing import Any

MARK = "zerosum"
HEAD = 4096  # bytes, among which the mark is
KINDS = (".png", ".gif")
PNG_MARK, GIF_MARK = b"tEXtSoftware\0" + MARK.encode(), b"\x21\xfe" + bytes([len(MARK)]) + MARK.encode()


def mark_png() -> dict[str, Any]:
    """Return the options of Pillow's `save` that mark a PNG."""
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Software", MARK)
    return {"pnginfo": text}


def is_generated(head: bytes) -> bool:
    """Return whether a file that begins with `head` is a picture that zerosum wrote."""
    return PNG_MARK in head or (head.startswith(b"GIF8") and GIF_MARK in head)
