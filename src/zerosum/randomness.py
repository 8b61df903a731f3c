"""Randomness as a function of (seed, step, rank, purpose): the same numbers can be drawn again with nothing saved."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_turn = threading.RLock()  # the default generators are one for all threads


def derive_seed(seed: int, step: int, purpose: str, rank: int = 0) -> int:
    """Derive a 63-bit seed from the four values and nothing else (by BLAKE2b, so near inputs give far seeds)."""
    text = f"{seed}/{step}/{rank}/{purpose}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def rng(seed: int, step: int, purpose: str, rank: int = 0) -> torch.Generator:
    """Return a new CPU random generator for one purpose at one step."""
    return torch.Generator().manual_seed(derive_seed(seed, step, purpose, rank))


@contextmanager
def scope(seed: int, step: int, purpose: str, rank: int = 0, device: torch.device | None = None) -> Iterator[None]:
    """Make every draw on the CPU and on `device` inside the block a function of the arguments.

    This makes any module's own randomness repeatable: `nn.Dropout` in a player, `torch.randn` in a regulariser, the
    initialisation in a layer's constructor. The caller's random state is restored at the end.

    The default generators are shared by all threads, so one thread at a time is inside: others wait.
    """
    with _turn:
        yield from _seeded(derive_seed(seed, step, purpose, rank), device)


def _seeded(seed: int, device: torch.device | None) -> Iterator[None]:
    """Seed the generators of the CPU and of `device`, yield, and restore them."""
    rngs = [torch.default_generator]
    if device is not None and device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call]
        index = torch.cuda.current_device() if device.index is None else device.index
        rngs.append(torch.cuda.default_generators[index])
    elif device is not None and device.type == "mps":
        rngs.append(torch.mps._get_default_mps_generator())
    before = [each.get_state() for each in rngs]
    try:
        for each in rngs:
            each.manual_seed(seed)
        yield
    finally:
        for each, state in zip(rngs, before, strict=True):
            each.set_state(state)
