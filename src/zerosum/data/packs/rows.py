"""Samples that come from another machine when they are looked at."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zerosum.data.packs.blocks import Numbers
from zerosum.data.packs.mirror import Mirror

PROPERTIES = "shape", "dtype", "device", "ndim", "is_cuda", "requires_grad"
OF_NO_ROW = {  # functions that look at no sample
    *(Tensor.__len__, Tensor.size, Tensor.dim, Tensor.numel, Tensor.new_empty),
    *(getattr(Tensor, name).__get__ for name in PROPERTIES),
}
SELECTING = Tensor.index_select, torch.index_select


class MirroredRows(Tensor):
    """Samples [N, ...] of a mirror, as a tensor: who looks at some rows has these fetched, whoever else has all.

    PyTorch hands each function and method of a tensor to `__torch_function__`, where it is called with a plain tensor
    instead. This one has no memory, so nothing can see a hole of the mirror.

    Attributes:
        mirror: where the samples are, or will be.
        first: the row of the mirror that is the first one here.
        plain: the same rows of the mirror, with holes.
    """

    mirror: Mirror
    first: int
    plain: Tensor

    @classmethod
    def of(cls, mirror: Mirror, first: int, end: int) -> Tensor:
        """Return the rows from `first` to `end` of a mirror; as a plain tensor, if all samples are there."""
        plain = mirror.samples[first:end]
        if mirror.is_complete:
            return plain
        rows = Tensor._make_wrapper_subclass(cls, plain.shape, dtype=plain.dtype)
        rows.mirror, rows.first, rows.plain = mirror, first, plain
        return rows

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Fetch what `function` looks at, then call it.

        Raises:
            InputError: it cannot be had.
        """
        args, kwargs = list(args), kwargs or {}
        if function not in OF_NO_ROW:
            rows = _find_rows(function, args)
            for each in _find_mirrored([*args, *kwargs.values()]):
                chosen = np.arange(len(each.plain)) if rows is None else rows
                each.mirror.need(each.first + chosen, told=rows is None)
        return function(*map(_bare, args), **{name: _bare(value) for name, value in kwargs.items()})

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # PyTorch's own is no method
        cls, function: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Refuse what PyTorch does not hand to `__torch_function__`, e.g. inside of `torch.vmap`."""
        raise TypeError(f"{function} cannot have samples fetched that it looks at: give it samples[:] instead")


def _find_rows(function: Callable[..., Any], args: Any) -> Numbers | None:
    """Return which rows of its first argument a function looks at; None if that may be all of them."""
    samples = args[0] if args else None
    if not isinstance(samples, MirroredRows):
        return None
    if function in SELECTING and len(args) == 3 and args[1] == 0:
        return np.asarray(args[2].numpy(), np.int64)
    if function is not Tensor.__getitem__:
        return None
    key, count = args[1][0] if isinstance(args[1], tuple) and args[1] else args[1], len(samples.plain)
    if isinstance(key, slice):
        return np.arange(count)[key]
    if isinstance(key, int) and not isinstance(key, bool):
        return np.arange(count)[[key]]
    if isinstance(key, Tensor) and key.ndim == 1 and key.dtype in (torch.bool, torch.int64):
        return np.asarray(np.arange(count)[key.numpy()])
    return None


def _find_mirrored(values: Iterable[Any]) -> Iterator[MirroredRows]:
    """Find mirrored rows among the arguments of a function, also in lists of tensors."""
    for value in values:
        if isinstance(value, MirroredRows):
            yield value
        elif isinstance(value, list | tuple):
            yield from _find_mirrored(value)


def _bare(value: Any) -> Any:
    """Return an argument with plain tensors instead of mirrored rows, also in lists of tensors."""
    if isinstance(value, MirroredRows):
        return value.plain
    return type(value)(map(_bare, value)) if type(value) in (list, tuple) else value
