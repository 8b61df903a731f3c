"""What the processes of a run do that are not the first: restore it from its folder, and play along."""

import signal
from pathlib import Path

from zerosum.errors import InputError
from zerosum.game import distributed
from zerosum.run import restoring
from zerosum.run.environment import list_versions
from zerosum.run.stopping import STOPPING
from zerosum.run_folder import RunFolder


def follow() -> None:
    """Play the run that the first process tells of until it says that it stops.

    Signals are for the first one, which saves the state.

    Raises:
        InputError: the run cannot be restored here, its data or the versions of libraries are others here, or there is
            no GPU for this process.
        RunFailed: the first process is gone.
    """
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    team = distributed.join()
    path, lengths, versions = team.hear()
    _compare_versions(versions)
    device = distributed.choose_own(RunFolder.open(Path(path)).describe()["device"])
    trainer = restoring.look(Path(path), device=device, team=team)
    trainer.lengths = [(step, steps) for step, steps in lengths]
    trainer.follow()
    team.leave()


def _compare_versions(first: dict[str, str]) -> None:
    """Refuse to play along with other versions than the `first` process has: bits would depend on who plays what."""
    here = list_versions()
    for name, there in first.items():
        if here[name] != there:
            raise InputError(
                f"{name} is {here[name]} in this process and {there} in the first: install the same everywhere"
            )
