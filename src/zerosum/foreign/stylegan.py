"""The `stats.jsonl` of StyleGAN2-ADA and StyleGAN3 (Karras et al. 2020, 2021), and their `metric-*.jsonl`.

Each figure is an object with the `num`ber of values since the line before, their `mean` and `std`. `Loss/scores` are
means of D's logits, `Loss/signs` of their signs.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from zerosum.foreign.json_lines import JSONLines, flatten, parse_object

SNAPSHOT = re.compile(r"(\d+)\.pkl$")


class StyleGAN(JSONLines, name="stylegan"):
    """Means of each tick; signs become the shares that D takes for what they are."""

    title: ClassVar[str] = "StyleGAN stats.jsonl"
    generic: ClassVar[bool] = False

    def reads(self, path: Path, head: Sequence[str]) -> bool:
        """Recognise the names of its figures."""
        first = (parse_object(head[0]) if head else None) or {}
        return "Progress/kimg" in first or {"results", "snapshot_pkl"} <= first.keys()

    def convert(self, line: Mapping[str, Any]) -> dict[str, float]:
        """Return the means by name; a snapshot's name has the thousands of images."""
        found = {name: _mean(value) for name, value in line.items()}
        snapshot = SNAPSHOT.search(str(found.pop("snapshot_pkl", "") or ""))
        numbers = flatten(found)
        if snapshot:
            numbers["kimg"] = float(snapshot.group(1))
        for kind, side in (("real", 1), ("fake", -1)):
            if (sign := numbers.pop(f"Loss/signs/{kind}", None)) is not None:
                numbers[f"{kind}_accuracy"] = (1 + side * sign) / 2
        return numbers


def _mean(value: Any) -> Any:
    return value["mean"] if isinstance(value, Mapping) and "mean" in value else value
