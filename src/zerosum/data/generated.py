"""Recognise the pictures that zerosum wrote, so that they never become data, wherever they lie.

A PNG says who made it in its text `Software`, a GIF in its comment, JPEG and WebP in EXIF; all but WebP before the
pixels.
"""

import re

MARK = "zerosum"
HEAD = 4096  # bytes, among which the mark is
KINDS = (".png", ".gif", ".jpg", ".jpeg")  # that are told by their first bytes
WHOLE = (".webp",)  # that have to be read to their end
PNG_MARK, GIF_COMMENT = b"tEXtSoftware\0" + MARK.encode(), b"\x21\xfe"
EXIF_MARK = re.compile(MARK.encode() + rb" \d+\.\d")  # with the version


def is_generated(content: bytes) -> bool:
    """Return whether a file of this content, or PNG, JPEG or GIF that begins so, is a picture that zerosum wrote."""
    head = content[:HEAD]
    if head.startswith(b"GIF8"):
        comment = head.partition(GIF_COMMENT)[2][1:]
        return comment.startswith(MARK.encode())
    if head.startswith(b"\xff\xd8"):
        return b"Exif" in head and EXIF_MARK.search(head) is not None
    if head.startswith(b"RIFF"):
        return b"EXIF" in content and EXIF_MARK.search(content, content.rindex(b"EXIF")) is not None
    return PNG_MARK in head
