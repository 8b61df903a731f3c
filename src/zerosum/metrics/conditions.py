"""Conditions on scores, as `frechet-distance>12`: what a build should fail on."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from zerosum import catalog, names
from zerosum.errors import InputError
from zerosum.metrics import Metric, Score

SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Condition:
    """A figure and a bound; it holds if the figure's value lies on the named side of the bound.

    Attributes:
        figure: the name of the figure; that of a Fréchet or kernel distance stands for the FID or KID too.
        sign: one of < <= > >=.
        bound: the number.
    """

    figure: str
    sign: str
    bound: float

    @classmethod
    def parse(cls, text: str, metrics: Sequence[str] = (), *, by_class: bool = False) -> Self:
        """Read a condition; `metrics` are those that are asked for, if not all; `by_class`: whether means over classes.

        Raises:
            InputError: it is none, or about a figure that will not be measured.
        """
        return cls(*names.check_condition(text, metrics, by_class=by_class))

    def __str__(self) -> str:
        return f"{self.figure} {self.sign} {self.bound:g}"

    def holds(self, score: Score) -> bool:
        """Return whether the value of `score`, of this figure, lies on the named side."""
        return SIGNS[self.sign](score.value, self.bound)

    def concerns(self, score: Score) -> bool:
        """Return whether `score` is of this figure."""
        return score.metric in (self.figure, _aliases().get(self.figure))

    def find(self, scores: Iterable[Score], name: str) -> Score:
        """Return the score of this figure among the `scores` of what is called `name`.

        Raises:
            InputError: there is none.
        """
        known = list(scores)
        for score in known:
            if self.concerns(score):
                return score
        measured = ", ".join(score.metric for score in known)
        raise InputError(f"--fail-if: {self.figure} was not measured of {name}, but {measured}")


def list_failures(conditions: Iterable[Condition], scores: Mapping[str, Sequence[Score]]) -> list[str]:
    """Say in words which conditions hold, of which of the things that were scored.

    Raises:
        InputError: the figure of a condition was not measured.
    """
    failures = []
    for condition in conditions:
        for name, known in scores.items():
            score = condition.find(known, name)
            if condition.holds(score):
                failures.append(describe_failure(condition, score, name))
    return failures


def describe_failure(condition: Condition, score: Score, name: str) -> str:
    """Say that the condition holds, and whether chance may have decided it."""
    doubt = ""
    if score.low <= condition.bound <= score.high:
        doubt = "; the bound lies in the interval, so another draw of samples may pass"
    interval = f"95% interval {score.low:.5g} to {score.high:.5g}{doubt}"
    return f"{name}: {score.metric} is {score.value:.5g} ({interval}), and {condition} fails"


def _aliases() -> dict[str, str]:
    """Return the names in Inception's features of figures, and of means over classes, that have others elsewhere."""
    known = {name: alias for cls in catalog.choices(Metric).values() for name, alias in cls.figures.items() if alias}
    return known | {names.INTRA + name: names.INTRA + alias for name, alias in known.items()}
