"""Train and resume in one call: what the commands of these names do, without their words."""

import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path

import torch

from zerosum import catalog
from zerosum.errors import InputError
from zerosum.game.recipe import Recipe
from zerosum.generator import TrainedGenerator
from zerosum.launch import is_one_of_several
from zerosum.loggers import Logs
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
from zerosum.metrics.real_samples import MOST_SAMPLES
from zerosum.records import Record
from zerosum.run import restoring
from zerosum.run.conduct import DEFAULT, Conduct
from zerosum.run.divergence import Diverged
from zerosum.run.doctor import CONVERGED_PARTS, Doctor
from zerosum.run.length import Length
from zerosum.run.logs import check_logs, open_logs
from zerosum.run.plan import Plan, open_for_recipe
from zerosum.run.scoring import INTERIM_SCORES, Scoring
from zerosum.run.sharing import extract_together
from zerosum.run.start import Start
from zerosum.run.stopping import StopRequest
from zerosum.run.trainer import Trainer
from zerosum.types import OnNonfinite, StopWhen

_training = threading.Lock()


def train(
    data: str | Path,
    recipe: str | Path | Recipe = "auto",
    *,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    device: str = "auto",
    out: str | Path | None = None,
    start_from: str | Path | None = None,
    on_nonfinite: OnNonfinite = "stop",
    stop_when: StopWhen = "never",
    observe: Callable[[Record], None] = lambda record: None,
    log: Sequence[str] = (),
) -> TrainedGenerator:
    """Train on `data` and return the averaged generator; the run's folder holds all that `zerosum train` writes.

    Interrupting it (Ctrl-C, or a notebook's stop) saves the state after the iteration and then raises
    KeyboardInterrupt; `resume` goes on from there, and `load` has the generator as it was.

    Args:
        data: the name of built-in data or a path, as `zerosum train` takes it.
        recipe: a name, a JSON file, a run's folder, `auto`, which looks at the data, or a Recipe, e.g.
            `replace(zerosum.recipe("dcgan"), game=MyGame())`. Parts may be classes of your own (frozen pydantic
            dataclasses that declare a name); a later program has to import them before it resumes the run or loads the
            generator.
        steps: iterations; if neither these nor minutes are given, as many as the recipe says.
        minutes: train about this long instead; a short probe turns it into iterations.
        seed: everything random is a function of it, of the step and of its purpose.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        out: the run's folder, which must not hold anything; else a free one in `runs/` named after the data.
        start_from: a run's folder, whose players the game begins with instead of drawn ones, or a
            `generator.safetensors`, which has G only. Its recipe is taken if none is named; to keep D's first layers as
            they are, `replace(zerosum.recipe(run), frozen_layers=2)`.
        on_nonfinite: what to do when a loss or a weight is no longer finite: `stop`, or `rollback`, once, to the last
            checkpoint, and go on with half the learning rates; a run does so once, however often it is resumed.
        stop_when: end the run before its time where it has `converged` or `collapsed`.
        observe: is called with each record that goes into `metrics.jsonl`.
        log: the tools to log to besides, e.g. `("csv", "tensorboard")`. One that fails on the way is left out, with a
            RuntimeWarning.

    Raises:
        InputError: something that was asked for does not exist, does not fit, or is taken; nothing was written.
        RunFailed: losses or weights are no longer finite.
    """
    if not isinstance(data, str | Path) or not isinstance(recipe, str | Path | Recipe):
        raise InputError("data are a name or a path, and a recipe is a name, a file or a Recipe")
    check_logs(log)
    words = {"on_nonfinite": on_nonfinite, "stop_when": stop_when, "log": tuple(log)}
    conduct = catalog.build(Conduct, words)
    plan = catalog.build(Plan, {"steps": steps, "minutes": minutes, "seed": seed, "device": device, "out": out})
    plan.check()
    with _alone():
        start = None if start_from is None else Start.open(start_from)
        source, chosen = open_for_recipe(str(data), recipe, device=device, start=start)
        if recipe == "auto" and start is None:
            chosen = plan.fit(chosen, source)
        return _finish_or_interrupt(plan.begin(str(data), source, chosen, start), observe, conduct)


def resume(
    run: str | Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    data: str | Path | None = None,
    allow_changed_data: bool = False,
    device: str | None = None,
    on_nonfinite: OnNonfinite = "stop",
    stop_when: StopWhen = "never",
    observe: Callable[[Record], None] = lambda record: None,
    log: Sequence[str] = (),
) -> TrainedGenerator:
    """Train the run in that folder to its end, as `zerosum resume` does, and return the averaged generator.

    Classes of your own that it is played with have to be imported before.

    Args:
        run: the run's folder.
        steps: train longer than was planned, to so many iterations in all. Rates and all else that follows the share
            of the training that is done follow that of the new total: a rate that had fallen to 0 rises again.
            `run.json` notes from which iteration on.
        minutes: train about so much longer from now on; a short probe turns it into iterations.
        data: where its data lie now, if they were moved.
        allow_changed_data: go on even if the data are not what they were.
        device: another one than the run's; bits may differ.
        on_nonfinite: what to do when a loss or a weight is no longer finite; see `train`.
        stop_when: end the run before its time; see `train`.
        observe: is called with each record that goes into `metrics.jsonl`.
        log: tools to log to besides those that the run logs to already; see `train`.

    Raises:
        InputError: it is no run, another process is in it, it is finished and no more was asked for, it has no
            checkpoint, or its data are gone or changed.
        RunFailed: losses or weights are no longer finite.
    """
    if not isinstance(run, str | Path):
        raise InputError(f"a run is the path of its folder, not {run!r}")
    check_logs(log)
    words = {"on_nonfinite": on_nonfinite, "stop_when": stop_when, "log": tuple(log)}
    conduct = catalog.build(Conduct, words)
    path, length = Path(run).expanduser(), catalog.build(Length, {"steps": steps, "minutes": minutes})
    with _alone():
        trainer = restoring.resume(
            path,
            data=None if data is None else str(data),
            allow_changed_data=allow_changed_data,
            device=device,
            length=length,
        )
        return _finish_or_interrupt(trainer, observe, conduct)


def finish(
    trainer: Trainer,
    observe: Callable[[Record], None],
    signals: Sequence[signal.Signals] = (signal.SIGINT,),
    display: AbstractContextManager[object] | None = None,
    preparing: AbstractContextManager[object] | None = None,
    conduct: Conduct = DEFAULT,
    tell: Callable[[str], None] = lambda text: None,
    logs: Logs | None = None,
) -> int:
    """Train to the end, or until a signal asks for a stop; then write the report and release the folder.

    Args:
        trainer: the run, before its first step or restored.
        observe: is called with each record that goes into `metrics.jsonl`.
        signals: what stops it after the iteration.
        display: is entered while the run trains.
        preparing: is entered while the features are prepared that scores are measured in.
        conduct: what happens when something happens.
        tell: is told in words when the run goes back, or is ended before its time.
        logs: the logs of other tools, open; they are closed at the end.

    Returns:
        The number of the signal that stopped it; 0 if it is finished.

    Raises:
        RunFailed: losses or weights are no longer finite.
    """
    from zerosum.report import run as report  # with Matplotlib: half a second that no training has to wait for

    logs = logs or Logs()

    def show(record: Record) -> None:
        observe(record)
        logs.add(record)

    with closing(trainer.folder), closing(logs):
        with preparing or nullcontext():
            asked = Request(device=trainer.engine.device)
            most = MOST_SAMPLES if trainer.pace is None else trainer.pace.most_scored
            evaluation = Evaluation.of(trainer.source, asked, extraction=extract_together(trainer), most=most)
            evaluation.prepare()
        scoring = Scoring(evaluation, CONVERGED_PARTS if conduct.stop_when == "converged" else INTERIM_SCORES)
        doctor = Doctor(trainer, show, conduct.stop_when)
        with StopRequest(*signals, twice=trainer.team.size > 1) as request, display or nullcontext():
            try:
                finished = trainer.train(scoring, doctor.observe, request.is_set)
            except Diverged as error:
                if conduct.on_nonfinite == "stop" or trainer.halved_from is not None or trainer.team.size > 1:
                    raise
                trainer.roll_back()
                logs.rewind(trainer.step)
                doctor = Doctor(trainer, show, conduct.stop_when)  # what it noted since is taken back too
                tell(f"{error.what}: going on from step {trainer.step:,} with half the learning rates")
                finished = trainer.train(scoring, doctor.observe, request.is_set)
        if doctor.reason:
            tell(f"Ended at step {trainer.step:,}. {doctor.reason}")
        doctor.conclude(evaluation)
        report.write(trainer.folder)
    return 0 if finished else request.signal


def _finish_or_interrupt(trainer: Trainer, observe: Callable[[Record], None], conduct: Conduct) -> TrainedGenerator:
    logs = open_logs(trainer, conduct.log, _warn)
    if finish(trainer, observe, conduct=conduct, logs=logs):
        raise KeyboardInterrupt(
            f"stopped after {trainer.step:,} of {trainer.steps:,} iterations; zerosum.resume goes on"
        )
    return trainer.generator()


def _warn(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=2)


@contextmanager
def _alone() -> Iterator[None]:
    """Let one training at a time into this process, and restore PyTorch's number of threads afterwards.

    That number is one for the whole process, and bits depend on it: of two trainings each would set it for both.

    Raises:
        InputError: another one is inside, or there are other processes, each of which would train by itself.
    """
    if is_one_of_several():
        raise InputError(
            "zerosum.train and resume run in one process, and torchrun started several: use torchrun -m zerosum "
            "train, or resume"
        )
    if not _training.acquire(blocking=False):
        raise InputError(
            "another training runs in this process, and the results of both would depend on each other: train one "
            "after the other, or each in a process of its own"
        )
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _training.release()
