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
    from zerosum.cli._console import plain
    from zerosum.cli._training import finish
    from zerosum.run import Run

    console = plain()
    resumed = Run.resume(run, allow_changed_data=allow_changed_data, device=device)
    for problem in resumed.passed_over:
        console.print(f"passed over: {problem}", soft_wrap=True)
    console.print(f"{run}: going on after {resumed.step:,} of {resumed.steps:,} iterations", soft_wrap=True)
    finish(resumed, console)
