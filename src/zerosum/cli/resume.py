"""`zerosum resume`: go on with a run that was stopped."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._options import DataDir, DeviceOfRun


def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
    allow_changed_data: Annotated[bool, typer.Option(help="Go on even if the data are not what they were.")] = False,
    device: DeviceOfRun = None,
    data_dir: DataDir = None,
) -> None:
    """Go on with RUN from its last checkpoint; on the same device it ends as if it had never stopped."""
    from zerosum.run_folder import RunFolder

    RunFolder.open(run)
    from zerosum.cli._progress import plain_console
    from zerosum.cli._training import train_and_show
    from zerosum.run.trainer import Trainer

    console = plain_console()
    trainer = Trainer.resume(run, allow_changed_data=allow_changed_data, device=device)
    for problem in trainer.skipped_checkpoints:
        console.print(f"skipped: {problem}", soft_wrap=True)
    console.print(f"{run}: going on after {trainer.step:,} of {trainer.steps:,} iterations", soft_wrap=True)
    train_and_show(trainer, console)
