"""What `run.json` may say: it is read from disk, and may be damaged, edited, or another program's."""

from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

Line = dict[str, Any]
NEEDED: dict[str, type] = {
    "data": str,
    "fingerprint": str,
    "seed": int,
    "steps": int,
    "device": str,
    "precision": str,
    "threads": int,
    "recipe": dict,
}
MOST_STEPS, MOST_THREADS = 10**12, 4_096
PRECISIONS = "float32", "bfloat16"
SHOWN = 100  # characters of a value, in an error


def shorten(value: object) -> str:
    """Return a value in a line that is not too long."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def find_damage(about: Line) -> Iterator[str]:
    """Yield what is wrong with the content of a `run.json`."""
    if missing := [name for name in NEEDED if name not in about]:
        yield f"it lacks {', '.join(missing)}"
        return
    for name, kind in NEEDED.items():
        if type(about[name]) is not kind or (kind is int and about[name] < (name != "seed")):
            yield f"{name} cannot be {shorten(about[name])}"
            return
    threads = about.get("threads_at", [[0, about["threads"]]])
    minutes = about.get("minutes")
    fits = {
        "lengths": _are_lengths(about.get("lengths", [[0, about["steps"]]]), about["steps"]),
        "steps": about["steps"] <= MOST_STEPS,
        "precision": about["precision"] in PRECISIONS,
        "threads": about["threads"] <= MOST_THREADS,
        "threads_at": _are_by_step(threads) and all(1 <= number <= MOST_THREADS for _, number in threads),
        "minutes": minutes is None or (type(minutes) in (int, float) and minutes > 0),
        **{name: check(about[name]) for name, check in OPTIONAL.items() if name in about},
    }
    yield from (f"{name} cannot be {shorten(about[name])}" for name, fitting in fits.items() if not fitting)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MOST_STEPS


def _are_timings(value: object) -> bool:
    """Whether `value` is what the probe measured: see `zerosum.run.probe.Timing`."""
    kinds = {"precision": str, "threads": int, "milliseconds": float, "agrees": bool}
    return isinstance(value, list) and all(
        isinstance(each, dict)
        and each.keys() == kinds.keys()
        and all(type(each[name]) is kinds[name] for name in kinds)
        for each in value
    )


def _are_environments(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) and _fits_environment(each) for each in value)


def _fits_environment(value: Line) -> bool:
    return isinstance(value.get("versions", {}), dict) and isinstance(value.get("processor", ""), str)


def _are_lengths(value: object, steps: int) -> bool:
    """Whether `value` is a list of [step, iterations in all] in order, from step 0 to `steps` iterations."""
    return _are_by_step(value) and value[-1][1] == steps and all(begin <= total for begin, total in value)


def _are_by_step(value: object) -> TypeGuard[list[list[int]]]:
    """Whether `value` is a list of [step, number] in the order of the steps, the first from 0."""
    if not isinstance(value, list) or not all(isinstance(each, list) and len(each) == 2 for each in value):
        return False
    if not all(type(number) is int for each in value for number in each):
        return False
    begins = [begin for begin, _ in value]
    return begins == sorted(set(begins)) and begins[:1] == [0]


OPTIONAL: dict[str, Callable[[Any], bool]] = {
    "probe": _are_timings,
    "moved": _are_environments,
    "versions": lambda value: isinstance(value, dict),
    "processor": lambda value: isinstance(value, str),
    "halved_from": _is_count,
    "ended": lambda value: isinstance(value, str),
    "logs": lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
}
