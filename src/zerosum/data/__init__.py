"""Real samples, in two splits: one to train the players, one that only scores use.

`readers.open_source` takes what a user types, finds the `Reader` for it, and returns a `Source` of two `Split`s. All
other code sees arrays only: images as uint8 [N, C, H, W], points as float32 [N, d].

- `preparation.py`: the options by which image files become samples of one shape.
- `values.py`: which values become black and white.
- `readers/`: one kind of data per file: folders, archives, arrays, standard sets ...
- `packs/`: what happens to image files: they are decoded once into one memory-mapped array.
- `distributions.py`: mixtures of Gaussians, whose densities are exact.
"""

import functools
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum import randomness
from zerosum.data.distributions import Mixture
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError
from zerosum.types import Shape

TEST_FRACTION, MOST_FOR_TESTING = 0.2, 0.3
LEAST = 2  # samples in each split: a single one has no spread, and so no score
MODES: dict[int, Literal["L", "LA", "RGB", "RGBA"]] = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # Pillow's, by channels
Progress = Callable[[str, int, int], None]


class Batch(NamedTuple):
    """Samples as the players see them, float32, images in [-1, 1]; and their labels, int64 [N], or None."""

    samples: Tensor
    labels: Tensor | None


@dataclass(frozen=True, eq=False)
class Split:
    """Samples of one split.

    Attributes:
        samples: uint8 [N, C, H, W] for images, float32 [N, d] for points.
        labels: int64 [N], or None.
        flip: whether a random half of a minibatch's images is mirrored, left to right.
    """

    samples: Tensor
    labels: Tensor | None = None
    flip: bool = False

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.samples)

    def divide(self, testing: Tensor) -> tuple["Split", "Split"]:
        """Return the samples to train on and those for `testing`, bool [N]."""
        return self._take(~testing), self._take(testing)

    def _take(self, mask: Tensor) -> "Split":
        return Split(self.samples[mask], None if self.labels is None else self.labels[mask])

    def batch(self, indices: Tensor) -> Batch:
        """Return the samples at `indices` with their labels."""
        return self._to_batch(self._select(indices), indices)

    def minibatch(
        self, size: int, number: int, seed: int, *, device: torch.device | None = None, labelled: bool = True
    ) -> Batch:
        """Return minibatch `number` (from 0) of the endless stream of `shuffle_indices`, on `device` or on the CPU.

        Its labels are included only if `labelled`.
        """
        indices = shuffle_indices(len(self), size, number, seed)
        chosen = self._select(indices)
        if self.flip:
            mirrored = torch.rand(size, generator=randomness.rng(seed, number, "flip")) < 0.5
            chosen[mirrored] = chosen[mirrored].flip(3)
        return self._to_batch(chosen, indices, device, labelled=labelled)

    def _select(self, indices: Tensor) -> Tensor:
        return self.samples.index_select(0, indices)  # thirty times as fast as [indices] for bytes

    def _to_batch(
        self, chosen: Tensor, indices: Tensor, device: torch.device | None = None, *, labelled: bool = True
    ) -> Batch:
        samples = _send(chosen, device)  # as bytes, a quarter of what they are as floats
        labels = _send(self.labels[indices], device) if labelled and self.labels is not None else None
        return Batch(to_float(samples) if samples.dtype == torch.uint8 else samples, labels)


def _send(tensor: Tensor, device: torch.device | None) -> Tensor:
    """Move `tensor` to `device`; to a GPU, asynchronously from pinned memory."""
    if device is None or device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def shuffle_indices(count: int, size: int, number: int, seed: int) -> Tensor:
    """Return the indices of minibatch `number` in an endless shuffled stream; each epoch has each of `count` once."""
    first = number * size
    parts = []
    while size > 0:
        epoch, offset = divmod(first, count)
        part = _permute(seed, epoch, count)[offset : offset + size]
        parts.append(part)
        first, size = first + len(part), size - len(part)
    return torch.cat(parts)


@functools.lru_cache(maxsize=4)
def _permute(seed: int, epoch: int, count: int) -> Tensor:
    return torch.randperm(count, generator=randomness.rng(seed, epoch, "shuffle"))


@dataclass(frozen=True, eq=False)
class Source:
    """An opened data set.

    Attributes:
        name: used e.g. in a run folder's name.
        train: the samples that the discriminator learns from.
        test: the samples that the players never see, and with which scores compare.
        class_names: the names of the labels, in order; empty without labels.
        density: the exact distribution of points, if it is known.
        digest: of every sample and label, if it was computed before.
        files: a list of what was done with every image file, one JSON object per line; None without image files.
        prepared: how image files were prepared; None without image files.
        stacked_from: the labelled images in the channels, if the samples are stacks of such.
        notes: what was guessed while the data were read, and what overrules it: sentences for people.
        range: the values of files or arrays that became black and white; None if they were bytes.
        heeded: the fields of the preparation, besides `flip`, that data without image files heed.
        shown: the channels that pictures show, if not all.
    """

    name: str
    train: Split
    test: Split
    class_names: tuple[str, ...] = ()
    density: Mixture | None = None
    digest: str = ""
    files: Path | None = None
    prepared: Preparation | None = None
    stacked_from: "Source | None" = None
    notes: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    heeded: tuple[str, ...] = ()
    shown: tuple[int, ...] | None = None

    @property
    def shape(self) -> Shape:
        """The shape of one sample: (C, H, W) for images, (d,) for points."""
        return tuple(self.train.samples.shape[1:])

    @property
    def classes(self) -> int:
        """The number of classes; 0 without labels."""
        return len(self.class_names) if self.train.labels is not None else 0

    @property
    def is_images(self) -> bool:
        """Whether samples are images rather than points."""
        return len(self.shape) == 3

    @functools.cached_property
    def fingerprint(self) -> str:
        """A digest of every sample and label; the same data, read in the same way, have the same one on any machine."""
        if self.digest:
            return self.digest
        digest = hashlib.blake2b(digest_size=16)
        for split in (self.train, self.test):
            for tensor in (split.samples, split.labels):
                if tensor is not None:
                    digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
                    digest.update(np.ascontiguousarray(tensor.numpy()).data)
        return digest.hexdigest()


def split_by_content(samples: Tensor, labels: Tensor | None) -> tuple[Split, Split]:
    """Keep one sample in five for testing, chosen by its content, so that added samples move no old one.

    Samples that are the same stay together.
    """
    rows: NDArray[np.uint8] = np.ascontiguousarray(samples.numpy()).reshape(len(samples), -1).view(np.uint8)
    hashes = np.array([hash_content(row.tobytes()) for row in rows], np.int64)
    return Split(samples, labels).divide(torch.from_numpy(divide_groups(hashes, hashes, hashes)))


def hash_content(content: bytes) -> int:
    """Hash `content` to 32 bits."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=4).digest(), "little")


def select_test(hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Select samples for testing by the hashes of their contents, [N]: one in five, but at least `LEAST`."""
    smallest = np.sort(hashes)[:LEAST]
    return hashes < max(TEST_FRACTION * 2**32, 1 + max(smallest, default=0))


def divide_groups(
    hashes: NDArray[np.int64], groups: NDArray[np.int64], pictures: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Select samples for testing, about one in five, and whole groups only.

    A group is for testing if one of its samples is by `select_test`: then added samples move no old one from testing to
    training. But of large groups nearly every one has such a sample. If that keeps more than `MOST_FOR_TESTING`, or
    leaves a side without `LEAST` different pictures, groups are taken in an order that does not depend on their sizes,
    until there are enough samples.

    Args:
        hashes: of the samples' contents, [N].
        groups: the group of each sample, [N].
        pictures: equal for samples that are the same, [N]; such are of one group.

    Returns:
        Whether each sample is for testing, bool [N]. A side may have fewer than `LEAST` different pictures if there are
        fewer than twice as many, or if few groups hold them.
    """
    names, members, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    testing = np.isin(members, members[select_test(hashes)])
    fair = testing.mean() <= MOST_FOR_TESTING and min(count_sides(testing, pictures)) >= LEAST
    if fair or len(names) == len(hashes):
        return testing
    order = [int(group) for group in np.argsort(_draw_keys(hashes, members, len(names)), kind="stable")]
    chosen = list[int]()
    for group in order:
        taken = sizes[chosen].sum()
        if taken >= TEST_FRACTION * len(hashes) or len(chosen) == len(names) // 2:
            break
        if taken + sizes[group] <= MOST_FOR_TESTING * len(hashes):
            chosen.append(group)
    for group in sorted(set(order) - set(chosen), key=lambda group: (sizes[group], order.index(group))):
        if len(chosen) >= len(names) - 1 or count_sides(np.isin(members, chosen), pictures)[1] >= LEAST:
            break
        chosen.append(group)
    return np.isin(members, chosen)


def count_sides(testing: NDArray[np.bool_], pictures: NDArray[np.int64]) -> tuple[int, int]:
    """Count the different pictures to train with and to test with."""
    return len(np.unique(pictures[~testing])), len(np.unique(pictures[testing]))


def _draw_keys(hashes: NDArray[np.int64], members: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Draw a key for each of `count` groups: the hash of the member that a second hash puts first.

    So it is uniform whatever the size of the group, and one more sample changes it only if it comes first.
    """
    second = np.array([hash_content(each.tobytes()) for each in hashes], np.int64)
    order = np.lexsort((hashes, second, members))
    firsts = order[np.searchsorted(members[order], np.arange(count))]
    return np.asarray(hashes[firsts])


class TooFewSamples(InputError):
    """Data whose samples do not suffice for both splits."""

    def __init__(self, data: str, count: int, different: int) -> None:
        """Say that `data`, as the user typed it, has only `count` usable samples, of which so many are `different`."""
        needed = f"at least {2 * LEAST} different ones are needed, {LEAST} to train with and {LEAST} to test with"
        if different == count or count == 0:
            few = "1 usable sample is" if count == 1 else f"{count} usable samples are"
            super().__init__(f"{data}: {few} too few: {needed}")
        elif different == 1:
            super().__init__(
                f"{data}: all {count} samples are the same: there is nothing to learn from one of them, {count} times; "
                f"{needed}"
            )
        else:
            super().__init__(f"{data}: {count} usable samples, but only {different} different ones: {needed}")


def to_float(pixels: Tensor) -> Tensor:
    """Convert uint8 [...] to float32 in [-1, 1]: 0 -> -1, 255 -> 1."""
    return pixels.float().div_(127.5).sub_(1)


def to_uint8(samples: Tensor) -> Tensor:
    """Convert float [...] in [-1, 1] to the nearest uint8 and clip values outside: `to_uint8(to_float(x)) == x`."""
    return samples.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def cache_folder() -> Path:
    """Return `$ZEROSUM_CACHE`, else `zerosum` in `$XDG_CACHE_HOME` or `~/.cache`; it need not exist."""
    if chosen := os.environ.get("ZEROSUM_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zerosum"
