"""Errors that the user can correct: one line that says what is wrong, where, and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class ZerosumError(Exception):
    """Base class of all errors that zerosum raises on purpose; the text is one line for people."""

    exit_code = 1


class InputError(ZerosumError, ValueError):
    """An input from the caller (a path, a file, a name, a value) that cannot be used."""

    exit_code = 2


class RunFailed(ZerosumError, RuntimeError):
    """A failure of a run that began correctly."""


class ScoreFailed(ZerosumError):
    """A score on the wrong side of a bound that the caller set."""


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Suggest the one of `choices` that is nearest to `word`, or list them all if none is near."""
    choices = sorted(choices)
    near = get_close_matches(word.lower(), choices, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join(choices)}"
