"""Trackio, by the `trackio` package (the extra of that name), which writes to a data base on this machine."""

import contextlib
import importlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from zerosum.loggers import Value
from zerosum.loggers.append_only import AppendOnly

PROJECT = "zerosum"


class Trackio(AppendOnly, name="trackio"):
    """A run in the project `zerosum`, where trackio keeps its data: TRACKIO_DIR, or its cache."""

    package: ClassVar[str] = "trackio"

    def connect(self, folder: Path, name: str, parameters: Mapping[str, Value]) -> None:
        """Begin the run, or go on with it; what trackio prints is not shown."""
        self._trackio: Any = importlib.import_module("trackio")
        self._name = f"{folder.resolve().name}-{name}"
        with contextlib.redirect_stdout(io.StringIO()):
            self._run = self._trackio.init(
                project=PROJECT,
                name=self._name,
                resume="allow",
                config=dict(parameters),
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )

    def describe(self) -> str:
        """Name the command that shows it."""
        return f"run {self._name} in {self._trackio.TRACKIO_DIR}; look with  trackio show --project {PROJECT}"

    def send(self, step: int, values: Mapping[str, Any]) -> None:
        """Queue a row."""
        self._run.log(dict(values), step=step)

    def load_picture(self, picture: Path) -> Any:
        """Return trackio's picture."""
        return self._trackio.Image(str(picture))

    def close(self) -> None:
        """Wait until all is written."""
        with contextlib.redirect_stdout(io.StringIO()):
            self._trackio.finish()
