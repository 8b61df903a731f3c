"""What a pack is on disk, and how it is mapped into memory.

A pack is a folder: `pack.json` (`PackDescription`), `images.bin` (uint8: training images, then test images),
`labels.npy`, `files.jsonl` (what was done with every file; skipped ones first) and `blocks.bin` (the digests of the
blocks of `images.bin`). It is complete if `pack.json` is there, which is written last, with the digests of the other
files but the images.
"""

import math
import mmap
import sys
from dataclasses import field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pydantic
import torch
from pydantic import Field, TypeAdapter
from torch import Tensor

from zerosum.data import Source, Split
from zerosum.data.preparation import Preparation
from zerosum.data.values import Range
from zerosum.errors import InputError
from zerosum.types import Size

Format = Literal["zerosum pack 8", "zerosum pack 9"]  # the former has no digests, and so no mirror
FORMAT: Format = "zerosum pack 9"
DESCRIPTION, IMAGES, LABELS, FILES, BLOCKS = "pack.json", "images.bin", "labels.npy", "files.jsonl", "blocks.bin"
MAP_NORESERVE = 0x4000  # Linux's; not every Python has a name for it
Count = Annotated[int, Field(ge=0, strict=True)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


@pydantic.dataclasses.dataclass(frozen=True)
class PackDescription:
    """The content of `pack.json`.

    Attributes:
        format: of the pack.
        digests: in hexadecimal, of `labels.npy`, `files.jsonl` and `blocks.bin`, by their names.
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
    digests: dict[str, Digest] = field(default_factory=dict)
    format: Format = FORMAT

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
        about = read_description((place / DESCRIPTION).read_bytes())
        images = map_file(place / IMAGES, (about.train + about.test, *about.shape))
        return make_source(about, place, name, images[: about.train], images[about.train :])
    except (OSError, ValueError, EOFError, OverflowError, RuntimeError):
        raise InputError(
            f"the pack {place} is damaged, or of another version of zerosum: delete that folder, and repeat the "
            "command that made it"
        ) from None


def read_description(content: bytes) -> PackDescription:
    """Read the content of `pack.json`.

    Raises:
        ValueError: it is not one.
    """
    return TypeAdapter(PackDescription).validate_json(content)


def make_source(about: PackDescription, place: Path, name: str, train: Tensor, test: Tensor) -> Source:
    """Return the samples to train on and to test with, and the labels in the folder `place`, as a source.

    Raises:
        OSError, ValueError, EOFError: the labels are damaged.
    """
    labels = torch.from_numpy(np.load(place / LABELS, allow_pickle=False)) if about.classes else None
    return Source(
        name,
        Split(train, None if labels is None else labels[: about.train]),
        Split(test, None if labels is None else labels[about.train :]),
        about.classes,
        digest=about.digest,
        files=place / FILES,
        notes=about.notes,
        range=about.range,
        prepared=about.preparation,
    )


def map_file(file: Path, shape: tuple[int, ...]) -> Tensor:
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
