"""How long to train: iterations, or minutes that become iterations; and what it means to train a run longer."""

import itertools
import math
import operator
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, SupportsIndex

from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass

from zerosum import records
from zerosum.errors import InputError
from zerosum.game.optimizers import OptimizerConfig
from zerosum.records import ScoreRecord
from zerosum.run_folder import RunFolder

MOST_MINUTES = 1e6
TRAINING_SHARE = 0.85  # of the minutes: what scores usually leave of them
Lengths = Sequence[tuple[int, int]]


def _to_int(value: object) -> object:
    """Convert whole numbers of other types, as NumPy's, to int; leave anything else, and a bool, as it is."""
    return value if isinstance(value, bool) or not isinstance(value, SupportsIndex) else operator.index(value)


Whole = Annotated[int, BeforeValidator(_to_int), Field(strict=True)]


@dataclass(frozen=True)
class Length:
    """Iterations in all, or minutes from now on; neither leaves it to the recipe, or to the run."""

    steps: Annotated[Whole, Field(ge=1)] | None = None
    minutes: Annotated[float, Field(gt=0, le=MOST_MINUTES, allow_inf_nan=False)] | None = None

    def __post_init__(self) -> None:
        """Refuse two lengths."""
        if self.steps is not None and self.minutes is not None:
            raise InputError("steps and minutes both say how long to train: give one of them")

    @property
    def training_seconds(self) -> float:
        """What the scores leave of the minutes, as far as that is known beforehand; infinite without minutes."""
        return math.inf if self.minutes is None else TRAINING_SHARE * 60 * self.minutes

    @property
    def given(self) -> bool:
        """Whether it says anything."""
        return self.steps is not None or self.minutes is not None


def prolong(lengths: Lengths, step: int, steps: int) -> list[tuple[int, int]]:
    """Add to `lengths` that the run has `steps` iterations from `step` on; what they said of later ones is dropped."""
    return [*(each for each in lengths if each[0] < step), (step, steps)]


def explain_prolonged(configs: Mapping[str, OptimizerConfig], step: int, before: int, after: int) -> str:
    """Say what it means that at `step` a run of `before` iterations gets `after`; `configs` by the players' names."""
    rates = {
        name: [config.rate(min(step, total), total) for total in (before, after)] for name, config in configs.items()
    }
    moved = [
        f"; the {name}'s rate is {now:.3g} here, not {then:.3g}" for name, (then, now) in rates.items() if now != then
    ]
    return (
        f"{after:,} iterations in all instead of {before:,}, {after - step:,} from here on; what follows the share of "
        f"them that is done (rates, noise, penalties) follows the new one, {step:,} of {after:,} instead of {step:,} "
        f"of {before:,}" + "".join(moved)
    )


def stretches(lengths: Lengths, step: int) -> Iterator[tuple[int, int, int]]:
    """Yield what there is to play from `step` on: from where, to where, and of how many iterations it is a part.

    `lengths` has a pair (step, iterations in all) for each time that the number of iterations was set, the first at 0.
    """
    end = lengths[-1][1]
    for (begin, total), (stop, _) in itertools.pairwise([*lengths, (end, end)]):
        if step < stop:
            yield max(begin, step), stop, total


def is_due(lengths: Lengths, step: int, parts: int) -> bool:
    """Whether one of `parts` equal parts of the run ends at iteration `step`.

    A part's length follows that of the run. An end that moves ahead of the training is not met again: less than half
    a part after another, none counts. It depends on `lengths` alone, so that a resumed run does what it did.
    """
    now = next(steps for begin, steps in reversed(lengths) if begin < step)
    if step % math.ceil(now / parts):
        return False
    latest = 0
    for begin, stop, steps in stretches(lengths, 0):
        part = math.ceil(steps / parts)
        for end in range(part * (begin // part + 1), min(step, stop) + 1, part):
            if 2 * (end - latest) >= part:
                latest = end
    return latest == step


def is_finished(folder: RunFolder) -> bool:
    """Whether the run has all its iterations, its last scores, its generator and its report.

    Raises:
        InputError: the run is damaged.
    """
    steps = folder.describe()["steps"]
    there = folder.generator.exists() and folder.report.exists()
    return there and any(record.step == steps for record in records.read(folder, ScoreRecord))


def check_length(folder: RunFolder, length: Length) -> None:
    """Refuse to go on with a finished run to no new end, or to an end that it has passed, before anything is read.

    Raises:
        InputError: it says what to ask for.
    """
    steps, typed = folder.describe()["steps"], shlex.quote(str(folder.path))
    finished = is_finished(folder)
    if length.steps is not None and (length.steps < steps or (finished and length.steps == steps)):
        raise InputError(
            f"--steps {length.steps} counts from the run's beginning, and {folder.path} has {steps:,} iterations: for "
            f"{length.steps:,} more, --steps {steps + length.steps}"
        )
    if finished and not length.given:
        raise InputError(
            f"{folder.path} is finished after {steps:,} iterations: to train longer, 'zerosum resume {typed} --steps "
            f"{2 * steps}' (iterations in all) or --minutes M (from now on); to see it, 'zerosum sample {typed}'"
        )
