"""The lines of `metrics.jsonl` and `equilibrium.jsonl` as types, and the only code that writes and reads them.

Each line is one JSON object: its `kind` (`iteration`, `score` or `finding`; `gap`), the `schema`'s number, and the
fields of the record.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import TypeAdapter, ValidationError

from zerosum.atomic import naming
from zerosum.errors import InputError
from zerosum.metrics import Score
from zerosum.metrics.statistics import ConfidenceInterval
from zerosum.run_folder import RunFolder

SCHEMA = 2  # 1 was that of version 0.1.0


@dataclass(frozen=True, kw_only=True)
class IterationRecord:
    """What the iterations since the record before measured.

    Attributes:
        step: iterations done.
        seconds: of training so far.
        discriminator_loss: mean over the iterations, without the penalty.
        penalty: mean of what was added to it.
        generator_loss: mean over the iterations.
        d_real: mean of D(x) = sigmoid(logit) over the real samples.
        d_fake: mean of D(G(z)) over the fakes.
        real_as_real: how many real samples D took for real (logit above 0).
        real_as_fake: how many it took for fakes.
        fake_as_real: how many fakes it took for real.
        fake_as_fake: how many it took for fakes.
        pair_accuracy: share of pairs of a real sample and a fake in which the real one has the larger logit, ties
            counted half; it means the same in every game.
    """

    kind: ClassVar[str] = "iteration"
    step: int
    seconds: float
    discriminator_loss: float
    penalty: float
    generator_loss: float
    d_real: float
    d_fake: float
    real_as_real: int
    real_as_fake: int
    fake_as_real: int
    fake_as_fake: int
    pair_accuracy: float


@dataclass(frozen=True)
class ScoreRecord:
    """A score of the averaged generator after `step` iterations."""

    kind: ClassVar[str] = "score"
    step: int
    score: Score


@dataclass(frozen=True, kw_only=True)
class FindingRecord:
    """The moment when a fault was first seen in the training, or when it had gone.

    Attributes:
        step: iterations done.
        finding: the name of the diagnostic that found it.
        severity: of the finding.
        began: whether it is there from now on, or no longer.
        sentence: what it is, in plain words.
    """

    kind: ClassVar[str] = "finding"
    step: int
    finding: str
    severity: str
    began: bool
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Search:
    """How a duality gap was searched for; only gaps of equal searches can be compared.

    Attributes:
        updates: of each copy of a player.
        rate: their learning rate.
        perturbation: the deviation of the noise on their parameters at the start.
        seed: of the search.
        samples: how many real samples it was measured on.
    """

    updates: int
    rate: float
    perturbation: float
    seed: int
    samples: int


@dataclass(frozen=True, kw_only=True)
class GapRecord:
    """The duality gap of the players after `step` iterations, with the interval of its measurement.

    It lies in a file of its own: whoever goes on from a checkpoint cuts the metrics back to its length.
    """

    kind: ClassVar[str] = "gap"
    step: int
    gap: ConfidenceInterval
    search: Search


Record = IterationRecord | ScoreRecord | FindingRecord
R = TypeVar("R", IterationRecord, ScoreRecord, FindingRecord, GapRecord)


def append(folder: RunFolder, record: Record | GapRecord) -> None:
    """Add a record to the run's metrics, or to its duality gaps."""
    place = _place(folder, type(record))
    with naming(place), place.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"kind": record.kind, "schema": SCHEMA, **_fields(record)}) + "\n")


def read(folder: RunFolder, kind: type[R]) -> list[R]:
    """Read the records of one kind, in order; leave out a last line that a crash cut short.

    Raises:
        InputError: a line is damaged, or of another schema.
    """
    place = _place(folder, kind)
    if not place.exists():
        return []
    found = []
    for number, text in enumerate(place.read_bytes().splitlines(keepends=True), start=1):
        if not text.endswith(b"\n"):
            break
        try:
            line = json.loads(text)
            if line["kind"] == kind.kind:
                found.append(_parse(kind, line))
        except (ValueError, TypeError, KeyError, RecursionError, ValidationError):
            raise InputError(f"{place} is damaged in line {number}") from None
    return found


def scores_at(scores: Iterable[ScoreRecord], step: int) -> dict[str, Score]:
    """Return the scores of that step by metric; of two by one metric, the one that was measured last."""
    return {each.score.metric: each.score for each in scores if each.step == step}


def _place(folder: RunFolder, kind: type[Record | GapRecord]) -> Path:
    return folder.gaps if issubclass(kind, GapRecord) else folder.metrics


def _fields(record: Record | GapRecord) -> dict[str, Any]:
    """Flatten a score's fields beside the step."""
    return {"step": record.step, **record.score.as_json()} if isinstance(record, ScoreRecord) else asdict(record)


def _parse(kind: type[R], line: dict[str, Any]) -> R:
    fields = {name: value for name, value in line.items() if name not in ("kind", "schema")}
    if line["schema"] != SCHEMA:
        raise ValueError(f"schema {line['schema']}")
    if kind is ScoreRecord:
        fields = {"step": fields.pop("step"), "score": Score.from_json(fields)}
    return TypeAdapter(kind).validate_python(fields)
