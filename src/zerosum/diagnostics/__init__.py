"""Diagnostics: what goes wrong in a training, how one sees it, and what to do. One finding, one file.

A diagnostic measures something in the evidence (evidence.py): curves, scores, samples, and what was measured on the
players (examination.py). It judges that to be a finding, or well; where the evidence does not suffice it says what
would. Each threshold has an origin: a paper, or our own count on runs with planted faults and on healthy ones
(benchmarks/doctor/).
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field, TypeAdapter, ValidationError
from torch import Tensor

from zerosum import catalog
from zerosum.catalog import Component
from zerosum.diagnostics.evidence import Evidence, Unsaid
from zerosum.metrics.statistics import ConfidenceInterval

Severity = Literal["failure", "warning", "note"]
ORDER: tuple[Severity, ...] = ("failure", "warning", "note")
TOLD = 2  # findings, in a verdict
SHOWN = 16  # images in a row
CALIBRATED = "counted on planted faults and healthy runs"


@pydantic.dataclasses.dataclass(frozen=True)
class Measure:
    """A number that tells whether a fault is there, beside the bound that healthy runs keep.

    Attributes:
        what: was measured, in words.
        value: the number; `low` and `high`, the ends of its 95% interval where there is one.
        bound: of healthy values; None where the number only illustrates another one.
        side: on which side of the bound healthy values lie.
        origin: of the bound: a paper, or `CALIBRATED`.
    """

    what: str
    value: float
    bound: float | None = None
    side: Literal["below", "above"] = "below"
    low: float | None = None
    high: float | None = None
    origin: str = CALIBRATED

    @classmethod
    def below(cls, what: str, value: float | ConfidenceInterval, bound: float, origin: str = CALIBRATED) -> "Measure":
        """Make a measure that is healthy below `bound`."""
        return replace(cls._of(what, value, bound, "below"), origin=origin)

    @classmethod
    def above(cls, what: str, value: float | ConfidenceInterval, bound: float) -> "Measure":
        """Make a measure that is healthy above `bound`."""
        return cls._of(what, value, bound, "above")

    @classmethod
    def _of(
        cls, what: str, value: float | ConfidenceInterval, bound: float, side: Literal["below", "above"]
    ) -> "Measure":
        if isinstance(value, ConfidenceInterval):
            return cls(what, value.value, bound, side, value.low, value.high)
        return cls(what, value, bound, side)

    @property
    def beyond(self) -> bool:
        """Whether the value, with all of its interval, is on the other side of the bound."""
        if self.bound is None:
            return False
        if self.side == "below":
            return (self.value if self.low is None else self.low) >= self.bound
        return (self.value if self.high is None else self.high) <= self.bound

    def describe(self) -> str:
        """Return it in a line."""
        ends = "" if self.low is None or self.high is None else f" ({_format(self.low)} to {_format(self.high)})"
        origin = "" if self.origin == CALIBRATED else f" ({self.origin})"
        healthy = "" if self.bound is None else f"; healthy: {self.side} {self.bound:.4g}{origin}"
        healthy += " - beyond it" if self.beyond else ""
        return f"{self.what}: {_format(self.value)}{ends}{healthy}"


def _format(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


@pydantic.dataclasses.dataclass(frozen=True)
class Finding:
    """What a diagnostic found.

    Attributes:
        name: of the diagnostic.
        severity: `failure` if samples are worthless for it, `warning` if they would be better without, else `note`.
        sentence: what it is, in plain words.
        measures: the numbers that it rests on.
        advice: what to do, in plain words.
        command: that does it; empty if there is none, as for other programs' logs.
        symptom: whether it often comes of another fault, which is then told first.
        citation: where it is described.
    """

    name: str
    severity: Severity
    sentence: str
    measures: tuple[Measure, ...]
    advice: str
    citation: str
    command: str = ""
    symptom: bool = False


@pydantic.dataclasses.dataclass(frozen=True)
class Check:
    """What a diagnostic measured, whether it is well or not.

    Attributes:
        name: of the diagnostic.
        looks_for: what it looks for, in words.
        measures: the numbers.
        of_data: whether it is about the real data alone.
    """

    name: str
    looks_for: str
    measures: tuple[Measure, ...]
    of_data: bool = False


@pydantic.dataclasses.dataclass(frozen=True)
class Unknown:
    """What could not be looked at, and why: a diagnostic's name, and a sentence."""

    name: str
    reason: str


@pydantic.dataclasses.dataclass(frozen=True)
class Diagnosis:
    """All that was found in a run, after `step` of `steps` iterations.

    Attributes:
        findings: the worst first.
        checks: all that was looked at; where nothing was found, that is what is healthy.
        unknown: what could not be looked at.
    """

    step: Annotated[int, Field(ge=0)]
    steps: Annotated[int, Field(ge=0)]
    findings: tuple[Finding, ...] = ()
    checks: tuple[Check, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def serious(self) -> tuple[Finding, ...]:
        """The findings that are more than notes."""
        return tuple(finding for finding in self.findings if finding.severity != "note")

    @property
    def verdict(self) -> str:
        """The diagnosis in a sentence or two: the worst findings, causes before symptoms."""
        if not self.checks:
            return "Nothing could be looked at."
        if not self.serious:
            return f"{self._count_healthy()}{self._list_notes()}{self._count_doubts()}."
        worst = [each.sentence for each in self.serious if each.severity == self.serious[0].severity][:TOLD]
        more = len(self.serious) - len(worst)
        return " ".join(worst) + (f" ({more} more.)" if more else "")

    def _count_healthy(self) -> str:
        """Say how many kinds of fault were not found, and in what."""
        if all(each.of_data for each in self.checks):
            return f"Of the samples nothing could be said. The real data: {len(self.checks)} kinds of fault, none found"
        return f"Healthy, as far as was looked: {len(self.checks)} kinds of fault, none found"

    def _list_notes(self) -> str:
        notes = ", ".join(each.name for each in self.findings)
        return f" that does harm; noted: {notes}" if notes else ""

    def _count_doubts(self) -> str:
        """Say how many numbers are beyond their bounds although no fault was found, which takes others too."""
        found = {each.name for each in self.findings}
        beyond = sum(each.beyond for check in self.checks if check.name not in found for each in check.measures)
        if not beyond:
            return ""
        numbers = f"{beyond} number{'s' if beyond > 1 else ''}"
        return f". Beyond the healthy bound, but no finding: {numbers} (marked in the list)"

    def to_bytes(self) -> bytes:
        """Serialise it to JSON; `read` reads it back equal."""
        return json.dumps(asdict(self), indent=2).encode()

    @classmethod
    def read(cls, path: Path) -> "Diagnosis | None":
        """Read back what `to_bytes` gave from a file; None if there is none, or it is damaged."""
        try:
            return TypeAdapter(Diagnosis).validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None


class Diagnostic(Component, ABC, kind="diagnostic"):
    """Looks for one kind of fault.

    Attributes:
        live: whether it can be looked for while a run trains, many times.
        symptom: whether it often comes of another fault.
        any_suffices: whether one measure beyond its bound suffices, where there are several.
        of_data: whether it is about the real data alone.
        looks_for: what it looks for, in words.
        citation: where the fault is described.
        caption: what the rows of images that show the fault are, from top to bottom; empty if none show it.
    """

    live: ClassVar[bool] = False
    symptom: ClassVar[bool] = False
    any_suffices: ClassVar[bool] = False
    of_data: ClassVar[bool] = False
    looks_for: ClassVar[str]
    citation: ClassVar[str]
    caption: ClassVar[str] = ""

    @abstractmethod
    def measure(self, evidence: Evidence) -> tuple[Measure, ...]:
        """Measure what tells whether the fault is there.

        Raises:
            Unsaid: the evidence does not suffice.
        """

    def is_there(self, evidence: Evidence, *measures: Measure) -> bool:
        """Judge what `measure` gave: the fault is there if all measures that have a bound, or any, are beyond it.

        Raises:
            Unsaid: to judge it, more evidence is needed.
        """
        beyond = [measure.beyond for measure in measures if measure.bound is not None]
        return any(beyond) if self.any_suffices else all(beyond)

    @abstractmethod
    def explain(self, evidence: Evidence, *measures: Measure) -> Finding:
        """Say what the fault is that is there, by which measures, and what to do."""

    def illustrate(self, evidence: Evidence) -> Sequence[Tensor]:
        """Choose images that show the fault that is there: rows of them, uint8 [n, C, H, W] each; none by default."""
        return ()

    def find(
        self, severity: Severity, sentence: str, measures: Sequence[Measure], advice: str, command: str = ""
    ) -> Finding:
        """Make a finding of this diagnostic."""
        name = catalog.name_of(self)
        return Finding(name, severity, sentence, tuple(measures), advice, self.citation, command, self.symptom)


def illustrate(diagnosis: Diagnosis, evidence: Evidence) -> dict[str, list[Tensor]]:
    """Choose images that show what was found in `evidence`: rows of uint8 [n, C, H, W], by the findings' names.

    Of points there are none: the run's pictures show them.
    """
    if evidence.source is None or not evidence.source.is_images:
        return {}
    kinds = catalog.choices(Diagnostic)
    found = {each.name: list(kinds[each.name]().illustrate(evidence)) for each in diagnosis.findings}
    return {name: rows for name, rows in found.items() if rows}


def diagnose(evidence: Evidence, *, live: bool = False) -> Diagnosis:
    """Look for every kind of fault, or if `live` for those that can be looked for many times."""
    findings, checks, unknown = list[Finding](), list[Check](), list[Unknown]()
    for name, kind in catalog.choices(Diagnostic).items():
        if live and not kind.live:
            continue
        diagnostic: Diagnostic = kind()
        try:
            measures = diagnostic.measure(evidence)
            is_there = diagnostic.is_there(evidence, *measures)
        except Unsaid as why:
            unknown.append(Unknown(name, str(why)))
            continue
        checks.append(Check(name, kind.looks_for, measures, kind.of_data))
        if is_there:
            findings.append(diagnostic.explain(evidence, *measures))
    findings.sort(key=lambda finding: (ORDER.index(finding.severity), finding.symptom))
    return Diagnosis(evidence.step, evidence.steps, tuple(findings), tuple(checks), tuple(unknown))
