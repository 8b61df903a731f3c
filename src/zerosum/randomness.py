"""Randomness is a function of (seed, step, rank, purpose): nothing has to be saved to draw the same numbers again."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive(seed: int, step: int, purpose: str, rank: int = 0) -> int:
    """A 63-bit seed that depends on all four values and on nothing else (BLAKE2b, so near inputs give far seeds)."""
    text = f"{seed}/{step}/{rank}/{purpose}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def generator(seed: int, step: int, purpose: str, rank: int = 0) -> torch.Generator:
    """A CPU random generator of its own for one purpose at one step."""
    return torch.Generator().manual_seed(derive(seed, step, purpose, rank))


@contextmanager
def scope(seed: int, step: int, purpose: str, rank: int = 0, device: torch.device | None = None) -> Iterator[None]:
    """Inside, every draw on the CPU and on `device` is a function of the arguments; outside, nothing has changed.

    Any module's own randomness is thereby repeatable: `nn.Dropout` in a player, `torch.randn` in a regulariser, the
    initialisation in a layer's constructor. The caller's random state is neither read nor altered.
    """
    generators = [torch.default_generator]
    if device is not None and device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call]
        index = torch.cuda.current_device() if device.index is None else device.index
        generators.append(torch.cuda.default_generators[index])
    elif device is not None and device.type == "mps":
        generators.append(torch.mps._get_default_mps_generator())
    before = [each.get_state() for each in generators]
    try:
        for each in generators:
            each.manual_seed(derive(seed, step, purpose, rank))
        yield
    finally:
        for each, state in zip(generators, before, strict=True):
            each.set_state(state)
