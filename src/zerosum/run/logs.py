"""The logs of other tools that a run keeps: those it is asked for now, and those it kept before."""

from collections.abc import Callable, Iterable, Sequence

from zerosum import loggers
from zerosum.errors import InputError
from zerosum.loggers import Logs
from zerosum.run.trainer import Trainer


def check_logs(log: Sequence[str]) -> None:
    """Refuse names of logs that cannot be kept here.

    Raises:
        InputError: see there; or `log` is one word instead of a sequence of them.
    """
    if isinstance(log, str) or not all(isinstance(each, str) for each in log):
        raise InputError(f'log is a sequence of names, e.g. log=("csv",), not {log!r}')
    loggers.check_usable(log)


def open_logs(trainer: Trainer, log: Iterable[str], tell: Callable[[str], None]) -> Logs:
    """Open the logs in `log` and those that `run.json` names, which then names them all.

    One of the latter that cannot be kept here is left out, and `tell` is told.
    """
    before = trainer.folder.describe().get("logs", [])
    names = list(dict.fromkeys((*before, *log)))
    if names != before:
        trainer.folder.note(logs=names)
    usable = []
    for name in names:
        try:
            loggers.check_usable([name])
        except InputError as error:
            tell(f"log {name} does not go on: {error}")
        else:
            usable.append(name)
    return Logs.open(usable, trainer.folder, trainer.step, tell)
