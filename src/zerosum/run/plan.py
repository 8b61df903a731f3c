"""The plan of a run: which data, which recipe for them, how long, and where."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass

from zerosum import recipes
from zerosum.data import Progress, Source, Split
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source
from zerosum.errors import InputError
from zerosum.game.distributed import ALONE, Team
from zerosum.game.engine import Engine
from zerosum.game.recipe import NoSuchField, Recipe, change
from zerosum.recipes import auto
from zerosum.run.description import describe
from zerosum.run.length import Length, Whole
from zerosum.run.limits import check_limits
from zerosum.run.probe import Trial, probe
from zerosum.run.start import Start
from zerosum.run.trainer import Trainer
from zerosum.run_folder import RunFolder, check_writable

RUNS = Path("runs")
ARRAYS_HEED = ("range", "layout", "shown")
STAND_INS = tuple(  # for data that are not read yet: images and points
    Source("the data", split, split)
    for split in (Split(torch.zeros(2, 3, 64, 64, dtype=torch.uint8)), Split(torch.zeros(2, 2)))
)
LARGEST_ON_GPUS = 256


@dataclass(frozen=True)
class Plan(Length):
    """How long, where and from which seed to train, whatever is trained: the arguments of `zerosum.train`, checked."""

    seed: Annotated[Whole, Field(ge=0)] = 0
    device: str = "auto"
    out: Path | None = None

    def check(self) -> None:
        """Refuse a device or a folder that cannot be used, before any data are read.

        Raises:
            InputError: see there.
        """
        Engine.choose(self.device)
        if self.out is None:  # a free one in there
            check_writable(RUNS)
        else:
            RunFolder(self.out.expanduser()).check()

    def fit(self, recipe: Recipe, source: Source, changes: Sequence[str] = ()) -> Recipe:
        """Narrow the networks of a recipe that nobody chose, where there is no time to train them; see `auto.fit`.

        The time is what scores leave of the minutes, for enough iterations; or half an hour, for those of the recipe,
        if nothing says how long. Where iterations were asked for, or `changes` of the networks, the recipe stays as it
        is.
        """
        if self.steps is not None or any(each.strip().startswith("networks") for each in changes):
            return recipe
        engines = list[Engine]()

        def measure(candidate: Recipe) -> float:
            if not engines:
                engines.append(probe(candidate, source, self.device).engine)
            return Trial(candidate, source, engines[0]).settle().seconds

        if self.minutes is None:
            return auto.fit(recipe, auto.PATIENCE, recipe.steps, measure)
        return auto.fit(recipe, self.training_seconds, auto.enough(recipe), measure)

    def begin(
        self, data: str, source: Source, recipe: Recipe, start: Start | None = None, team: Team = ALONE
    ) -> Trainer:
        """Create the run, before its first step, with drawn weights or those of `start`.

        Minibatches that are whole are cut into as many parts as the `team` has processes.

        Raises:
            InputError: the recipe cannot serve the data, the weights do not fit, or the folder or the device cannot be
                used.
        """
        if recipe.accumulate == 1:
            recipe = replace(recipe, accumulate=team.size)
        if start is not None:
            start.check(recipe, source)
        elif recipe.frozen_layers:
            raise InputError(
                f"frozen_layers={recipe.frozen_layers} keeps layers as they were drawn at random: start from trained "
                "ones, --from RUN, or --set frozen_layers=0"
            )
        steps = self.steps or recipe.steps
        folder = (self.out or RUNS / source.name).expanduser()
        caution = check_limits(recipe, source, Engine.choose(self.device).device, folder)
        lasts = self.training_seconds
        found = probe(recipe, source, self.device, steps=None if self.minutes is not None else steps, lasts=lasts)
        if self.minutes is not None:
            steps = max(1, int(lasts * team.size / found.seconds))
        about = describe(data, source, recipe, found, self.seed, steps, self.minutes)
        trainer = Trainer.create(folder, recipe, source, about, numbered=self.out is None, start=start, team=team)
        trainer.caution = caution
        return trainer


def open_for_recipe(
    data: str,
    recipe: str | Path | Recipe,
    changes: Sequence[str] = (),
    device: str = "auto",
    progress: Progress | None = None,
    start: Start | None = None,
) -> tuple[Source, Recipe]:
    """Open the data and find the recipe for them; changes of `data.` fields are in force before the data are read.

    Args:
        data: what `zerosum train` takes as DATA.
        recipe: a Recipe, the name of one, a JSON file, a run's folder, or `auto`, which looks at the data.
        changes: of the recipe, each as `field=value`.
        device: the one that larger images may be chosen for.
        progress: is told how far files are read.
        start: the weights to begin with; their recipe is taken where `recipe` is `auto`, so that they fit.

    Raises:
        InputError: no such recipe or field, found before the data are read, or the data cannot be used.
    """
    changes = [assignment.strip() for assignment in changes]
    if start is not None and recipe == "auto":
        recipe = start.own_recipe()
    given = recipes.find(recipe) if isinstance(recipe, str | Path) and recipe != "auto" else recipe
    others = [assignment for assignment in changes if not assignment.startswith("data.")]
    preparation = _prepare(given if isinstance(given, Recipe) else Recipe("auto"), changes)
    check_words(given, others)
    if preparation.size is None and Engine.choose(device).device.type == "cuda":
        preparation = replace(preparation, largest=max(preparation.largest, LARGEST_ON_GPUS))
    source = open_source(data, preparation, progress)
    _refuse_idle(changes, source)
    if preparation.shown is not None and source.is_images and max(preparation.shown) >= source.shape[0]:
        shown = ",".join(map(str, preparation.shown))
        raise InputError(f"data.shown={shown}: {source.name} has {source.shape[0]} channels, counted from 0")
    if source.prepared is None:  # the run must not claim what was not heeded
        heeded = {name: getattr(preparation, name) for name in source.heeded} | {"shown": source.shown}
        preparation = Preparation(**heeded, flip=preparation.flip and source.is_images)
    else:  # a resumed run must not choose again
        preparation = replace(source.prepared, flip=preparation.flip, shown=preparation.shown)
    chosen = replace(given if isinstance(given, Recipe) else auto.choose(source), data=preparation)
    return source, reduce(change, others, chosen)


def read_preparation(changes: Sequence[str]) -> Preparation:
    """Return what the `changes` of `data.` fields say, each as `data.field=value`.

    Raises:
        InputError: another field, or a value that does not fit.
    """
    for assignment in changes:
        if not assignment.startswith("data."):
            raise InputError(f"--set {assignment}: only fields of data say how images are prepared, as data.crop=fit")
    return _prepare(Recipe("auto"), [assignment.strip() for assignment in changes])


def _prepare(recipe: Recipe, changes: Sequence[str]) -> Preparation:
    """Return how `recipe` prepares images, with those of the `changes` that are of `data.` fields."""
    for assignment in changes:
        if assignment.partition("=")[0].rstrip() == "data":
            raise InputError("--set data: set its fields one at a time, e.g. --set data.flip=true")
    return reduce(change, [each for each in changes if each.startswith("data.")], recipe).data


def check_words(recipe: str | Path | Recipe, changes: Sequence[str]) -> None:
    """Refuse changes that cannot fit the recipe, whatever the data are; `auto` may choose any of its recipes.

    Raises:
        InputError: there is no such field or name, a value is wrong, or parts do not go together.
    """
    problems = list[InputError]()
    for candidate in [recipe] if isinstance(recipe, Recipe) else auto.CHOICES:
        for data in STAND_INS:
            try:
                reduce(change, changes, candidate).check(data)
            except InputError as error:
                problems.append(error)
            else:
                return
    raise min(problems, key=lambda problem: isinstance(problem, NoSuchField))  # the first that says most


def _refuse_idle(changes: Sequence[str], source: Source) -> None:
    """Refuse changes of `data` that have no effect on these data."""
    for assignment in changes:
        field = assignment.partition("=")[0].strip().removeprefix("data.")
        if not assignment.startswith("data.") or source.files is not None or field in source.heeded:
            continue
        if field in ("flip", *ARRAYS_HEED) and not source.is_images:
            raise InputError(f"{assignment} is about images, and {source.name} has points")
        if field != "flip":
            kind = "arrays of images" if field in ARRAYS_HEED else "image files"
            raise InputError(f"{assignment} is about {kind}, and {source.name} has none")
