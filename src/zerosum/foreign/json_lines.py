"""One JSON object a line."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from zerosum.errors import InputError
from zerosum.foreign import ACCEPTED, ROWS, Chunk, LogReader, lines_of, parse_number


class JSONLines(LogReader, name="json-lines"):
    """Numbers by their names; of objects within objects the names are joined with slashes."""

    title: ClassVar[str] = "JSON lines"
    generic: ClassVar[bool] = True

    def reads(self, path: Path, head: Sequence[str]) -> bool:
        """Recognise an object in the first line."""
        return bool(head) and bool(parse_object(head[0]))

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Read some thousand lines at a time; lines that are no objects are left out and counted."""
        rows, left_out, kept = list[tuple[int, dict[str, float]]](), 0, 0
        for number, line in enumerate(lines_of(path), start=1):
            if not line.strip():
                continue
            if (found := parse_object(line)) is None:
                left_out += 1
                continue
            kept += 1
            rows.append((number, self.convert(found)))
            if len(rows) == ROWS:
                yield Chunk.of_rows(rows)
                rows = []
        yield Chunk.of_rows(rows)
        if left_out > kept:
            raise InputError(
                f"{path} is mixed: {left_out:,} of its {left_out + kept:,} lines are no JSON objects: --log takes "
                f"{ACCEPTED}"
            )
        if left_out:
            self.notes.append(f"{left_out:,} lines are left out: they are no whole JSON objects")

    def convert(self, line: Mapping[str, Any]) -> dict[str, float]:
        """Return the numbers of a line by name."""
        return flatten(line)


def parse_object(text: str) -> dict[str, Any] | None:
    """Parse a JSON object; None if it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def flatten(values: Mapping[str, Any], path: str = "") -> dict[str, float]:
    """Return the numbers in an object, and in those within it, by name."""
    found: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flatten(value, f"{path}{name}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[f"{path}{name}"] = _to_float(value)
        elif isinstance(value, str) and (number := parse_number(value)) is not None:
            found[f"{path}{name}"] = number
    return found


def _to_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")
