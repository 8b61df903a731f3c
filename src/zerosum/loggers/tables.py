"""Tables in the run's folder that any program reads: metrics.csv, scores.csv and, if there is any, texts.csv."""

import csv
import io
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from zerosum.atomic import naming, replacing
from zerosum.loggers import Logger, Value
from zerosum.metrics import Score
from zerosum.records import IterationRecord
from zerosum.run_folder import RunFolder

TABLES = {
    "metrics.csv": [field.name for field in fields(IterationRecord)],
    "scores.csv": ["step", *(field.name for field in fields(Score))],
    "texts.csv": ["step", "name", "text"],
}


class CSV(Logger, name="csv"):
    """A row for each record; of a run that goes on, rows from its step on are removed and written again."""

    def begin(self, folder: RunFolder, step: int) -> int:
        """Remove the rows from `step` on, and begin tables that are not there."""
        self._folder = folder.path
        held = [_cut(folder.path / name, step) for name in TABLES]
        for name in ("metrics.csv", "scores.csv"):
            if not (folder.path / name).exists():
                self._append(name, {each: each for each in TABLES[name]})
        return step if held[0] else 0

    def describe(self) -> str:
        """Name the files."""
        return f"{self._folder / 'metrics.csv'} and scores.csv"

    def log_parameters(self, parameters: Mapping[str, Value]) -> None:
        """Do nothing: run.json lies beside."""

    def log_scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add a row to metrics.csv."""
        self._append("metrics.csv", {"step": step, **values})

    def log_score(self, step: int, score: Score) -> None:
        """Add a row to scores.csv, with the protocol."""
        self._append("scores.csv", {"step": step, **score.as_json()})

    def log_picture(self, step: int, name: str, picture: Path) -> None:
        """Do nothing: the pictures lie beside, in samples/."""

    def log_text(self, step: int, name: str, text: str) -> None:
        """Add a row to texts.csv."""
        if not (self._folder / "texts.csv").exists():
            self._append("texts.csv", {each: each for each in TABLES["texts.csv"]})
        self._append("texts.csv", {"step": step, "name": name, "text": text})

    def close(self) -> None:
        """Do nothing: every row is on its way to the disk when it is added."""

    def _append(self, name: str, row: Mapping[str, Any]) -> None:
        path = self._folder / name
        with naming(path), path.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, TABLES[name]).writerow(row)


def _cut(path: Path, step: int) -> bool:
    """Remove the rows from `step` on, and one that a crash cut short; return whether there is such a table."""
    if not path.exists():
        return False
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    if header != TABLES[path.name]:  # cut short, or of another version: it is made anew
        path.unlink()
        return False
    kept = [row for row in rows if len(row) == len(header) and row[0].isdecimal() and int(row[0]) < step]
    with replacing(path) as raw:
        raw.write(_encode([header, *kept]))
    return True


def _encode(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
