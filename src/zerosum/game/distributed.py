"""Several processes that play one game, as `torchrun` starts them: each plays some of the parts of every minibatch.

A part has the same samples and the same random numbers whoever plays it, and gradients are added in the order of the
parts. So on CPUs, with as many threads in each process, one process, two and four end with the same bits.
"""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, distributed, nn

from zerosum.errors import InputError, RunFailed
from zerosum.launch import is_one_of_several

PATIENCE = timedelta(hours=2)  # for a process that is silent, as the first one is while it scores
Rows = Sequence[Sequence[Tensor]]


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

    def leave(self) -> None:
        """Take leave of the others."""


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
        try:
            distributed.all_to_all_single(received, sent)
        except RuntimeError as error:
            raise _lost(error) from None
        total, *others = received.view(-1, share)
        for each in others:
            total += each
        return self.gather_rows(total[None]).view(-1)[:length]

    def gather_rows(self, rows: Tensor) -> Tensor:
        """Return the rows of all processes, [size * n, ...], given those of this one, [n, ...]."""
        everyone = [torch.empty_like(rows) for _ in range(self.size)]
        try:
            distributed.all_gather(everyone, rows)
        except RuntimeError as error:
            raise _lost(error) from None
        return torch.cat(everyone)

    def tell(self, *words: Any) -> None:
        """Tell the others, as the first process."""
        self._broadcast(list(words))

    def hear(self) -> list[Any]:
        """Wait for what the first process tells."""
        return self._broadcast([])

    def leave(self) -> None:
        """Take leave of the others."""
        distributed.destroy_process_group()

    def _broadcast(self, words: list[Any]) -> list[Any]:
        """Send `words` as JSON; nothing is unpickled."""
        text = torch.frombuffer(bytearray(json.dumps(words).encode()), dtype=torch.uint8)
        length = torch.tensor(len(text))
        try:
            distributed.broadcast(length, src=0)
            text = text if self.rank == 0 else text.new_empty(int(length))
            distributed.broadcast(text, src=0)
        except RuntimeError as error:
            raise _lost(error) from None
        return list(json.loads(bytes(text.tolist())))


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


def _lost(error: RuntimeError) -> RunFailed:
    reason = re.sub(r"^\[\S+\] ", "", str(error).splitlines()[0])  # without the place in the library's source
    return RunFailed(
        f"another process of this run is gone ({reason[:120]}): its line says why; the last checkpoint is whole, and "
        "'zerosum resume' goes on from it, with any number of processes that divides accumulate"
    )
