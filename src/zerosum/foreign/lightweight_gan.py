"""What lightweight-gan and stylegan2-pytorch print: `G: 1.23 | D: 0.98 | GP: 10.20`, between the states of a bar."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from zerosum.foreign.loop import NUMBER, Loop

LINE = re.compile(rf"\bG:\s*({NUMBER})\s*\|\s*D:\s*({NUMBER})", re.IGNORECASE)
MORE = re.compile(rf"\|\s*(\w+):\s*({NUMBER})", re.IGNORECASE)
BAR = re.compile(r"\|\s*(\d+)/\d+\s*\[")
NAMES = {"gp": "penalty", "fid": "fid"}


class LightweightGAN(Loop, name="lightweight-gan"):
    """Both losses and the penalty; the step is that of the bar before, if the log has it."""

    title: ClassVar[str] = "lightweight-gan log"
    generic: ClassVar[bool] = False

    def __init__(self) -> None:
        """Have seen no bar yet."""
        super().__init__()
        self._step: int | None = None

    def reads(self, path: Path, head: Sequence[str]) -> bool:
        """Recognise one of its lines."""
        return any(LINE.search(line) for line in head)

    def parse(self, line: str) -> dict[str, float]:
        """Return what a line says; remember the step if it is one of the bar."""
        if bar := BAR.search(line):
            self._step = int(bar.group(1))
        match = LINE.search(line)
        if match is None:
            return {}
        losses = {"generator_loss": float(match.group(1)), "discriminator_loss": float(match.group(2))}
        more = {NAMES.get(name.lower(), name): float(value) for name, value in MORE.findall(line, match.end())}
        return losses | more | ({} if self._step is None else {"step": self._step})
