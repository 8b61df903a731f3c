"""What a pack is on disk, and how it is mapped into memory.

A pack is a folder: `pack.json` (`PackDescription`), `images.bin` (uint8: training images, then test images),
`labels.npy` and `files.jsonl` (what was done with every file; skipped ones first). It is complete if `pack.json` is
there, which is written last.
"""

import math
import mmap
import sys
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pydantic
import torch
from pydantic import Field, TypeAdapter

from zerosum.data import Source, Split
from zerosum.data.preparation import Preparation
from zerosum.data.values import Range
from zerosum.errors import InputError
from zerosum.types import Size

FORMAT: Literal["zerosum pack 8"] = "zerosum pack 8"
DESCRIPTION, IMAGES, LABELS, FILES = "pack.json", "images.bin", "labels.npy", "files.jsonl"
MAP_NORESERVE = 0x4000  # Linux's; not every Python has a name for it
Count = Annotated[int, Field(ge=0, strict=True)]


@pydantic.dataclasses.dataclass(frozen=True)
class PackDescription:
    """The content of `pack.json`.

    Attributes:
        format: of the pack.
        shape: of one image, (C, H, W).
        train: how many images there are to train on, the first ones.
        test: how many come after them.
        classes: their names.
        digest: of shape, split, pixels and labels.
        range: of values that became black to white; None if they were bytes.
        notes: what was guessed, for people.
        preparation: how the files were prepared, with the size that was chosen.
    """

    shape: tuple[Size, Size, Size]
    train: Count
    test: Count
    classes: tuple[str, ...]
    digest: str
    range: Range | None
    notes: tuple[str, ...]
    preparation: Preparation
    format: Literal["zerosum pack 8"] = FORMAT

    def as_json(self) -> bytes:
        """Return it as the text of `pack.json`."""
        return TypeAdapter(PackDescription).dump_json(self, indent=2) + b"\n"


def is_pack(place: Path) -> bool:
    """Return whether a folder is a pack, by the names of its files."""
    return (place / DESCRIPTION).is_file() and (place / IMAGES).is_file()


def map_pack(place: Path, name: str) -> Source:
    """Map the pack in the folder `place` into memory, as a source called `name`.

    Raises:
        InputError: the pack is damaged, or of another version.
    """
    try:
        about = TypeAdapter(PackDescription).validate_json((place / DESCRIPTION).read_bytes())
        images = _map_file(place / IMAGES, (about.train + about.test, *about.shape))
        labels = torch.from_numpy(np.load(place / LABELS, allow_pickle=False)) if about.classes else None
    except (OSError, ValueError, EOFError, OverflowError, RuntimeError):
        raise InputError(
            f"the pack {place} is damaged, or of another version of zerosum: delete that folder, and repeat the "
            "command that made it"
        ) from None

    def take(rows: slice) -> Split:
        return Split(images[rows], None if labels is None else labels[rows])

    return Source(
        name,
        take(slice(0, about.train)),
        take(slice(about.train, None)),
        about.classes,
        digest=about.digest,
        files=place / FILES,
        notes=about.notes,
        range=about.range,
        prepared=about.preparation,
    )


def _map_file(file: Path, shape: tuple[int, ...]) -> torch.Tensor:
    """Map a file into memory as a tensor; changes to the tensor are not written to the file.

    Without MAP_NORESERVE, Linux would reserve memory for the whole file, in case all of it is changed, and refuse files
    larger than the memory.
    """
    if sys.platform != "linux":
        return torch.from_numpy(np.memmap(file, np.uint8, "c", shape=shape))
    with file.open("rb") as opened:
        flags, access = mmap.MAP_PRIVATE | MAP_NORESERVE, mmap.PROT_READ | mmap.PROT_WRITE
        content = mmap.mmap(opened.fileno(), math.prod(shape), flags=flags, prot=access)
    return torch.frombuffer(content, dtype=torch.uint8).view(shape)
