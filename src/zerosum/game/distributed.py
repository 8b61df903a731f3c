"""Several processes that play one game, as `torchrun` starts them: each plays some of the parts of every minibatch.

A part has the same samples and the same random numbers whoever plays it, and gradients are added in the order of the
parts. So on CPUs, with as many threads in each process, one process, two and four end with the same bits. What else
takes long, the first process shares out row by row: the batches are those of one process, in the same order.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, distributed, nn

from zerosum.errors import InputError, RunFailed
from zerosum.launch import is_one_of_several

PATIENCE = timedelta(hours=2)  # for a process that is silent, as the first one is while it computes distances
ROUND = 16  # batches that a process gets at a time, so that memory does not grow with the number of rows
DTYPES = {str(each): each for each in (torch.uint8, torch.int64, torch.float32)}  # of rows that are shared out
Rows = Sequence[Sequence[Tensor]]
Task = Callable[[Tensor], Tensor]


class Reduction:
    """How the gradients of parts become that of an update: in one process they add up where they are."""

    def keep(self) -> None:
        """Take note of the gradient of a part, after its backward pass."""

    def add_up(self) -> None:
        """Make the gradient of the update of those of all parts."""


@dataclass(frozen=True)
class Team:
    """The processes of a run, of which this is one; by default it is the only one.

    Attributes:
        rank: the number of this process, from 0; the first one leads: it alone writes.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    def parts(self, count: int) -> range:
        """Return the numbers of the parts that this process plays of each `count`."""
        each = count // self.size
        return range(self.rank * each, (self.rank + 1) * each)

    def reduction(self, parameters: Sequence[nn.Parameter]) -> Reduction:
        """Return what reduces the gradients of one player's `parameters`."""
        return Reduction()

    def gather(self, rows: Rows) -> Rows:
        """Return the rows of all parts, given those of the parts of this process."""
        return rows

    def tell(self, *words: Any) -> None:
        """Tell the others, as the first process."""

    def hear(self) -> list[Any]:
        """Wait for what the first process tells."""
        raise NotImplementedError

    def share_out(self, name: str, task: Task, rows: Tensor, size: int) -> Tensor:
        """Apply `task` to `rows` [n, ...], as the first process; return what it makes of them, in their order.

        The others, who `help`, apply what they know by that `name` to their shares, which are of whole batches of
        `size` rows. It makes equally many rows of each row.
        """
        return task(rows)

    def help(self, tasks: Mapping[str, Task]) -> list[Any]:
        """Do the `tasks` that the first process shares out, by their names, until it tells something; return that."""
        raise NotImplementedError

    def leave(self) -> None:
        """Take leave of the others."""

    def dismiss(self) -> None:
        """Tell the others, who `help`, that nothing is left to do, as the first process; and take leave of them."""


ALONE = Team()


@dataclass(frozen=True)
class Group(Team):
    """Processes that talk by `torch.distributed`."""

    def reduction(self, parameters: Sequence[nn.Parameter]) -> Reduction:
        """Return what reduces the gradients of one player's `parameters`."""
        return _Gathering(self, parameters)

    def gather(self, rows: Rows) -> Rows:
        """Return the rows of all parts, given those of the parts of this process."""
        flat = torch.stack([torch.cat([each.detach().reshape(-1) for each in row]) for row in rows])
        sizes, shapes = [each.numel() for each in rows[0]], [each.shape for each in rows[0]]
        return [
            [part.view(shape) for part, shape in zip(row.split(sizes), shapes, strict=True)]
            for row in self.gather_rows(flat)
        ]

    def add_rows(self, rows: Tensor) -> Tensor:
        """Add the rows of all processes, [N] each, in their order, given those of this one, [n, N].

        Each process adds a share of the columns and sends the sums to the others, so that what one sends and receives
        does not grow with the number of processes.
        """
        count, length = rows.shape
        share = -(-length // self.size)
        shares = F.pad(rows, (0, self.size * share - length)).view(count, self.size, share)
        sent = shares.transpose(0, 1).contiguous()
        received = torch.empty_like(sent)
        with _talking():
            distributed.all_to_all_single(received, sent)
        total, *others = received.view(-1, share)
        for each in others:
            total += each
        return self.gather_rows(total[None]).view(-1)[:length]

    def gather_rows(self, rows: Tensor) -> Tensor:
        """Return the rows of all processes, [size * n, ...], given those of this one, [n, ...]."""
        everyone = [torch.empty_like(rows) for _ in range(self.size)]
        with _talking():
            distributed.all_gather(everyone, rows)
        return torch.cat(everyone)

    def tell(self, *words: Any) -> None:
        """Tell the others, as the first process."""
        self._broadcast(list(words))

    def hear(self) -> list[Any]:
        """Wait for what the first process tells."""
        return self._broadcast([])

    def share_out(self, name: str, task: Task, rows: Tensor, size: int) -> Tensor:
        """Apply `task` to `rows` [n, ...], as the first process; return what it makes of them, in their order."""
        rounds = torch.split(rows, ROUND * size * self.size)
        return torch.cat([self._share_out(name, task, each, size) for each in rounds])

    def help(self, tasks: Mapping[str, Task]) -> list[Any]:
        """Do the `tasks` that the first process shares out, by their names, until it tells something; return that."""
        while (words := self.hear()) and words[0] in tasks:
            name, count, size, *layout = words
            begin, end = self._share(self.rank, count, size)
            if begin < end:
                made = tasks[name](_receive(0, end - begin, *layout))
                _send(0, made)
        return words

    def leave(self) -> None:
        """Take leave of the others."""
        distributed.destroy_process_group()

    def dismiss(self) -> None:
        """Tell the others, who `help`, that nothing is left to do, as the first process; and take leave of them."""
        self.tell()
        self.leave()

    def _share_out(self, name: str, task: Task, rows: Tensor, size: int) -> Tensor:
        """Let each process do its share of `rows`; the first one has some, if there are any."""
        own, *others = (self._share(rank, len(rows), size) for rank in range(self.size))
        self.tell(name, len(rows), size, *_layout(rows))
        for rank, (begin, end) in enumerate(others, start=1):
            _send(rank, rows[begin:end])
        made = [task(rows[slice(*own)])]
        each = len(made[0]) // own[1]
        for rank, (begin, end) in enumerate(others, start=1):
            made.append(_receive(rank, each * (end - begin), *_layout(made[0])))
        return torch.cat(made)

    def _share(self, rank: int, count: int, size: int) -> tuple[int, int]:
        """Return where the share of a process in `count` rows begins and ends: at whole batches of `size`."""
        batches = -(-count // size)
        begin, end = (min(count, size * -(-batches * each // self.size)) for each in (rank, rank + 1))
        return begin, end

    def _broadcast(self, words: list[Any]) -> list[Any]:
        """Send `words` as JSON; nothing is unpickled."""
        text = torch.frombuffer(bytearray(json.dumps(words).encode()), dtype=torch.uint8)
        length = torch.tensor(len(text))
        with _talking():
            distributed.broadcast(length, src=0)
            text = text if self.rank == 0 else text.new_empty(int(length))
            distributed.broadcast(text, src=0)
        return list(json.loads(bytes(text.tolist())))


def _layout(rows: Tensor) -> tuple[list[int], list[int], str]:
    """Describe rows but for their number: the shape of one, how they lie in memory, and of what type they are.

    Convolutions take another way, with other bits, where channels lie last.
    """
    return list(rows.shape[1:]), list(rows.stride()), str(rows.dtype)


def _send(rank: int, rows: Tensor) -> None:
    """Send `rows`, if there are any, to a process that expects them."""
    with _talking():
        if len(rows):
            distributed.send(rows.contiguous(), rank)


def _receive(rank: int, count: int, shape: list[int], strides: list[int], dtype: str) -> Tensor:
    """Wait for `count` rows of a process, if it has any; they lie in memory as they did there."""
    rows = torch.empty((count, *shape), dtype=DTYPES[dtype])
    with _talking():
        if count:
            distributed.recv(rows, rank)
    return torch.empty_strided(rows.shape, strides, dtype=rows.dtype).copy_(rows)


class _Gathering(Reduction):
    """Adds the gradients of the parts of all processes in the order of the parts."""

    def __init__(self, group: Group, parameters: Sequence[nn.Parameter]) -> None:
        self._group, self._parameters = group, parameters
        self._kept: list[Tensor] = []
        self._reached: list[nn.Parameter] = []

    def keep(self) -> None:
        """Move the gradient of a part aside."""
        gradients = [(each, each.grad) for each in self._parameters if each.grad is not None]
        self._reached = [parameter for parameter, _ in gradients]
        self._kept.append(torch.cat([gradient.reshape(-1) for _, gradient in gradients]))
        for each in self._reached:
            each.grad = None

    def add_up(self) -> None:
        """Add the gradients of all parts in their order, as adding one after the other in one process does."""
        total = self._group.add_rows(torch.stack(self._kept))
        self._kept.clear()
        sizes = [each.numel() for each in self._reached]
        for parameter, part in zip(self._reached, torch.split(total, sizes), strict=True):
            parameter.grad = torch.empty_like(parameter).copy_(part.view(parameter.shape))


def join() -> Team:
    """Return the processes that `torchrun` started, of which this is one; or a team of one.

    Raises:
        InputError: a variable that `torchrun` sets is missing.
    """
    if not is_one_of_several():
        return ALONE
    needed = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    if missing := [name for name in needed if name not in os.environ]:
        raise InputError(
            f"WORLD_SIZE={os.environ['WORLD_SIZE']} asks for several processes, but {', '.join(missing)} "
            f"{'are' if len(missing) > 1 else 'is'} not set: start them with torchrun --nproc-per-node N -m zerosum ..."
        )
    # The optimizers of PyTorch import this module, whose defaults keep the group of that moment alive for good; and the
    # threads of a group that outlives `leave` may abort the process at its end. So import it while there is no group.
    import torch.distributed.nn

    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    return Group(distributed.get_rank(), distributed.get_world_size())


def choose_own(device: str) -> str:
    """Return the device of this process where the first one has `device`: of the GPUs of a machine, each its own.

    Raises:
        InputError: there are fewer GPUs here than processes.
    """
    if not device.startswith("cuda"):
        return device
    number, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if number >= there:
        raise InputError(f"{number + 1} or more processes on this machine, and {there} GPUs: each needs one of its own")
    return f"cuda:{number}"


@contextmanager
def _talking() -> Iterator[None]:
    """Say so in a line if a process is gone that this one talks to.

    Raises:
        RunFailed: it is gone, or silent for too long.
    """
    try:
        yield
    except RuntimeError as error:
        reason = re.sub(r"^\[\S+\] ", "", str(error).splitlines()[0])  # without the place in the library's source
        raise RunFailed(
            f"another process of this run is gone ({reason[:120]}): its line says why; the last checkpoint is whole, "
            "and 'zerosum resume' goes on from it, with any number of processes that divides accumulate"
        ) from None
