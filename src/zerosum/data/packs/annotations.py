"""Boxes in photos, from annotations in Pascal VOC's XML, with or without the extension, several objects per file."""

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
    """A rectangle in pixels of the image as stored; left and top are inside, right and bottom outside."""

    left: int
    top: int
    right: int
    bottom: int


class NotAnAnnotation(Exception):
    """A file that is no annotation in Pascal VOC's form; the text is the reason."""


@dataclass
class _Handler:
    """Collect the boxes while expat parses the file.

    Attributes:
        path: the tags of the elements that are open.
        text: the text of the innermost element so far.
        boxes: the sides of each box so far, by tag.
    """

    path: list[str]
    text: str
    boxes: list[dict[str, float]]

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self.path and tag != "annotation":
            raise NotAnAnnotation(f"its root is <{tag}>, not <annotation>")
        self.path.append(tag)
        self.text = ""
        if self.path == BOX:
            self.boxes.append({})

    def data(self, text: str) -> None:
        if self.in_box() and len(self.text) < LONGEST_TEXT:
            self.text += text

    def end(self, tag: str) -> None:
        if self.in_box() and tag in SIDES:
            if not NUMBER.match(self.text):
                raise NotAnAnnotation(f"its {tag} is {self.text.strip()[:20]!r}, not a number")
            self.boxes[-1][tag] = float(self.text)
        self.path.pop()

    def in_box(self) -> bool:
        """Return whether the parser is in a child of a box."""
        return len(self.path) == len(BOX) + 1 and self.path[:-1] == BOX


def read_boxes(content: bytes) -> list[Box]:
    """Read the boxes of an annotation's objects. Entities are refused, so nothing outside the file is ever loaded.

    Raises:
        NotAnAnnotation: it is not XML, is XML of another kind, declares entities, is huge, or has no box.
    """
    if len(content) > MOST_BYTES:
        raise NotAnAnnotation(f"it has {len(content):,} bytes, too many for an annotation")
    parser, handler = expat.ParserCreate(), _Handler([], "", [])

    def refuse(*details: object) -> None:
        raise NotAnAnnotation("it declares XML entities, which are never loaded")

    parser.StartElementHandler, parser.EndElementHandler = handler.start, handler.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = handler.data, refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two for encodings that it claims
        raise NotAnAnnotation(f"it is not XML: {error}") from None
    complete = [Box(*(round(sides[side]) for side in SIDES)) for sides in handler.boxes if len(sides) == len(SIDES)]
    if not complete:
        raise NotAnAnnotation("it has no <bndbox> with xmin, ymin, xmax and ymax")
    return complete


def widen_box(box: Box, preparation: Preparation) -> Box | str:
    """Return the box widened by the margin, or the reason why it cannot be used."""
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
