"""What the processes of a run do that are not the first: restore it from its folder, and play along."""

import signal
from pathlib import Path

from zerosum.game import distributed
from zerosum.run.trainer import Trainer


def follow() -> None:
    """Play the run that the first process tells of until it says that it stops.

    Signals are for the first one, which saves the state.

    Raises:
        InputError: the run cannot be restored here, or its data are others here.
        RunFailed: the first process is gone.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    team = distributed.join()
    path, lengths = team.hear()
    trainer = Trainer.look(Path(path), team=team)
    trainer.lengths = [(step, steps) for step, steps in lengths]
    trainer.follow()
    team.leave()
