"""The `metrics.csv` of Lightning's CSVLogger, whose rows have the figures of one call each and blanks elsewhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from zerosum.foreign.table import Table, split_header


class Lightning(Table, name="lightning"):
    """A table with `epoch` and `step` in which rows have blank cells; rows of one step become one point."""

    title: ClassVar[str] = "Lightning metrics.csv"
    generic: ClassVar[bool] = False

    def reads(self, path: Path, head: Sequence[str]) -> bool:
        """Recognise the two columns and a blank cell."""
        blank = any(",," in line or line.endswith(",") for line in head[1:])
        return {"epoch", "step"} <= set(split_header(head)) and blank
