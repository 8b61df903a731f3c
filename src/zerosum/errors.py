"""What can go wrong for a reason the user can mend: one line that says what, where, and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class ZerosumError(Exception):
    """Any error that zerosum raises on purpose; its text is one line for people."""

    exit_code = 1


class InputError(ZerosumError, ValueError):
    """What the caller gave (a path, a file, a name, a value) cannot be used."""

    exit_code = 2


class RunFailed(ZerosumError, RuntimeError):
    """A run that began correctly could not go on."""


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Say which of `choices` was probably meant by `word`, or list them all when none is near."""
    choices = sorted(choices)
    near = get_close_matches(word.lower(), choices, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join(choices)}"
