"""Compare groups of runs, each of one recipe, over their seeds: all figures of `zerosum compare`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.comparison.differences import LEVEL, Difference, holm, welch
from zerosum.comparison.recipes import differ
from zerosum.comparison.runs import Run, find_diverged, find_runs, select
from zerosum.errors import InputError, did_you_mean
from zerosum.metrics import Score
from zerosum.metrics.statistics import ConfidenceInterval

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FRECHET = ("frechet-distance", "fid")


@dataclass(frozen=True, eq=False)
class Group:
    """Runs of one recipe that differ in their seed.

    Attributes:
        letter: its name.
        runs: at least one, in the order of their seeds.
        diverged: runs of the recipe that are not among them, as their numbers ceased to be finite.
        differences: what its recipe has other than that of the first group, each as `field: value vs value`.
    """

    letter: str
    runs: list[Run]
    diverged: list[Path]
    differences: list[str]

    @property
    def places(self) -> list[Path]:
        """Where its runs lie: the folders of seeds, and the runs that are in none."""
        return list(dict.fromkeys(run.series or run.path for run in self.runs))

    @property
    def seeds(self) -> list[int]:
        """The seeds of its runs."""
        return [run.seed for run in self.runs]

    @property
    def seconds(self) -> float:
        """Of training, the mean of its runs."""
        return float(np.mean([run.seconds for run in self.runs]))

    def values(self, metric: str) -> list[float]:
        """Return what each run scored at its end."""
        return [run.final[metric].value for run in self.runs]

    def interval(self, metric: str) -> ConfidenceInterval:
        """Return the mean with its 95% interval over seeds; of one run, its score with that of the finite samples."""
        values = self.values(metric)
        if len(values) == 1:
            score = self.runs[0].final[metric]
            return ConfidenceInterval(score.value, score.low, score.high)
        deviation = float(np.std(values, ddof=1))
        return ConfidenceInterval.by_student(float(np.mean(values)), deviation, len(values) - 1, len(values))


@dataclass(frozen=True)
class Contrast:
    """A group beside the first one, in one metric.

    Attributes:
        metric: its name.
        letter: the group's.
        difference: of the group's mean to that of the first group; None if one of them has one run only.
        corrected: p, corrected for the number of contrasts; None without a difference.
    """

    metric: str
    letter: str
    difference: Difference | None
    corrected: float | None

    @property
    def is_clear(self) -> bool:
        """Whether the difference is more than chance, at 5% and after the correction."""
        return self.corrected is not None and self.corrected < LEVEL

    @property
    def is_clear_alone(self) -> bool:
        """Whether it would be, if it were the only one that was looked at."""
        return self.difference is not None and self.difference.p < LEVEL


@dataclass(frozen=True, eq=False)
class Comparison:
    """Groups of runs, compared.

    Attributes:
        groups: the first is what the others are compared with.
        metrics: those that all runs have at their end, the Fréchet distance first.
        contrasts: of each metric and each group but the first.
        left_out: runs that cannot be compared, a line on each.
        unshared: metrics that some runs lack.
        notes: what else is to be known of some runs, a line each.
    """

    groups: list[Group]
    metrics: list[str]
    contrasts: list[Contrast]
    left_out: list[str]
    unshared: list[str]
    notes: list[str]

    @property
    def first(self) -> Group:
        """What the others are compared with."""
        return self.groups[0]

    @property
    def runs(self) -> list[Run]:
        """All runs."""
        return [run for group in self.groups for run in group.runs]

    @property
    def tests(self) -> int:
        """How many p values there are."""
        return sum(each.difference is not None for each in self.contrasts)

    def score(self, metric: str) -> Score:
        """Return one of the scores, for its protocol, and for what real samples score."""
        return self.first.runs[0].final[metric]

    def contrast(self, metric: str, group: Group) -> Contrast:
        """Return how the group compares with the first one."""
        return next(each for each in self.contrasts if (each.metric, each.letter) == (metric, group.letter))


def compare(places: Sequence[Path], metrics: Sequence[str] = ()) -> Comparison:
    """Compare the runs at `places`, folders of runs or of seeds.

    Args:
        places: the first finished run says which data, which length and which protocol the others must have.
        metrics: compare these only; all if there are none.

    Raises:
        InputError: a place is no run, none is finished, or a metric is not there.
    """
    found, left_out = find_runs(places)
    runs, refused = select(found)
    diverged = find_diverged(found)
    groups = _group(runs, [run for run in found if run.path in diverged and run not in runs])
    if len(groups) > len(LETTERS):
        raise InputError(f"these are runs of {len(groups)} recipes: at most {len(LETTERS)} are compared")
    shared, unshared = _share_metrics(runs)
    for metric in metrics:
        if metric not in shared:
            raise InputError(f"there is no score {metric!r} in all runs: {did_you_mean(metric, shared)}")
    shared = [metric for metric in shared if not metrics or metric in metrics]
    return Comparison(
        groups, shared, _contrast(groups, shared), [*refused, *left_out], unshared, [*_note(runs), *_time(groups)]
    )


def _group(runs: Sequence[Run], diverged: Sequence[Run]) -> list[Group]:
    """Group the runs by their recipes, in the order in which these come."""
    by_recipe = list[tuple[dict[str, Any], list[Run]]]()
    for run in runs:
        for key, members in by_recipe:
            if key == run.key:
                members.append(run)
                break
        else:
            by_recipe.append((run.key, [run]))
    return [
        Group(
            letter=LETTERS[number % len(LETTERS)],
            runs=sorted(members, key=lambda run: run.seed),
            diverged=[run.path for run in diverged if run.key == key],
            differences=list(differ(by_recipe[0][0], key)),
        )
        for number, (key, members) in enumerate(by_recipe)
    ]


def _share_metrics(runs: Sequence[Run]) -> tuple[list[str], list[str]]:
    """Return the metrics that all runs have, the Fréchet distance first, and those that some lack."""
    every = list(dict.fromkeys(metric for run in runs for metric in run.final))
    shared = [metric for metric in every if all(metric in run.final for run in runs)]
    return sorted(shared, key=lambda metric: metric not in FRECHET), [each for each in every if each not in shared]


def _contrast(groups: Sequence[Group], metrics: Sequence[str]) -> list[Contrast]:
    first, *others = groups
    found = [(metric, group.letter, _subtract(first, group, metric)) for metric in metrics for group in others]
    corrected = iter(holm([difference.p for _, _, difference in found if difference is not None]))
    return [Contrast(*each, None if each[2] is None else next(corrected)) for each in found]


def _subtract(first: Group, group: Group, metric: str) -> Difference | None:
    if min(len(first.runs), len(group.runs)) < 2:
        return None
    return welch(first.values(metric), group.values(metric))


def _note(runs: Sequence[Run]) -> list[str]:
    """Say what some runs went through that others did not."""
    precisions = {run.about["precision"] for run in runs}
    chosen = {run.about["recipe"]["precision"] for run in runs}
    notes = [
        f"{run.path} went back once and on with half the learning rates, from step {run.about['halved_from']:,}"
        for run in runs
        if run.about.get("halved_from") is not None
    ]
    if len(precisions) > 1 and chosen == {"auto"}:
        notes.append(
            f"some runs compute in {' and some in '.join(sorted(precisions))}, as each measured what is faster"
        )
    return notes


def _time(groups: Sequence[Group]) -> list[str]:
    """Say whether the groups had equal numbers of iterations, or equal time."""
    runs = [run for group in groups for run in group.runs]
    steps = sorted({run.steps for run in runs})
    each = ", ".join(f"{group.letter} {group.seconds:,.0f} s" for group in groups)
    if len(steps) == 1 and len(groups) == 1:
        return []
    if len(steps) == 1:
        return [f"Compared at equal iterations ({steps[0]:,}), not at equal time: a run took {each}."]
    counts = ", ".join(f"{group.letter} {np.mean([run.steps for run in group.runs]):,.0f}" for group in groups)
    return [
        f"Compared at equal time ({runs[0].minutes:g} minutes a run), not at equal iterations: {counts} on average."
    ]
