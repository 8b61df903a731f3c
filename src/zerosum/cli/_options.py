"""The arguments and options that several commands share."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer


def _remember(folder: Path | None) -> Path | None:
    if folder is not None:
        if not folder.is_dir():
            raise typer.BadParameter(f"{folder} is not a folder")
        os.environ["ZEROSUM_DATA"] = str(folder.absolute())
    return folder


def _known(device: str | None) -> str | None:
    from zerosum import names

    if device is not None:
        names.check_device(device)
    return device


DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        callback=_remember,
        help="Where copies of standard sets lie, and new ones are put; default: $ZEROSUM_DATA, or the cache.",
    ),
]
Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A folder or .zip of images, a standard set ('mnist', 'cifar10' ...), 'digits', a toy ('ring', "
        "'grid', 'gaussian'), idx files, .npz or .npy, hub:OWNER/NAME, 'stacked-mnist' or stacked:DATA, or a pack at "
        "https://HOST/PACK or s3://BUCKET/PACK. A path that exists comes before a set of that name; builtin:NAME is "
        "the set.",
    ),
]
Size = Annotated[
    str | None, typer.Option(help="Of image files: 64, or height x width, as 48x64; default: by the images.")
]
Preparing = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="data.FIELD=VALUE", help="How images are prepared, e.g. data.range=0..4095; repeatable."
    ),
]
RecipeName = Annotated[str, typer.Option("--recipe", help="A name, a JSON file, or a run; auto looks at the data.")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change a field of the recipe; repeatable.")
]
Device = Annotated[str, typer.Option(callback=_known, help="auto, cpu, cuda (of several cuda:0, cuda:1 ...) or mps.")]
OnNonfinite = Annotated[
    Literal["stop", "rollback"],
    typer.Option(
        "--on-nonfinite",
        help="When a loss or a weight is no longer a finite number: stop, or go back to the last checkpoint, once, and "
        "on with half the learning rates.",
    ),
]
StopWhen = Annotated[
    Literal["never", "converged", "collapsed"],
    typer.Option(
        "--stop-when",
        help="End before the time, with scores and a report: converged, five scores without a better one (of twenty in "
        "a run); collapsed, samples that are all but the same.",
    ),
]
LogNames = Annotated[
    list[str] | None,
    typer.Option(
        "--log",
        metavar="TOOL",
        help="Also log to csv (tables in the run's folder), tensorboard, wandb or trackio; repeatable. A resumed run "
        "keeps its logs.",
    ),
]
DataOfRun = Annotated[
    str | None,
    typer.Option("--data", metavar="DATA", help="Where RUN's data lie now, if they were moved; they must be the same."),
]
DeviceOfRun = Annotated[
    str | None,
    typer.Option(
        "--device", callback=_known, help="Default: that of the run. On another one the bits of the results may differ."
    ),
]
Truncation = Annotated[
    float | None,
    typer.Option(
        metavar="NUMBER",
        help="Give up variety for quality: normal latents beyond this number are drawn again (2 is mild, 0.7 is "
        "strong); uniform ones are multiplied by it.",
    ),
]
