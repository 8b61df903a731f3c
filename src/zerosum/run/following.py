"""What the processes of a run do that are not the first: restore it from its folder, and play along."""

import signal
from pathlib import Path

from zerosum.game import distributed
from zerosum.run.stopping import STOPPING
from zerosum.run.trainer import Trainer
from zerosum.run_folder import RunFolder


def follow() -> None:
    """Play the run that the first process tells of until it says that it stops.

    Signals are for the first one, which saves the state.

    Raises:
        InputError: the run cannot be restored here, its data are others here, or there is no GPU for this process.
        RunFailed: the first process is gone.
    """
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    team = distributed.join()
    path, lengths = team.hear()
    device = distributed.choose_own(RunFolder.open(Path(path)).describe()["device"])
    trainer = Trainer.look(Path(path), device=device, team=team)
    trainer.lengths = [(step, steps) for step, steps in lengths]
    trainer.follow()
    team.leave()
