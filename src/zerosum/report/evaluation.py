"""The report of an evaluation: the scores, and the images to look at beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from zerosum.atomic import write_atomically
from zerosum.export import pictures
from zerosum.metrics import Score, list_warnings
from zerosum.metrics.by_class import ClassTable
from zerosum.metrics.examples import Examples
from zerosum.report import group_by_protocol, inline, render

COLUMNS, PAIRS = 8, 4  # images in a row; pairs in a row


@dataclass(frozen=True)
class Sheet:
    """A picture with its words.

    Attributes:
        title: what is seen.
        words: what it means.
        picture: an address that holds it; empty if there is no image of this kind.
    """

    title: str
    words: str
    picture: str


@dataclass(frozen=True)
class Part:
    """What the page says of one thing that was scored."""

    name: str
    sheets: Sequence[Sheet]
    scores: Sequence[tuple[str, list[Score]]]
    warnings: Sequence[str]
    classes: ClassTable | None


def write(
    path: Path,
    against: str,
    scores: Mapping[str, Sequence[Score]],
    examples: Mapping[str, Examples],
    classes: Mapping[str, ClassTable],
) -> None:
    """Write the page on everything that was scored to `path`.

    Args:
        path: where to; `export.scores.check_destination` says whether that can be.
        against: the name of the real data.
        scores: by what was scored.
        examples: images by what was scored.
        classes: what each class scores, by what was scored; nothing where nobody asked.
    """
    parts = [
        Part(name, _draw_sheets(examples[name]), group_by_protocol(known), list_warnings(known), classes.get(name))
        for name, known in scores.items()
    ]
    write_atomically(path, render("evaluation.html.j2", against=against, parts=parts))


def _draw_sheets(found: Examples) -> list[Sheet]:
    covered, held = 1 - found.missed_share, 1 - found.lonely_share
    return [
        Sheet("Samples, not chosen", "", _draw(found.fake, COLUMNS)),
        Sheet("Real images, not chosen", "", _draw(found.real, COLUMNS)),
        Sheet(
            "Real images that no sample is near",
            f"{found.missed_share:.0%} of the real images have no sample within the distance of their fifth real "
            f"neighbour; the rest, {covered:.0%}, is the coverage. The most distant ones first: what the samples lack.",
            _draw(found.missed, COLUMNS),
        ),
        Sheet(
            "Samples that no real image is near",
            f"{found.lonely_share:.0%} of the samples lie within no real image's distance to its fifth real neighbour; "
            f"the rest, {held:.0%}, is the precision. The most distant ones first: what is least like the real images.",
            _draw(found.lonely, COLUMNS),
        ),
        Sheet(
            "Samples nearest to real images",
            "Each with that real image on its right, the nearest first. Copies would be pairs of the same.",
            _draw(found.alike, 2 * PAIRS),
        ),
    ]


def _draw(images: Tensor, columns: int) -> str:
    if not len(images):
        return ""
    shown = pictures.select_shown(images, None)
    return inline(pictures.encode(pictures.draw_samples(shown, columns=columns), "zerosum evaluate"))
