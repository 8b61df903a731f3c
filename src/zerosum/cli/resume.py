"""`zerosum resume`: go on with a run that was stopped, or train a finished one longer."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._options import DataDir, DataOfRun, DeviceOfRun, LogNames, OnNonfinite, StopWhen

if TYPE_CHECKING:
    from zerosum.run.conduct import Conduct


def resume(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The run's folder, or that of all runs of 'train --seeds'.")
    ],
    steps: Annotated[
        int | None, typer.Option(min=1, help="Train longer than was planned: to so many iterations in all.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.01, max=1e6, help="Train about so much longer from now on; a probe turns it into steps."),
    ] = None,
    data: DataOfRun = None,
    allow_changed_data: Annotated[bool, typer.Option(help="Go on even if the data are not what they were.")] = False,
    device: DeviceOfRun = None,
    on_nonfinite: OnNonfinite = "stop",
    stop_when: StopWhen = "never",
    log: LogNames = None,
    data_dir: DataDir = None,
) -> None:
    """Go on with RUN from its last checkpoint; on the same device it ends as if it had never stopped.

    With --steps or --minutes, rates and all else that follows the share of the training that is done follow that of
    the new total: a rate that had fallen to 0 rises again. run.json notes from which iteration on.
    """
    from zerosum import names
    from zerosum.run.conduct import Conduct
    from zerosum.run_folder import RunFolder
    from zerosum.seeds import is_seeds_folder

    names.check_logs(log or ())
    conduct = Conduct(on_nonfinite, stop_when, tuple(log or ()))
    if is_seeds_folder(run):
        _resume_series(run, data, device, conduct, each_alone=bool(steps or minutes or allow_changed_data))
        return
    RunFolder.open(run)
    from zerosum import catalog, loggers
    from zerosum.cli._progress import plain_console
    from zerosum.cli._training import train_and_show
    from zerosum.game import distributed
    from zerosum.run import restoring
    from zerosum.run.length import Length

    console = plain_console()
    loggers.check_usable(log or ())
    trainer = restoring.resume(
        run,
        data=data,
        allow_changed_data=allow_changed_data,
        device=device,
        length=catalog.build(Length, {"steps": steps, "minutes": minutes}),
        team=distributed.join(),
    )
    for problem in trainer.skipped_checkpoints:
        console.print(f"skipped: {problem}", soft_wrap=True)
    console.print(f"{run}: going on after {trainer.step:,} of {trainer.steps:,} iterations", soft_wrap=True)
    for words in (trainer.elsewhere, trainer.prolonged):
        if words:
            console.print(words, soft_wrap=True)
    train_and_show(trainer, console, conduct)


def _resume_series(path: Path, data: str | None, device: str | None, conduct: "Conduct", *, each_alone: bool) -> None:
    """Go on with the first run of a series that is not finished, and then with the rest."""
    from zerosum.errors import InputError
    from zerosum.launch import refuse_several

    refuse_several("a folder of 'train --seeds'")
    if each_alone:
        raise InputError(
            f"{path} holds the runs of several seeds: --steps, --minutes and --allow-changed-data are for one of them, "
            f"e.g. zerosum resume {shlex.quote(str(path))}/seed-0"
        )
    import time

    from zerosum.cli._progress import plain_console
    from zerosum.cli._series import train_series
    from zerosum.run.series import SeriesTraining

    training = SeriesTraining.resume(path, data, device)
    train_series(training, time.monotonic(), plain_console(), conduct)
