"""TensorBoard's event files, one or a folder of them, read by the `tensorboard` package (the extra of that name)."""

from array import array
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zerosum.errors import InputError
from zerosum.foreign import ROWS, Chunk, LogReader, is_event_file

SHOWN = 5  # runs, in an error


class TensorBoard(LogReader, name="tensorboard"):
    """The scalars of one run by their tags; what a restarted run replaces is left out, as TensorBoard does."""

    title: ClassVar[str] = "TensorBoard events"
    unit: ClassVar[str] = "event"

    def reads(self, path: Path, head: Sequence[str]) -> bool:
        """Recognise the files by their name."""
        return is_event_file(path) or (path.is_dir() and next(_event_files(path), None) is not None)

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Read the values of each tag in turn, and put them together by their steps."""
        files = sorted(_event_files(path)) if path.is_dir() else [path]
        runs = sorted({file.parent for file in files})
        if path in runs:
            files = [file for file in files if file.parent == path]
        elif len(runs) > 1:
            names = ", ".join(str(run.relative_to(path)) for run in runs[:SHOWN])
            raise InputError(f"{path} has {len(runs)} runs, {names}{' ...' if len(runs) > SHOWN else ''}: give one")
        found = _read(files, str(path))
        steps = np.unique(
            np.concatenate([np.zeros(0, np.int64), *(np.array(at, np.int64) for at, _ in found.values())])
        )
        for begin in range(0, len(steps), ROWS):
            part = steps[begin : begin + ROWS]
            there = np.ones(len(part), np.bool_)
            columns = {"step": (part.astype(np.float64), there)}
            for tag, (at, values) in found.items():
                columns[tag] = _place(np.array(at, np.int64), np.array(values), part)
            yield Chunk(np.arange(begin, begin + len(part)) + 1, columns)


def _place(at: Any, values: Any, steps: Any) -> tuple[Any, Any]:
    """Put values at the places of their steps; of two at one step, the last stays."""
    inside = np.isin(at, steps)
    column, there = np.full(len(steps), np.nan), np.zeros(len(steps), np.bool_)
    places = np.searchsorted(steps, at[inside])
    column[places], there[places] = values[inside], True
    return column, there


def _event_files(path: Path) -> Iterator[Path]:
    return (file for file in path.rglob("*tfevents*") if is_event_file(file))


def _read(files: Sequence[Path], path: str) -> dict[str, tuple["array[int]", "array[float]"]]:
    """Read the scalars of all files: steps and values by tag, in order."""
    try:
        loading = import_module("tensorboard.backend.event_processing.event_file_loader")
    except ImportError:
        raise InputError(f"{path} needs pip install 'zerosum[tensorboard]' to be read") from None
    found: dict[str, tuple[array[int], array[float]]] = {}
    for file in files:
        for event in loading.LegacyEventFileLoader(str(file)).Load():
            if event.HasField("session_log") and event.session_log.status == event.session_log.START and event.step:
                _purge(found, event.step)
            for value in event.summary.value:
                if (number := _number(value)) is not None:
                    steps, values = found.setdefault(value.tag, (array("q"), array("d")))
                    steps.append(event.step)
                    values.append(number)
    return found


def _purge(found: dict[str, tuple["array[int]", "array[float]"]], step: int) -> None:
    """Forget what was logged from `step` on."""
    for tag, (steps, values) in found.items():
        kept = [place for place, each in enumerate(steps) if each < step]
        found[tag] = array("q", (steps[place] for place in kept)), array("d", (values[place] for place in kept))


def _number(value: Any) -> float | None:
    """Return a scalar, as version 1 or 2 of TensorBoard's writers store it; None of anything else."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if value.HasField("tensor") and value.metadata.plugin_data.plugin_name == "scalars":
        tensor = value.tensor
        if tensor.float_val:
            return float(tensor.float_val[0])
        if len(tensor.tensor_content) in (4, 8):
            kind = np.float32 if len(tensor.tensor_content) == 4 else np.float64
            return float(np.frombuffer(tensor.tensor_content, kind)[0])
    return None
