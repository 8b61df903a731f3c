"""Train the runs of a series one after the other, and say what came of each and of all."""

import shlex

import typer
from rich.console import Console

from zerosum.cli._comparison import show_group
from zerosum.cli._training import announce, train_with_bar
from zerosum.comparison.groups import compare
from zerosum.errors import RunFailed
from zerosum.run.conduct import Conduct
from zerosum.run.divergence import Diverged
from zerosum.run.series import SeriesTraining, describe_seeds
from zerosum.run.stopping import STOPPING, StopRequest


def train_series(training: SeriesTraining, imported: float, console: Console, conduct: Conduct) -> None:
    """Train every run that is not finished; a run that diverges is said, and the next one begins.

    Raises:
        RunFailed: runs diverged, as is said again at the end.
    """
    series, path = training.series, training.folder.path
    clock = "" if series.minutes is None else f", {series.minutes:g} minutes each"
    console.print(f"{describe_seeds(series.seeds)}, one run after the other{clock}, in {path}", soft_wrap=True)
    for seed, why in training.folder.read().diverged.items():
        if conduct.on_nonfinite == "stop":
            console.print(f"seed {seed} is passed over: {why} (--on-nonfinite rollback tries it again)", soft_wrap=True)
    for number, seed in enumerate(training.left(diverged_too=conduct.on_nonfinite == "rollback")):
        _train_one(training, seed, imported if number == 0 else None, console, conduct)
    _conclude(training, console)


def _train_one(training: SeriesTraining, seed: int, imported: float | None, console: Console, conduct: Conduct) -> None:
    """Train the run of one seed; what the first one is trained on is said too."""
    series = training.series
    console.print(f"\nseed {seed}, run {series.seeds.index(seed) + 1} of {len(series.seeds)}", soft_wrap=True)
    with StopRequest(*STOPPING) as request:
        trainer = training.open(seed)
    if request.is_set():
        trainer.folder.close()
        _say_stopped(training, seed, console, request.signal)
    if imported is not None and trainer.step == 0:
        announce(trainer, imported, console)
    else:
        about = f"{trainer.folder.path}: {trainer.step:,} of {trainer.steps:,} iterations are done"
        console.print(about, soft_wrap=True)
    for words in (*trainer.skipped_checkpoints, trainer.elsewhere):
        if words:
            console.print(words, soft_wrap=True)
    try:
        stopped_by = train_with_bar(trainer, console, conduct)
    except Diverged as error:
        training.folder.note_diverged(seed, error.what)
        console.print(f"seed {seed} diverged: {error}", soft_wrap=True)
        return
    if stopped_by:
        _say_stopped(training, seed, console, stopped_by)
    training.folder.note_diverged(seed, "")


def _say_stopped(training: SeriesTraining, seed: int, console: Console, number: int) -> None:
    """Say how the series goes on, and end with the exit code of the signal."""
    path, seeds = training.folder.path, training.series.seeds
    finished = f"{seeds.index(seed)} of {len(seeds)} runs are over"
    console.print(
        f"Stopped in seed {seed}; {finished}.\nGo on with  zerosum resume {shlex.quote(str(path))}", soft_wrap=True
    )
    raise typer.Exit(128 + number)


def _conclude(training: SeriesTraining, console: Console) -> None:
    """Show the mean of each score over the seeds, and where the reports are."""
    path, diverged = training.folder.path, sorted(training.folder.read().diverged)
    finished = [training.folder.run(seed) for seed in training.series.seeds if seed not in diverged]
    if finished:
        console.print(f"\nFinished {len(finished)} of {len(training.series.seeds)} runs in {path}", soft_wrap=True)
        show_group(compare([path]), console)
    for run in finished:
        console.print(f"Look at    {run.report}", soft_wrap=True)
    if finished:
        console.print(f"Next       zerosum compare {shlex.quote(str(path))} OTHER", soft_wrap=True)
    if diverged:
        raise RunFailed(f"{describe_seeds(diverged)} of {len(training.series.seeds)} in {path} diverged; see above")
