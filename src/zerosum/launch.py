"""How `torchrun` started this process: what its variables say, read without PyTorch."""

import os

from zerosum.errors import InputError


def is_one_of_several() -> bool:
    """Whether there are other processes.

    Raises:
        InputError: WORLD_SIZE is no number.
    """
    return _read("WORLD_SIZE", 1) > 1


def is_follower() -> bool:
    """Whether another process leads this one.

    Raises:
        InputError: WORLD_SIZE or RANK is no number.
    """
    return is_one_of_several() and _read("RANK", 0) != 0


def refuse_several(what: str) -> None:
    """Refuse to do `what` in several processes.

    Raises:
        InputError: there are others.
    """
    if is_one_of_several():
        raise InputError(
            f"{what} trains one seed after the other in one process, and torchrun started several: start it without "
            "torchrun, or each seed by itself, torchrun -m zerosum train DATA --seed S"
        )


def _read(name: str, default: int) -> int:
    word = os.environ.get(name, str(default))
    if not word.isdecimal():
        raise InputError(f"{name}={word} in the environment is no number; torchrun sets it, or nobody")
    return int(word)
