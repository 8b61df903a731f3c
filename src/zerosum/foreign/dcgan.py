"""What PyTorch's DCGAN example and tutorial print."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from zerosum.foreign.loop import Loop

N = r"([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf))"
LINE = re.compile(
    rf"\[(\d+)/\d+\]\s*\[(\d+)/(\d+)\]\s*Loss_D:\s*{N}\s*Loss_G:\s*{N}\s*D\(x\):\s*{N}\s*D\(G\(z\)\):\s*{N}\s*/\s*{N}"
)
NAMES = "discriminator_loss", "generator_loss", "d_real", "d_fake", "d_fake_after"


class DCGAN(Loop, name="dcgan"):
    """Epoch and batch, both losses, D(x), and D(G(z)) before and after the generator's update."""

    title: ClassVar[str] = "text of PyTorch's DCGAN example"
    generic: ClassVar[bool] = False

    def reads(self, path: Path, head: Sequence[str]) -> bool:
        """Recognise one of its lines."""
        return any(LINE.search(line) for line in head)

    def parse(self, line: str) -> dict[str, float]:
        """Return what a line says; nothing of other lines."""
        match = LINE.search(line)
        if match is None:
            return {}
        epoch, batch, batches, *values = match.groups()
        return {"step": int(epoch) * int(batches) + int(batch), **dict(zip(NAMES, map(float, values), strict=True))}
