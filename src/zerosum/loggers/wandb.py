"""Weights & Biases, by the `wandb` package (the extra of that name), which writes and sends in a process of its own."""

import importlib
import netrc
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlparse

from zerosum.loggers import Value
from zerosum.loggers.append_only import AppendOnly

PROJECT = "zerosum"
SECONDS = 30.0  # that the server is waited for before training


class WandB(AppendOnly, name="wandb"):
    """A run in the project `zerosum`, or that of WANDB_PROJECT; files in RUN/wandb.

    It is sent to the server if WANDB_MODE says so, or says nothing and somebody is logged in; else it stays on disk.
    """

    package: ClassVar[str] = "wandb"

    def state_file(self, folder: Path) -> Path:
        """Return a file among the tool's."""
        return folder / "wandb" / "zerosum.json"

    def connect(self, folder: Path, name: str, parameters: Mapping[str, Value]) -> None:
        """Begin the run, or go on with it."""
        wandb: Any = importlib.import_module("wandb")
        self._wandb, self._folder = wandb, folder
        self._mode = os.environ.get("WANDB_MODE") or ("online" if is_logged_in() else "offline")
        (folder / "wandb").mkdir(exist_ok=True)
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            id=name,
            name=folder.resolve().name,
            dir=str(folder),
            resume="allow",
            config=dict(parameters),
            mode=self._mode,
            settings=wandb.Settings(silent=True, console="off", init_timeout=SECONDS),
        )
        self._run.define_metric("*", step_metric="step")

    def describe(self) -> str:
        """Say where it is looked at, or how it is sent."""
        if self._mode != "offline":
            return str(self._run.url)
        files = shlex.quote(str(self._folder / "wandb"))
        return f"offline, as nobody is logged in or WANDB_MODE says so; send it with  wandb sync {files}/offline-run-*"

    def send(self, step: int, values: Mapping[str, Any]) -> None:
        """Add a row to the history; wandb's own step counts rows."""
        self._run.log({**values, "step": step})

    def load_picture(self, picture: Path) -> Any:
        """Return wandb's picture."""
        return self._wandb.Image(str(picture))

    def close(self) -> None:
        """Wait until all is written, and sent if it is to be."""
        self._run.finish()


def is_logged_in() -> bool:
    """Whether a key for the server is there: in WANDB_API_KEY, or where `wandb login` puts it."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
