"""Keep costly features in the cache folder, block by block, so that no network sees the same samples twice.

A file holds a digest of each block, then the features of all of them. Its name is a digest of the samples and of what
their features depend on, and so is the key of the blocks' digests: what is damaged, cut off or foreign is never taken
over. It is filled beside its place and then renamed; where a process was killed, the next goes on.
"""

import contextlib
import functools
import hashlib
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum import randomness
from zerosum.atomic import ABANDONED_SECONDS, PARTIAL, locking, retry
from zerosum.data import Progress, cache_folder
from zerosum.metrics.features import FeatureExtractor
from zerosum.types import Shape

FORMAT = "zerosum features 1"
BLOCK = 320  # samples, a multiple of the networks' batches
DIGEST = 16  # bytes
PROBES = 4
Extraction = Callable[[FeatureExtractor, Tensor], Tensor]


def extract_here(extractor: FeatureExtractor, samples: Tensor) -> Tensor:
    """Extract the features of samples in this process."""
    return extractor(samples)


class FeatureCache:
    """Extracts features with one extractor; keeps those that are costly, of samples that will be seen again.

    Attributes:
        extractor: of the features.
        progress: is told how many samples are done, where features are costly.
        extraction: what applies the extractor to samples, here or in other processes too.
    """

    def __init__(
        self, extractor: FeatureExtractor, progress: Progress | None = None, extraction: Extraction = extract_here
    ) -> None:
        """Keep what `extractor` makes."""
        self.extractor, self.progress, self.extraction = extractor, progress, extraction
        self._identify = functools.cache(functools.partial(identify, extractor))

    def extract(self, samples: Tensor, rows: Tensor | None = None, *, keep: bool = True) -> Tensor:
        """Extract the features, float32 [N, D], of samples, uint8 [N, C, H, W] or float32 [N, d].

        Args:
            samples: all that there are.
            rows: the places of those to extract, int64 [n]; None for all.
            keep: whether to look for costly features in the cache, and to put them there. The bits do not depend on it.
        """
        if not (self.extractor.costly and (keep or self.progress)):
            return self.extraction(self.extractor, samples if rows is None else samples.index_select(0, rows))
        rows = torch.arange(len(samples)) if rows is None else rows
        if not keep:
            return torch.cat([self._apply(samples, block) for block in self._watch(rows)])
        file = self._find(samples, rows)
        known = file.map()
        return self._fill(file, samples, rows) if known is None else known

    def holds(self, samples: Tensor, rows: Tensor | None = None) -> bool:
        """Return whether the features are kept; those that are not costly never are."""
        if not self.extractor.costly:
            return False
        return self._find(samples, torch.arange(len(samples)) if rows is None else rows).map() is not None

    def _find(self, samples: Tensor, rows: Tensor) -> "FeatureFile":
        """Name the file of the features by all that they depend on."""
        identity, width = self._identify(tuple(samples.shape[1:]))
        digest = hashlib.blake2b(identity, digest_size=DIGEST)
        digest.update(f"{FORMAT}\n{samples.dtype}\n{(len(rows), *samples.shape[1:])}\n".encode())
        for block in torch.split(rows, BLOCK):
            digest.update(np.ascontiguousarray(samples.index_select(0, block).numpy()).data)
        return FeatureFile(digest.digest(), (len(rows), width))

    def _fill(self, file: "FeatureFile", samples: Tensor, rows: Tensor) -> Tensor:
        """Extract the blocks that no process has extracted before."""
        features = torch.empty(file.shape)
        with file.filling(features) as kept:
            for block in self._watch(rows, kept.rows):
                kept.append(self._apply(samples, block))
        return features

    def _apply(self, samples: Tensor, block: Tensor) -> Tensor:
        return self.extraction(self.extractor, samples.index_select(0, block))

    def _watch(self, rows: Tensor, done: int = 0) -> Iterator[Tensor]:
        """Yield the blocks of `rows` but for those that are `done`, and tell how many are done with each."""
        for block in torch.split(rows[done:], BLOCK) if done < len(rows) else ():
            if self.progress is not None:
                self.progress(f"features of {len(rows):,} samples", done, len(rows))
            yield block
            done += len(block)
        if self.progress is not None:
            self.progress(f"features of {len(rows):,} samples", done, len(rows))


def identify(extractor: FeatureExtractor, shape: Shape) -> tuple[bytes, int]:
    """Digest what the features of samples of `shape` depend on besides these, and count them.

    That are the names, and the bits that a few fixed images have: of other weights, or on a machine that computes in
    another order, they are others.
    """
    features = extractor(draw_probe(shape))
    program = "" if extractor.protocol is None else extractor.protocol.program
    digest = hashlib.blake2b(f"{extractor.name}\n{extractor.resizer}\n{program}\n".encode(), digest_size=DIGEST)
    digest.update(features.contiguous().numpy().data)
    return digest.digest(), features.shape[1]


def draw_probe(shape: Shape) -> Tensor:
    """Draw the fixed images whose features tell extractors apart: uint8 [4, *shape], coarse and fine patterns."""
    rng = randomness.rng(0, 0, "probe")
    fine = torch.randint(0, 256, (PROBES, *shape), generator=rng)
    levels = torch.linspace(0.25, 1, PROBES).view(-1, *(1 for _ in shape))
    return (fine * levels).to(torch.uint8)


class FeatureFile:
    """The file of the features, float32 [N, D], of certain samples; whoever makes it, its content is the same.

    Attributes:
        shape: N and D.
        path: where it lies when it is whole.
    """

    def __init__(self, key: bytes, shape: tuple[int, int]) -> None:
        """`key`: a digest of everything that the features depend on."""
        self._key, self.shape = key, shape
        self.path = cache_folder() / "features" / f"{key.hex()}.bin"
        self._blocks = -(-shape[0] // BLOCK)

    def map(self) -> Tensor | None:
        """Map the features into memory; None if there are none, or they are not intact.

        Changes to the tensor are not written to the file.
        """
        features = self._map_intact(self.path)
        return torch.from_numpy(features) if len(features) == self.shape[0] else None

    @contextlib.contextmanager
    def filling(self, features: Tensor) -> Iterator["Filling"]:
        """Fill the file, and `features` [N, D], in the block; when all are there, put it in its place.

        What an earlier process left counts as far as it is intact. While another one fills the file, and where nothing
        can be written, only `features` are filled.
        """
        partial = self.path.with_suffix(PARTIAL)
        with contextlib.ExitStack() as stack:
            filling = Filling(self, None, features)
            with contextlib.suppress(OSError):  # it costs time at the next evaluation, nothing else
                self.path.parent.mkdir(parents=True, exist_ok=True)
                remove_abandoned(partial)
                if stack.enter_context(locking(partial)):
                    filling = Filling(self, stack.enter_context(self._open(partial)), features)
                    filling.take_over(self._map_intact(partial))
            yield filling
            if filling.finish():
                with contextlib.suppress(OSError):
                    retry(lambda: partial.replace(self.path))

    def _open(self, partial: Path) -> BinaryIO:
        """Open an unfinished file, which is made if it is not there, in the size that it will have."""
        partial.touch()
        file = partial.open("r+b", buffering=0)
        file.truncate(self._size)
        return file

    def write(self, file: BinaryIO, first: int, block: Tensor) -> None:
        """Write the block whose first row is number `first`, then its digest.

        Raises:
            OSError: it cannot be written.
        """
        content = np.ascontiguousarray(block.numpy())
        number, width = first // BLOCK, self.shape[1]
        for place, part in (
            (self._start + first * width * content.itemsize, content.tobytes()),
            (number * DIGEST, self._digest(number, content)),
        ):
            file.seek(place)
            if file.write(part) < len(part):
                raise OSError("only a part could be written")

    @property
    def _start(self) -> int:
        """Where the features begin in the file."""
        return self._blocks * DIGEST

    @property
    def _size(self) -> int:
        return self._start + math.prod(self.shape) * torch.float32.itemsize

    def _map_intact(self, path: Path) -> NDArray[np.float32]:
        """Map the rows [n, D] of the intact blocks at the beginning of a file; none if it is no such file."""
        try:
            if path.stat().st_size != self._size:
                raise OSError("it has another size")
            digests = np.fromfile(path, np.uint8, self._start)
            features = np.memmap(path, np.float32, "c", self._start, self.shape)
        except (OSError, ValueError):
            return np.empty((0, self.shape[1]), np.float32)
        for number in range(self._blocks):
            block = features[number * BLOCK : (number + 1) * BLOCK]
            if digests[number * DIGEST : (number + 1) * DIGEST].tobytes() != self._digest(number, block):
                return features[: number * BLOCK]
        return features

    def _digest(self, number: int, block: NDArray[np.float32]) -> bytes:
        key = self._key + number.to_bytes(8, "little")
        return hashlib.blake2b(block.data, digest_size=DIGEST, key=key).digest()


class Filling:
    """Features that are being extracted, block by block.

    Attributes:
        rows: how many are there.
    """

    def __init__(self, place: FeatureFile, file: BinaryIO | None, features: Tensor) -> None:
        """Fill `features` [N, D], and `file` if there is one."""
        self._place, self._file, self._features = place, file, features
        self.rows = 0

    def take_over(self, rows: NDArray[np.float32]) -> None:
        """Begin with `rows` [n, D], which are in the file already."""
        self.rows = len(rows)
        self._features.numpy()[: self.rows] = rows

    def append(self, block: Tensor) -> None:
        """Add the features of the next block; if the file cannot take them, go on without it."""
        self._features[self.rows : self.rows + len(block)] = block
        if self._file is not None:
            try:
                self._place.write(self._file, self.rows, block)
            except OSError:
                self._file = None
        self.rows += len(block)

    def finish(self) -> bool:
        """Close the file, as one that is open cannot be renamed everywhere; return whether all rows are in it."""
        if self._file is None or self.rows < len(self._features):
            return False
        self._file.close()
        return True


def remove_abandoned(mine: Path) -> None:
    """Remove the unfinished files beside `mine` that nobody has gone on with for a day."""
    for partial in mine.parent.glob(f"*{PARTIAL}"):
        with contextlib.suppress(OSError):
            if partial != mine and time.time() - partial.stat().st_mtime > ABANDONED_SECONDS:
                partial.unlink()
