"""What a run will need, before it is started: memory and disk."""

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import torch
from torch import Tensor

from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe

SMALL = 2, 4  # samples, or packs, of the parts that are measured
COPIES = 5  # of the weights at the peak: themselves, gradients, two moments of Adam, the average
PASSING = 1.4  # times what is kept for gradients: the gradients of layers' outputs, and what kernels use
KERNELS = 130_000_000  # bytes: code and memory of the kernels themselves
ALARMING, HOPELESS = 0.75, 1.5  # of the free memory: the estimate is .9 to 1.4 of what is measured
MOST_BYTES, WIDTH = 16_000, 64  # for each value of a sample, at that width: twice the most of any recipe
CHECKPOINTS = 3  # on the disk at a time, each as large as four copies of the weights
PICTURES = 50_000_000  # bytes for pictures, metrics and the report
CGROUPS = [  # the limit and the use of a container, in two versions
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
]


def check_limits(recipe: Recipe, source: Source, device: torch.device, folder: Path) -> str:
    """Refuse a run that needs far more memory or disk than is free, before the system ends it or what runs beside it.

    Returns:
        A warning where it may be too much; empty where it is not, or where it plainly cannot be.

    Raises:
        InputError: it says how much is needed, how much is free, and what makes it less.
    """
    weights, free = recipe.networks.count_bytes(source.shape, source.classes), find_free_memory(device)
    needed = COPIES * weights
    if needed < HOPELESS * free:  # else building them would take the memory
        _check_disk(folder, CHECKPOINTS * 4 * weights + PICTURES)
        if _is_small(recipe, source, free):
            return ""
        needed = estimate_memory(recipe, source)
    if needed < ALARMING * free:
        return ""
    about = (
        f"training {recipe.name} on samples of shape {list(source.shape)} in batches of {recipe.batch_size} needs "
        f"about {describe_size(needed)} of memory, and {describe_size(free)} are free"
    )
    if needed < HOPELESS * free:
        return about
    fitting = 2 ** int(math.log2(max(1.0, recipe.batch_size * free / needed)))
    raise InputError(
        f"{about}: make the images (--size), the networks or the batch (--set batch_size={fitting}) smaller, or play "
        "the batch in parts (--set accumulate=4)"
    )


def _is_small(recipe: Recipe, source: Source, free: int) -> bool:
    """Whether the samples of a part are so few and small that nothing need be measured: at most a quarter is needed."""
    values = recipe.batch_size // recipe.accumulate * math.prod(source.shape)
    width = max(1.0, getattr(recipe.networks, "width", WIDTH) / WIDTH)
    return MOST_BYTES * values * width < free / 4


def _check_disk(folder: Path, needed: int) -> None:
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise InputError(
            f"{folder}: checkpoints and pictures need about {describe_size(needed)}, and {describe_size(free)} are "
            "free there: choose another --out, or make room"
        )


def estimate_memory(recipe: Recipe, source: Source) -> int:
    """Estimate the bytes that training adds at its peak: copies of the weights, and what is kept for gradients.

    An iteration is played with two samples (or packs) and one with four, and what they keep is extrapolated to a part
    of the batch (docs/measured.md has the estimates beside what was measured).
    """
    part = recipe.batch_size // recipe.accumulate
    sizes = [size * recipe.networks.packing for size in SMALL]  # whole packs
    kept, weights = list[int](), 0
    for size in sizes:
        small = replace(recipe, batch_size=size, accumulate=1)
        players = Players.build(small, source, Engine(torch.device("cpu")), seed=0)
        with _counting() as count:
            next(play(players, small, source.train, steps=10**9, seed=0))
        kept.append(count.most)
        networks = players.generator.network, players.discriminator.network
        tensors = [each for network in networks for each in (*network.parameters(), *network.buffers())]
        weights = sum(each.numel() * each.element_size() for each in tensors)
    each = max(0.0, (kept[1] - kept[0]) / (sizes[1] - sizes[0]))
    return int(KERNELS + COPIES * weights + PASSING * (kept[0] + each * (part - sizes[0])))


def find_free_memory(device: torch.device) -> int:
    """Return how many bytes are free on `device`; on CPUs no more than the limit of the container leaves."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    for limit, used in CGROUPS:
        try:
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no container, or "max"
            continue
    return free


def describe_size(count: int) -> str:
    """Return so many bytes in words."""
    return f"{count / 1e9:.3g} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"


@contextmanager
def _counting() -> Iterator["_Count"]:
    """Count what is kept for gradients, weights apart."""
    count = _Count()

    def unpack(kept: "_Kept | Tensor") -> Tensor:
        return kept.tensor if isinstance(kept, _Kept) else kept

    def pack(tensor: Tensor) -> "_Kept | Tensor":
        return tensor if tensor.is_leaf and tensor.requires_grad else _Kept(tensor, count)

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        yield count


class _Count:
    """The bytes of all tensors that are kept, each memory once, and their most so far."""

    def __init__(self) -> None:
        self._holders = dict[int, int]()
        self._now = self.most = 0

    def add(self, place: int, size: int) -> None:
        """Note that a memory is kept once more."""
        self._holders[place] = self._holders.get(place, 0) + 1
        if self._holders[place] == 1:
            self._now += size
            self.most = max(self.most, self._now)

    def remove(self, place: int, size: int) -> None:
        """Note that a memory is kept once less."""
        self._holders[place] -= 1
        if self._holders[place] == 0:
            del self._holders[place]
            self._now -= size


class _Kept:
    """A tensor that is kept for a gradient; it is counted as long as it is."""

    def __init__(self, tensor: Tensor, count: _Count) -> None:
        self.tensor, self._count = tensor, count
        self._place, self._size = tensor.untyped_storage().data_ptr(), tensor.untyped_storage().nbytes()
        count.add(self._place, self._size)

    def __del__(self) -> None:
        self._count.remove(self._place, self._size)
