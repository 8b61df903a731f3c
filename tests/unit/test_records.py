"""Records of the metrics: what is written reads back equal, and what is damaged or of another schema is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from zerosum import records
from zerosum.errors import InputError
from zerosum.game.algorithm import Iteration
from zerosum.metrics import Score
from zerosum.records import IterationRecord, ScoreRecord
from zerosum.run.window import LogWindow
from zerosum.run_folder import RunFolder

SCORE = Score(
    "frechet-distance",
    1.0,
    0.5,
    1.5,
    "lower",
    real=None,
    warning="few",
    features="coordinates",
    resizer="none",
    samples=5_000,
    reference="test split of ring",
    reference_samples=300,
    seed=0,
    comparable="Compare with the same points.",
)


def summary(step: int = 3) -> IterationRecord:
    """A window of two iterations whose summary is known."""
    real, fake = torch.tensor([1.0, -1.0, 2.0, 0.5]), torch.tensor([-1.0, -1.0, 3.0, 0.5])
    losses = [torch.tensor(value) for value in (1.0, 0.25, 2.0)]
    window = LogWindow([Iteration(number, *losses, real, fake) for number in range(2)])
    found = window.summarize(step, 1.23456)
    assert window.iterations == []
    return found


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def test_a_window_is_summarized_as_means_and_counts() -> None:
    record = summary()
    assert (record.step, record.seconds) == (3, 1.235)
    assert (record.discriminator_loss, record.penalty, record.generator_loss) == (1.0, 0.25, 2.0)
    assert (record.real_as_real, record.real_as_fake, record.fake_as_real, record.fake_as_fake) == (6, 2, 4, 4)
    assert record.pair_accuracy == pytest.approx((1 + 0.5 + 0 + 0.5) / 4)
    assert record.d_real == pytest.approx(float(torch.tensor([1.0, -1.0, 2.0, 0.5]).sigmoid().mean()))


def test_records_read_back_equal_by_their_kind_and_in_order(folder: RunFolder) -> None:
    scores = [ScoreRecord(step, replace(SCORE, value=float(step))) for step in (1, 2)]
    for record in (summary(1), scores[0], summary(2), scores[1]):
        records.append(folder, record)
    assert records.read(folder, ScoreRecord) == scores
    assert records.read(folder, IterationRecord) == [summary(1), summary(2)]
    assert all(json.loads(line)["schema"] == records.SCHEMA for line in folder.metrics.read_text().splitlines())


def test_a_line_that_a_crash_cut_short_is_left_out(folder: RunFolder) -> None:
    records.append(folder, summary(1))
    with folder.metrics.open("a") as file:
        file.write('{"kind": "iteration", "sch')
    assert records.read(folder, IterationRecord) == [summary(1)]


@pytest.mark.parametrize(
    "line",
    [
        "nothing",
        "[]",
        '{"step": 1}',
        '{"kind": "score", "step": 1, "metric": "x"}',  # version 0.1.0 wrote no schema
        json.dumps({"kind": "score", "schema": records.SCHEMA + 1, "step": 1, **SCORE.as_json()}),
        json.dumps({"kind": "score", "schema": records.SCHEMA, "step": "one", **SCORE.as_json()}),
        json.dumps({"kind": "score", "schema": records.SCHEMA, "step": 1, **SCORE.as_json(), "value": "low"}),
        json.dumps({"kind": "score", "schema": records.SCHEMA, "step": 1, **SCORE.as_json(), "more": 1}),
    ],
)
def test_a_damaged_line_is_named(folder: RunFolder, line: str) -> None:
    records.append(folder, ScoreRecord(1, SCORE))
    with folder.metrics.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match="is damaged in line 2"):
        records.read(folder, ScoreRecord)


def test_no_metrics_are_no_records(folder: RunFolder) -> None:
    assert records.read(folder, ScoreRecord) == []
