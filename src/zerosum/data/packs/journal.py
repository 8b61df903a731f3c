"""Note each decoded image beside its pixels, so that packing goes on where it was ended, if by a crash."""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from zerosum.data import hash_content
from zerosum.data.packs.collection import Item, Skipped
from zerosum.data.packs.duplicates import make_thumbnail
from zerosum.data.packs.splits import Decoded

PIXELS, LINES = "unsorted.bin", "decoded.jsonl"


class Journal:
    """The pixels of the images decoded so far, in `unsorted.bin`, and a line for each item, in `decoded.jsonl`.

    Attributes:
        images: those that were decoded.
        skipped: those that could not be.
    """

    def __init__(self, place: Path, size: tuple[int, int, int], items: Sequence[Item]) -> None:
        """Open the journal in the folder `place`, and take over what it says of the first of `items`.

        What an earlier process left counts as far as it is intact: the pixels of each image, uint8 of `size` (C, H, W),
        have the hash that its line says. The rest is cut off.
        """
        self.images, self.skipped = list[Decoded](), list[Skipped]()
        self._size = size
        self._pixels, self._lines = ((place / name).open("a+b") for name in (PIXELS, LINES))
        self._lines.seek(0)
        self._pixels.seek(0)
        intact = 0
        for item, line in zip(items, self._lines, strict=False):
            try:
                self._take_over(item, line)
            except (ValueError, KeyError, TypeError):
                break
            intact += len(line)
        os.truncate(self._lines.fileno(), intact)
        os.truncate(self._pixels.fileno(), math.prod(size) * len(self.images))

    def __enter__(self) -> "Journal":
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write what is buffered."""
        self._pixels.close()
        self._lines.close()

    def __len__(self) -> int:
        """Return how many items are done."""
        return len(self.images) + len(self.skipped)

    def add(self, result: tuple[bytes, Decoded] | Skipped) -> None:
        """Note what became of the next item: pixels, or a reason why it is left out."""
        if isinstance(result, Skipped):
            self.skipped.append(result)
            line: dict[str, object] = {"file": result.name, "skipped": result.reason, "broken": result.broken}
        else:
            pixels, image = result
            self.images.append(image)
            self._pixels.write(pixels)
            line = {"file": image.item.name, "pixels": image.pixels, "hash": image.file}
        self._lines.write(json.dumps(line).encode() + b"\n")

    def _take_over(self, item: Item, line: bytes) -> None:
        """Take over what an earlier process noted of `item`.

        Raises:
            ValueError, KeyError, TypeError: the line is cut off, or of another item, or its pixels are not there.
        """
        found = json.loads(line)
        if found["file"] != item.name or not line.endswith(b"\n"):
            raise ValueError(f"the line is not of {item.name}")
        if "skipped" in found:
            self.skipped.append(Skipped(item.name, found["skipped"], found["broken"]))
            return
        content = self._pixels.read(math.prod(self._size))
        if hash_content(content) != found["pixels"]:
            raise ValueError(f"the pixels of {item.name} are not whole")
        thumbnail = make_thumbnail(np.frombuffer(content, np.uint8).reshape(self._size))
        self.images.append(Decoded(item, thumbnail, found["pixels"], found["hash"]))
