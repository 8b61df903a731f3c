"""What a training loop printed: names and numbers in each line, as `d_loss: 0.7, g_loss: 0.9` or `[D loss: 0.7]`."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from zerosum.foreign import ROWS, Chunk, LogReader, lines_of, parse_number
from zerosum.foreign.spellings import POSITIONS, recognise

NUMBER = r"[-+]?(?:\d[\d,]*\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|inf)"
PAIR = re.compile(
    r"([A-Za-z]\w*(?:[ /][A-Za-z]\w*)?(?:\([\w(),]*\))?)(?:\.?\s*[:=]\s*|\s+)"
    rf"(?:tensor\()?({NUMBER}(?![\w/]))(%?)(?:\s*/\s*({NUMBER}))?",
    re.IGNORECASE,
)
PLACE = re.compile(
    r"\b(epoch|batch|step|iteration|iters?)s?\b\s*[:=#]?\s*[\[(]?\s*(\d[\d,]*)(?:\s*(?:/|of)\s*(\d[\d,]*))?",
    re.IGNORECASE,
)
BRACKETS = re.compile(r"\[(\d+)/(\d+)\]\s*\[(\d+)/(\d+)\]")
LEADING = re.compile(r"\s*(\d+)[\s:,]+\[?[A-Za-z]")


class Loop(LogReader, name="loop"):
    """Lines in which something known has a number; the others are skipped."""

    title: ClassVar[str] = "text of a loop"
    generic: ClassVar[bool] = True

    def reads(self, path: Path, head: Sequence[str]) -> bool:
        """Recognise a loss, or another figure that is known, in any of the first lines."""
        return any(self.parse(line) for line in head)

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Read some thousand lines at a time."""
        rows = list[tuple[int, dict[str, float]]]()
        for number, line in enumerate(lines_of(path), start=1):
            if row := self.parse(line):
                rows.append((number, row))
                if len(rows) == ROWS:
                    yield Chunk.of_rows(rows)
                    rows = []
        yield Chunk.of_rows(rows)

    def parse(self, line: str) -> dict[str, float]:
        """Return what a line says; nothing if no figure of it is known."""
        found: dict[str, float] = {}
        known = False
        for name, text, percent, second in PAIR.findall(line):
            own = recognise(name)
            if own in POSITIONS:
                continue
            number = parse_number(text.replace(",", "") + percent)
            if number is None:
                continue
            found.setdefault(own or name, number)
            known = known or own is not None
            if own == "d_fake" and second:
                found["d_fake_after"] = float(second)
        return {**found, **find_place(line)} if known else {}


def find_place(line: str) -> dict[str, float]:
    """Return how far the training was: the `step`, or if it is not said, `epoch` and `batch`.

    Epoch and batch make a step if the number of batches is said. Positions are counted as they are printed.
    """
    if brackets := BRACKETS.search(line):
        epoch, _, batch, batches = map(int, brackets.groups())
        return {"step": epoch * batches + batch}
    found, totals = dict[str, float](), dict[str, int]()
    for word, text, total in PLACE.findall(line):
        name = "epoch" if word.lower() == "epoch" else "batch" if word.lower() == "batch" else "step"
        found.setdefault(name, int(text.replace(",", "")))
        if total:
            totals.setdefault(name, int(total.replace(",", "")))
    inner = "batch" if "batch" in found else "step"
    if "epoch" in found and inner in found:
        if inner in totals:
            return {"step": found["epoch"] * totals[inner] + found[inner]}
        return {"epoch": found["epoch"], "batch": found[inner]}
    if found:
        return found
    leading = LEADING.match(line)
    return {"step": float(leading.group(1))} if leading else {}
