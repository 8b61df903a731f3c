"""Event files for TensorBoard, written by the `tensorboard` package (the extra of that name) in a thread of its own."""

import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from zerosum.loggers import Logger, Value, score_scalars
from zerosum.metrics import Score
from zerosum.run_folder import RunFolder


class TensorBoard(Logger, name="tensorboard"):
    """Event files in RUN/tensorboard.

    Events cannot be removed from a file. The file of a run that goes on begins with the mark by which TensorBoard
    itself ignores what earlier files hold from that step on (`purge_step`).
    """

    package: ClassVar[str] = "tensorboard"

    def begin(self, folder: RunFolder, step: int) -> int:
        """Begin one more file."""
        from torch.utils.tensorboard import SummaryWriter

        self._folder = folder.path / "tensorboard"
        goes_on = any(self._folder.glob("events.out.tfevents.*"))
        while any(self._folder.glob(f"events.out.tfevents.{int(time.time())}.*")):
            time.sleep(0.05)  # files are read in the order of their names, which have whole seconds
        writer: Any = SummaryWriter
        self._writer = writer(str(self._folder), purge_step=step if goes_on else None)
        return step if goes_on else 0

    def describe(self) -> str:
        """Name the command that shows it."""
        return f"look with  tensorboard --logdir {shlex.quote(str(self._folder))}"

    def log_parameters(self, parameters: Mapping[str, Value]) -> None:
        """Store them for the dashboard of hyper-parameters, and as a table of text."""
        self._writer.add_hparams(dict(parameters), {}, run_name=".")
        rows = "".join(f"| {name} | {value} |\n" for name, value in parameters.items())
        self._writer.add_text("recipe", f"| field | value |\n|---|---|\n{rows}", 0)

    def log_scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Store one event for each."""
        for name, value in values.items():
            self._writer.add_scalar(f"training/{name}", value, step)

    def log_score(self, step: int, score: Score) -> None:
        """Store the value and the ends of its interval."""
        for name, value in score_scalars(score).items():
            self._writer.add_scalar(f"scores/{name}", value, step)

    def log_picture(self, step: int, name: str, picture: Path) -> None:
        """Store the pixels; TensorBoard encodes them again."""
        with Image.open(picture) as image:
            self._writer.add_image(name, np.asarray(image.convert("RGB")), step, dataformats="HWC")

    def log_text(self, step: int, name: str, text: str) -> None:
        """Store it for the dashboard of texts."""
        self._writer.add_text(name, text, step)

    def close(self) -> None:
        """Write what is in the queue."""
        self._writer.close()
