"""Training from beginning to end: the data and the recipe for them, the run, its report.

`train` and `resume` are the commands of these names without their words, for programs.
"""

import operator
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, SupportsIndex

import torch
from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass as checked_dataclass

from zerosum import catalog, recipes
from zerosum.data import Progress, Source, open_source
from zerosum.data.preparation import Preparation
from zerosum.engine import Engine
from zerosum.errors import InputError
from zerosum.gan import GAN
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
from zerosum.playing import steps_in
from zerosum.recipes import Recipe
from zerosum.recipes.auto import choose
from zerosum.record import Line
from zerosum.run import Run
from zerosum.stopping import Stopping

RUNS = Path("runs")
LARGEST_ON_GPUS, MOST_MINUTES = 256, 1e6


def prepared(
    data: str,
    recipe: str | Path | Recipe,
    changes: Sequence[str] = (),
    device: str = "auto",
    progress: Progress | None = None,
) -> tuple[Source, Recipe]:
    """The data, and the recipe for them with the `changes`, those of `data` in force before the data are read.

    Args:
        data: what `zerosum train` takes as DATA.
        recipe: a Recipe, the name of one, a JSON file, a run's folder, or `auto`, which looks at the data.
        changes: of the recipe, each as `field=value`.
        device: for which larger images may be chosen.
        progress: is told how far files are read.

    Raises:
        InputError: no such recipe or field, or the data cannot be used.
    """
    changes = [change.strip() for change in changes]
    given = recipes.find(recipe) if isinstance(recipe, str | Path) and recipe != "auto" else recipe
    draft = given if isinstance(given, Recipe) else Recipe("auto")
    for assignment in changes:
        if assignment.partition("=")[0].rstrip() == "data":
            raise InputError("--set data: set its fields one at a time, e.g. --set data.flip=true")
        if assignment.startswith("data."):
            draft = recipes.change(draft, assignment)
    preparation = draft.data
    if preparation.size is None and Engine.choose(device).device.type == "cuda":
        preparation = replace(preparation, largest=max(preparation.largest, LARGEST_ON_GPUS))
    source = open_source(data, preparation, progress)
    _check(changes, source)
    if source.files is None:  # then the rest says nothing, and the run must not say that it was done
        preparation = Preparation(flip=preparation.flip and source.is_images)
    else:  # a resumed run must not choose again
        preparation = replace(preparation, size=(source.shape[1], source.shape[2]))
    chosen = replace(given if isinstance(given, Recipe) else choose(source), data=preparation)
    for assignment in changes:
        if not assignment.startswith("data."):
            chosen = recipes.change(chosen, assignment)
    return source, chosen


def _check(changes: Sequence[str], source: Source) -> None:
    """Refuse changes of `data` that these data cannot heed."""
    for assignment in changes:
        if assignment.startswith("data.flip") and not source.is_images:
            raise InputError(f"{assignment} is about images, and {source.name} has points")
        if assignment.startswith("data.") and not assignment.startswith("data.flip") and source.files is None:
            raise InputError(f"{assignment} is about image files, and {source.name} has none")


def _whole(value: object) -> object:
    """An int of what is one, as those of NumPy are; anything else, and a bool, as it is."""
    return value if isinstance(value, bool) or not isinstance(value, SupportsIndex) else operator.index(value)


Whole = Annotated[int, BeforeValidator(_whole), Field(strict=True)]


@checked_dataclass(frozen=True)
class Plan:
    """How a run is to be trained, whatever is trained.

    Attributes:
        steps: iterations; else as long as the recipe says.
        minutes: train about this long instead.
        seed: everything random is a function of it, of the step and of what it is for.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        out: the run's folder, which must not hold anything; else a free one in `runs/` of the data's name.
    """

    steps: Annotated[Whole, Field(ge=1)] | None = None
    minutes: Annotated[float, Field(gt=0, le=MOST_MINUTES)] | None = None
    seed: Annotated[Whole, Field(ge=0)] = 0
    device: str = "auto"
    out: Path | None = None

    def begin(self, data: str, source: Source, recipe: Recipe) -> Run:
        """The run, before its first step.

        Raises:
            InputError: the recipe cannot serve the data, or the folder or the device cannot be used.
        """
        engine = Engine.choose(self.device, recipe.precision)
        steps = self.steps or recipe.steps
        if self.minutes is not None:
            steps = steps_in(self.minutes, recipe, source, engine)
        folder = (self.out or RUNS / source.name).expanduser()
        return Run.create(folder, recipe, source, data, engine, self.seed, steps, numbered=self.out is None)


def train(
    data: str | Path,
    recipe: str | Path | Recipe = "auto",
    *,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    device: str = "auto",
    out: str | Path | None = None,
    observe: Callable[[Line], None] = lambda line: None,
) -> GAN:
    """Train on `data` and return the averaged generator; the run's folder holds all that `zerosum train` writes.

    Interrupting it (Ctrl-C, or a notebook's stop) saves the state after the iteration and then raises
    KeyboardInterrupt; `resume` goes on from there, and `load` has the generator as it was.

    Args:
        data: the name of built-in data or a path, as `zerosum train` takes it.
        recipe: a name, a JSON file, a run's folder, `auto`, which looks at the data, or a Recipe, e.g.
            `replace(zerosum.recipe("dcgan"), game=MyGame())`. Parts may be classes of your own (frozen pydantic
            dataclasses); a later program has to import them before it resumes the run or loads the generator.
        steps: iterations; else the recipe's.
        minutes: train about this long instead.
        seed: everything random is a function of it, of the step and of what it is for.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        out: the run's folder, which must not hold anything; else a free one in `runs/` of the data's name.
        observe: is called with each line that goes into `metrics.jsonl`.

    Raises:
        InputError: something that was asked for does not exist, does not fit, or is taken; nothing was written.
        RunFailed: losses or weights are no longer finite.
    """
    if not isinstance(data, str | Path) or not isinstance(recipe, str | Path | Recipe):
        raise InputError("data are a name or a path, and a recipe is a name, a file or a Recipe")
    if steps is not None and minutes is not None:
        raise InputError("steps and minutes both say how long to train: give one of them")
    plan = catalog.build(Plan, {"steps": steps, "minutes": minutes, "seed": seed, "device": device, "out": out})
    with _threads_kept():
        source, chosen = prepared(str(data), recipe, device=device)
        return _finished(plan.begin(str(data), source, chosen), observe)


def resume(
    run: str | Path,
    *,
    allow_changed_data: bool = False,
    device: str | None = None,
    observe: Callable[[Line], None] = lambda line: None,
) -> GAN:
    """Go on with the run in that folder to its end, as `zerosum resume` does, and return the averaged generator.

    Classes of your own that it is played with have to be imported before. Data that changed since are refused unless
    that is allowed. On another `device` than the run's bits may differ. `observe` is called with each line that goes
    into `metrics.jsonl`.

    Raises:
        InputError: it is no run, another process is in it, it has no checkpoint, or its data changed.
        RunFailed: losses or weights are no longer finite.
    """
    if not isinstance(run, str | Path):
        raise InputError(f"a run is the path of its folder, not {run!r}")
    path = Path(run).expanduser()
    with _threads_kept():
        return _finished(Run.resume(path, allow_changed_data=allow_changed_data, device=device), observe)


@contextmanager
def _threads_kept() -> Iterator[None]:
    """Whatever number of threads a run asks for inside, afterwards it is the one from before."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _finished(run: Run, observe: Callable[[Line], None]) -> GAN:
    """The generator of `run`, once it is trained and its report written."""
    from zerosum import report  # with Matplotlib: half a second that no training has to wait for

    with closing(run.folder), Stopping(signal.SIGINT) as stopping:
        evaluation = Evaluation.of(run.source, Request(device=run.engine.device))
        finished = run.train(evaluation, observe, stopping.asked)
        report.write(run.folder)
    if not finished:
        raise KeyboardInterrupt(f"stopped after {run.step:,} of {run.steps:,} iterations; zerosum.resume goes on")
    return run.gan()
