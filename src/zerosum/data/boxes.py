"""Boxes in photos: annotations in Pascal VOC's XML, with or without the extension, several objects to a file."""

import re
from dataclasses import dataclass
from typing import NamedTuple
from xml.parsers import expat

from zerosum.data.preparation import Preparation

NUMBER = re.compile(r"^\s*-?\d{1,9}(\.\d+)?\s*$")
BOX = ["annotation", "object", "bndbox"]
SIDES = ("xmin", "ymin", "xmax", "ymax")
MOST_BYTES, LONGEST_TEXT = 10_000_000, 100


class Box(NamedTuple):
    """A rectangle in pixels of the image as stored: left and top inside, right and bottom outside."""

    left: int
    top: int
    right: int
    bottom: int


class NotAnAnnotation(Exception):
    """A file that is no annotation in Pascal VOC's form; its text is the reason."""


@dataclass
class _Reader:
    """Collects the boxes while the parser goes through the file."""

    path: list[str]
    text: str
    found: list[dict[str, float]]

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self.path and tag != "annotation":
            raise NotAnAnnotation(f"its root is <{tag}>, not <annotation>")
        self.path.append(tag)
        self.text = ""
        if self.path == BOX:
            self.found.append({})

    def data(self, text: str) -> None:
        if self.in_box() and len(self.text) < LONGEST_TEXT:
            self.text += text

    def end(self, tag: str) -> None:
        if self.in_box() and tag in SIDES:
            if not NUMBER.match(self.text):
                raise NotAnAnnotation(f"its {tag} is {self.text.strip()[:20]!r}, not a number")
            self.found[-1][tag] = float(self.text)
        self.path.pop()

    def in_box(self) -> bool:
        """Whether the parser is in a child of a box."""
        return len(self.path) == len(BOX) + 1 and self.path[:-1] == BOX


def read(content: bytes) -> list[Box]:
    """The boxes of an annotation's objects. Entities are refused, so nothing outside the file is ever loaded.

    Raises:
        NotAnAnnotation: it is not XML, is XML of another kind, declares entities, is huge, or has no box.
    """
    if len(content) > MOST_BYTES:
        raise NotAnAnnotation(f"it has {len(content):,} bytes, too many for an annotation")
    parser, reader = expat.ParserCreate(), _Reader([], "", [])

    def refuse(*details: object) -> None:
        raise NotAnAnnotation("it declares XML entities, which are never loaded")

    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = reader.data, refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two for encodings that it claims
        raise NotAnAnnotation(f"it is not XML: {error}") from None
    whole = [Box(*(round(each[side]) for side in SIDES)) for each in reader.found if len(each) == len(SIDES)]
    if not whole:
        raise NotAnAnnotation("it has no <bndbox> with xmin, ymin, xmax and ymax")
    return whole


def usable(box: Box, preparation: Preparation) -> Box | str:
    """The box widened by the margin, or why it is not taken."""
    width, height = box.right - box.left, box.bottom - box.top
    if width <= 0 or height <= 0:
        return f"its box {tuple(box)} is empty"
    if min(width, height) < preparation.smallest_box:
        return f"its box of {width} x {height} pixels has a side below data.smallest_box={preparation.smallest_box}"
    if max(width, height) > preparation.longest_box * min(width, height):
        return (
            f"its box of {width} x {height} pixels is longer than data.longest_box={preparation.longest_box:g} allows"
        )
    across, down = round(width * preparation.margin), round(height * preparation.margin)
    return Box(box.left - across, box.top - down, box.right + across, box.bottom + down)
