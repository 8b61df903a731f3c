"""Pass what a run records on to the tools that people already look at; one tool, one file: `zerosum train --log NAME`.

Nothing here can end a run: a tool that fails is left out from then on, and it is said. What a tool lacks at the start
(all of it, if the run is new to it) is read from the run's folder, so a run that goes on goes on in the same log, and
one that is played again from a checkpoint is first taken back to it.
"""

import importlib.util
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from zerosum import catalog, records
from zerosum.catalog import Component, name_of
from zerosum.errors import InputError
from zerosum.metrics import Score
from zerosum.records import FindingRecord, IterationRecord, Record, ScoreRecord
from zerosum.run_folder import RunFolder

Value = str | int | float | bool


class Logger(Component, ABC, kind="log"):
    """Base class of the adapters, each of one tool. A new tool is one subclass in one file of this folder.

    Attributes:
        package: what has to be installed, also the name of zerosum's extra; empty if nothing has to be.
    """

    package: ClassVar[str] = ""

    @abstractmethod
    def begin(self, folder: RunFolder, step: int) -> int:
        """Open the log of the run in `folder`, which goes on after `step` iterations, without what belongs behind them.

        Returns:
            The step from which on the log takes what the run recorded: 0 of a new log; `step` of one that was cut back
            to before it; what comes behind the last thing it holds, if it cannot be cut.
        """

    @abstractmethod
    def describe(self) -> str:
        """Say where the log lies and how it is looked at, in a line."""

    @abstractmethod
    def log_parameters(self, parameters: Mapping[str, Value]) -> None:
        """Store what the run is made of, such as `game.name`; called for a new log only."""

    @abstractmethod
    def log_scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Store the fields of an iteration's record."""

    @abstractmethod
    def log_score(self, step: int, score: Score) -> None:
        """Store a score with its interval."""

    @abstractmethod
    def log_picture(self, step: int, name: str, picture: Path) -> None:
        """Store a PNG that lies in the run's folder."""

    @abstractmethod
    def log_text(self, step: int, name: str, text: str) -> None:
        """Store what was said about the run at `step`, under a name; the same name may come again."""

    @abstractmethod
    def close(self) -> None:
        """Write what is still to be written, and close the log."""


class Logs:
    """The logs of one run; the first to fail does not keep the run, nor the others, from going on."""

    def __init__(self, tell: Callable[[str], None] = lambda text: None) -> None:
        """Keep no log yet; `tell` is told in a line of each that is lost."""
        self._tell = tell
        self._loggers: dict[str, Logger] = {}
        self._pictured: dict[str, int] = {}
        self._folder: RunFolder | None = None

    @classmethod
    def open(cls, names: Iterable[str], folder: RunFolder, step: int, tell: Callable[[str], None]) -> "Logs":
        """Open the logs of these `names` for a run that goes on after `step` iterations, and bring them up to there."""
        logs = cls(tell)
        logs._folder = folder
        logs._loggers = {name: catalog.lookup(Logger, name)() for name in dict.fromkeys(names)}
        logs.rewind(step)
        return logs

    def describe(self) -> list[str]:
        """Say of each log where it lies, a line each."""
        return [f"log {name}: {logger.describe()}" for name, logger in self._loggers.items()]

    def rewind(self, step: int) -> None:
        """Go on from the run's folder as it is after `step` iterations; logs that were open are closed first."""
        for name, logger in list(self._loggers.items()):
            if name in self._pictured:
                self._try(name, logger.close)
            self._try(name, lambda name=name, logger=logger: self._begin(name, logger, step))  # type: ignore[misc]

    def add(self, record: Record) -> None:
        """Pass a record on, and the pictures that came before it."""
        for name, logger in list(self._loggers.items()):
            self._try(name, lambda name=name, logger=logger: self._pass_on(name, logger, record))  # type: ignore[misc]

    def log_text(self, step: int, name: str, text: str) -> None:
        """Pass on what was said about the run."""
        for each, logger in list(self._loggers.items()):
            self._try(each, lambda logger=logger: logger.log_text(step, name, text))  # type: ignore[misc]

    def close(self) -> None:
        """Pass on the last pictures and close all logs."""
        for name, logger in list(self._loggers.items()):
            self._try(name, lambda name=name, logger=logger: self._add_pictures(name, logger))  # type: ignore[misc]
            self._try(name, logger.close)
        self._loggers.clear()

    def _try(self, name: str, act: Callable[[], None]) -> None:
        if name not in self._loggers:
            return
        try:
            act()
        except Exception as error:  # what the tools raise is not documented, and none of it may end the run
            del self._loggers[name]
            reason = " ".join(str(error).split()) or type(error).__name__
            self._tell(f"log {name} is lost from here on, the run goes on without it: {reason}")

    def _begin(self, name: str, logger: Logger, step: int) -> None:
        assert self._folder is not None  # noqa: S101  # there are no loggers without one
        lacks = logger.begin(self._folder, step)
        if lacks == 0:
            logger.log_parameters(list_parameters(self._folder.describe()))
        self._pictured[name] = lacks - 1
        for record in read_all(self._folder):
            if record.step >= lacks:
                add_record(logger, record)
        self._add_pictures(name, logger, step)

    def _pass_on(self, name: str, logger: Logger, record: Record) -> None:
        self._add_pictures(name, logger, record.step)
        add_record(logger, record)

    def _add_pictures(self, name: str, logger: Logger, until: float = float("inf")) -> None:
        assert self._folder is not None  # noqa: S101  # there are no loggers without one
        for step, picture in self._folder.pictures():
            if self._pictured[name] < step <= until:
                logger.log_picture(step, "samples", picture)
                self._pictured[name] = step


def check_usable(names: Iterable[str]) -> None:
    """Refuse logs that are not there, or whose package is not installed.

    Raises:
        InputError: see there; the message says what to install.
    """
    for name in names:
        package = catalog.lookup(Logger, name).package
        if package and not is_installed(package):
            raise InputError(f"--log {name} needs pip install 'zerosum[{package}]'")


def is_installed(package: str) -> bool:
    """Whether a package can be imported, without doing so."""
    return importlib.util.find_spec(package) is not None


def read_all(folder: RunFolder) -> list[Record]:
    """Read all records of a run by their step, of one step in the order they were written in."""
    found: list[Record] = [*records.read(folder, IterationRecord), *records.read(folder, ScoreRecord)]
    found += records.read(folder, FindingRecord)
    return sorted(found, key=lambda record: record.step)


def add_record(logger: Logger, record: Record) -> None:
    """Pass a record on to the method for its kind."""
    if isinstance(record, ScoreRecord):
        logger.log_score(record.step, record.score)
    elif isinstance(record, FindingRecord):
        gone = "" if record.began else "no longer so: "
        logger.log_text(record.step, record.finding, f"{gone}{record.sentence}")
    else:
        logger.log_scalars(record.step, list_scalars(record))


def list_scalars(record: IterationRecord) -> dict[str, float]:
    """Return the fields of a record but its step, by name."""
    return {name: value for name, value in vars(record).items() if name != "step"}


def score_scalars(score: Score) -> dict[str, float]:
    """Return a score and its interval by names for tools that know numbers only.

    The number of samples is part of the name: distances of different numbers are no points of one curve.
    """
    name = f"{score.metric}/{score.samples}-samples"
    return {name: score.value, f"{name}/low": score.low, f"{name}/high": score.high}


def list_parameters(about: Mapping[str, Any]) -> dict[str, Value]:
    """Flatten the recipe and what else `run.json` says a run is made of: `game.name`, `generator_optimizer.lr` ..."""
    told = {name: about[name] for name in ("data", "seed", "steps", "device", "precision", "threads", "zerosum")}
    return {**told, **_flatten(about["recipe"])}


def _flatten(values: Mapping[str, Any], path: str = "") -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flatten(value, f"{path}{name}.")
        else:
            found[f"{path}{name}"] = value if isinstance(value, Value) else json.dumps(value)
    return found


def list_names() -> list[str]:
    """List the logs that can be kept."""
    return [name_of(logger) for logger in catalog.choices(Logger).values()]
