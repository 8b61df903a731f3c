"""`zerosum train`: from data to a generator."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._options import Changes, Data, DataDir, Device, LogNames, OnNonfinite, Size, StopWhen

Recipe = Annotated[
    str,
    typer.Option(
        help="A name, a JSON file, or a run, to train by its recipe; auto looks at the data, or takes that of --from."
    ),
]
StartFrom = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="RUN|GENERATOR",
        help="Begin with the weights of this run (both players), or of a generator.safetensors (the generator).",
    ),
]
Freeze = Annotated[
    int | None,
    typer.Option(min=0, help="With --from RUN: keep so many of the discriminator's first layers as they are."),
]
Minutes = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        max=1e6,
        help="Train about this long instead; a probe turns it into steps. With --seeds, each run.",
    ),
]
Seeds = Annotated[
    int | None,
    typer.Option(
        min=2,
        max=1_000,
        help="Train the same recipe so many times, one run after the other, from --seed on; --out has a folder for "
        "each.",
    ),
]


def train(
    data: Data,
    recipe: Recipe = "auto",
    changes: Changes = None,
    start_from: StartFrom = None,
    freeze: Freeze = None,
    size: Size = None,
    device: Device = "auto",
    steps: Annotated[int | None, typer.Option(min=1, help="Iterations; default: the recipe's.")] = None,
    minutes: Minutes = None,
    seed: Annotated[int, typer.Option(min=0, help="Everything random is a function of it.")] = 0,
    seeds: Seeds = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; default: runs/ and the data's name.")] = None,
    on_nonfinite: OnNonfinite = "stop",
    stop_when: StopWhen = "never",
    log: LogNames = None,
    data_dir: DataDir = None,
) -> None:
    """Train a generator and its discriminator on DATA."""
    import time

    from zerosum import names
    from zerosum.errors import InputError
    from zerosum.launch import refuse_several
    from zerosum.run_folder import RunFolder

    if freeze and start_from is None:
        raise InputError("--freeze keeps layers as they were trained: it needs --from RUN")
    if seeds is not None:
        refuse_several("--seeds")
    names.check_training(data, changes or (), recipe)
    names.check_logs(log or ())
    if out is not None:
        RunFolder(out.expanduser()).check()
    from zerosum import catalog, loggers
    from zerosum.cli._data import add_size, open_data
    from zerosum.cli._progress import plain_console
    from zerosum.cli._training import announce, train_and_show
    from zerosum.game import distributed
    from zerosum.run.conduct import Conduct
    from zerosum.run.plan import Plan
    from zerosum.run.start import Start

    console, conduct = plain_console(), Conduct(on_nonfinite, stop_when, tuple(log or ()))
    imported = time.monotonic()
    loggers.check_usable(log or ())
    changes = [*add_size(changes, size), *([f"frozen_layers={freeze}"] if freeze is not None else ())]
    plan = catalog.build(Plan, {"steps": steps, "minutes": minutes, "seed": seed, "device": device, "out": out})
    plan.check()
    start = None if start_from is None else Start.open(start_from)
    source, chosen = open_data(data, recipe, changes, device, console, start)
    if recipe == "auto" and start is None:
        with console.status("choosing the width that the time can train"):
            chosen = plan.fit(chosen, source, changes)
    if start is not None:
        own = "; the recipe is its own (--recipe names another)" if recipe == "auto" else ""
        console.print(start.in_words(chosen) + own, soft_wrap=True)
    if seeds is not None:
        from zerosum.cli._series import train_series
        from zerosum.run.series import SeriesTraining

        train_series(SeriesTraining.begin(plan, seeds, data, source, chosen, start), imported, console, conduct)
        return
    run = plan.begin(data, source, chosen, start, distributed.join())
    announce(run, imported, console)
    train_and_show(run, console, conduct)
