"""Tools whose logs nothing can be removed from: what they hold already is not sent to them twice.

A file in the run's folder has the log's name and the last step of every curve. Iterations that are played again have
the same figures on CPUs, so the log is that of a run that never stopped; after a rollback with other learning rates,
the steps up to the last one that was sent stay as they were.
"""

import json
import uuid
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zerosum.atomic import write_atomically
from zerosum.errors import InputError
from zerosum.loggers import Logger, Value, list_parameters, score_scalars
from zerosum.metrics import Score
from zerosum.run_folder import RunFolder


class AppendOnly(Logger):
    """Base class of adapters to such tools."""

    @abstractmethod
    def connect(self, folder: Path, name: str, parameters: Mapping[str, Value]) -> None:
        """Open the log `name`, which is there if the run goes on, of the run in `folder`, made of `parameters`."""

    @abstractmethod
    def send(self, step: int, values: Mapping[str, Any]) -> None:
        """Pass values on, by name: numbers, texts, and what `load_picture` returned."""

    @abstractmethod
    def load_picture(self, picture: Path) -> Any:
        """Return a PNG as the tool takes it."""

    def state_file(self, folder: Path) -> Path:
        """Return where the name and the last steps lie."""
        return folder / f"{self.declared_name}.json"

    def begin(self, folder: RunFolder, step: int) -> int:
        """Open the log; of a run that it knows take nothing up to the last step of each curve."""
        self._file = self.state_file(folder.path)
        goes_on = self._file.exists()
        self._log, self._held = _read(self._file) if goes_on else (uuid.uuid4().hex[:8], dict[str, int]())
        self._before = dict(self._held)
        self.connect(folder.path, self._log, list_parameters(folder.describe()))
        if not goes_on:
            self._note()
        return 1 if goes_on else 0

    def log_parameters(self, parameters: Mapping[str, Value]) -> None:
        """Do nothing: the tool has them since it was connected."""

    def log_scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Send them together."""
        self._send_once("training", step, lambda: {f"training/{name}": value for name, value in values.items()})

    def log_score(self, step: int, score: Score) -> None:
        """Send the score and the ends of its interval."""
        values = {f"scores/{name}": value for name, value in score_scalars(score).items()}
        self._send_once(next(iter(values)), step, lambda: values)

    def log_picture(self, step: int, name: str, picture: Path) -> None:
        """Send a picture."""
        self._send_once(name, step, lambda: {name: self.load_picture(picture)})

    def log_text(self, step: int, name: str, text: str) -> None:
        """Send a text as a value."""
        self._send_once(f"text/{name}", step, lambda: {name: text})

    def _send_once(self, curve: str, step: int, make: Callable[[], Mapping[str, Any]]) -> None:
        if step <= self._before.get(curve, -1):
            return
        self.send(step, make())
        self._held[curve] = step
        self._note()

    def _note(self) -> None:
        self._file.parent.mkdir(exist_ok=True)
        write_atomically(self._file, json.dumps({"log": self._log, "steps": self._held}).encode())


def _read(file: Path) -> tuple[str, dict[str, int]]:
    try:
        about = json.loads(file.read_bytes())
        return str(about["log"]), {str(name): int(step) for name, step in about["steps"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError(f"{file} is damaged: remove it to begin a new log") from None
