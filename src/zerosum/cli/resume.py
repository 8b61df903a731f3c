"""`zerosum resume`: go on with a run that was stopped, or train a finished one longer."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._options import DataDir, DataOfRun, DeviceOfRun, LogNames, OnNonfinite


def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
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
    log: LogNames = None,
    data_dir: DataDir = None,
) -> None:
    """Go on with RUN from its last checkpoint; on the same device it ends as if it had never stopped.

    With --steps or --minutes, rates and all else that follows the share of the training that is done follow that of
    the new total: a rate that had fallen to 0 rises again. run.json notes from which iteration on.
    """
    from zerosum import names
    from zerosum.run_folder import RunFolder

    names.check_logs(log or ())
    RunFolder.open(run)
    from zerosum import catalog, loggers
    from zerosum.cli._progress import plain_console
    from zerosum.cli._training import train_and_show
    from zerosum.game import distributed
    from zerosum.run.length import Length
    from zerosum.run.trainer import Trainer

    console = plain_console()
    loggers.check_usable(log or ())
    trainer = Trainer.resume(
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
    train_and_show(trainer, console, on_nonfinite, log or ())
