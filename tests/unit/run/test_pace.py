"""A run keeps its minutes: by arithmetic, and in a game whose machine becomes slower and faster."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zerosum
from tests.unit.run.small import ENGINE, RECIPE, SOURCE
from tests.unit.run.test_trainer import Counting
from zerosum import records
from zerosum.data.readers import open_source
from zerosum.game.algorithm import Iteration
from zerosum.game.algorithm import play as play_game
from zerosum.metrics import score_named
from zerosum.metrics.features.coordinates import Coordinates
from zerosum.records import ScoreRecord
from zerosum.run import restoring
from zerosum.run.description import describe
from zerosum.run.pace import Pace
from zerosum.run.probe import Probe
from zerosum.run.scoring import Scoring
from zerosum.run.trainer import Trainer
from zerosum.run_folder import RunFolder


def test_what_is_left_of_the_time_is_divided_by_what_an_iteration_takes() -> None:
    pace = Pace(100.0)
    assert pace.plan(10, 20.0, steps=1_000, scores=0.0) == 10 + 40  # two seconds each, 80 are left
    assert pace.plan(20, 30.0, steps=50, scores=0.0) == 20 + 44  # one each of late: 0.4 + 0.6 * 2 = 1.6


def test_scores_are_not_counted_as_iterations_and_time_is_kept_for_those_to_come() -> None:
    pace = Pace(100.0, aside=10.0)
    assert pace.plan(10, 20.0, steps=1_000, scores=10.0) == 10 + 70
    assert pace.plan(20, 30.0, steps=1_000, scores=1e6) == 20 + 40  # at most 30 of the 100 seconds
    for number in (1, 2):
        before = pace.aside
        with pace.score():
            time.sleep(0.01 * number)
        assert 0.01 * number <= pace.scoring == pytest.approx(pace.aside - before)


def test_a_plan_that_hardly_differs_stays() -> None:
    assert Pace(100.0).plan(10, 20.0, steps=50, scores=0.0) == 50
    assert Pace(100.2).plan(10, 20.0, steps=50, scores=0.0) == 50
    assert Pace(104.0).plan(10, 20.0, steps=50, scores=0.0) == 52


@given(
    budget=st.floats(1.0, 1e5),
    spent=st.floats(0.0, 2e5),
    step=st.integers(1, 10**6),
    steps=st.integers(1, 10**7),
    scores=st.floats(0.0, 1e5),
)
def test_there_is_always_another_iteration(budget: float, spent: float, step: int, steps: int, scores: float) -> None:
    """Also when the time is over."""
    assert Pace(budget).plan(step, spent, step + steps, scores) > step


def test_it_is_planned_a_number_of_times() -> None:
    pace = Pace(400.0, step=10, seconds=100.0)
    assert not pace.is_due(10, 200.0)
    assert not pace.is_due(11, 109.9)
    assert pace.is_due(11, 110.0)


def test_scores_are_afforded_while_they_take_little() -> None:
    assert Pace(100.0).can_afford_scores(slow=0)  # nothing is known
    assert Pace(100.0, scoring=2.0).can_afford_scores(slow=0)
    assert not Pace(100.0, scoring=2.01).can_afford_scores(slow=0)
    assert Pace(600.0).can_afford_scores(slow=1_000)
    assert not Pace(599.0).can_afford_scores(slow=1_000)


def test_few_minutes_have_few_images_scored_whose_features_are_slow() -> None:
    assert [Pace(60.0 * minutes).most_scored for minutes in (1, 4, 10, 40, 60)] == [1_000, 1_000, 2_500, 10_000, 10_000]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in seconds: an iteration takes a tenth of one, and three times as long from the fifteenth second on."""
    now = [0.0]

    def play(*arguments: object, **options: object) -> Iterator[Iteration]:
        for iteration in play_game(*arguments, **options):  # type: ignore[arg-type]
            now[0] += 0.1 if now[0] < 15 else 0.3
            yield iteration

    monkeypatch.setattr("zerosum.run.trainer.play", play)

    def read() -> float:
        now[0] += 1e-9  # that scores take no time would mean that none were measured
        return now[0]

    monkeypatch.setattr("zerosum.run.trainer.time.monotonic", read)
    return now


def begin(folder: Path, steps: int) -> Trainer:
    """Begin a run of half a minute."""
    np.save(folder / "noise.npy", SOURCE.train.samples[:, 0].numpy())
    data = str(folder / "noise.npy")
    source = open_source(data)
    about = describe(data, source, RECIPE, Probe(ENGINE, 0.0), seed=0, steps=steps, minutes=0.5)
    trainer = Trainer.create(folder / "r", RECIPE, source, about)
    trainer._began = 0.0
    return trainer


def finish(trainer: Trainer, stop: Callable[[], bool] = lambda: False) -> bytes:
    """Train to the end; return the state there."""
    try:
        assert trainer.train(Scoring(Counting(0.0)), lambda record: None, stop)  # type: ignore[arg-type]
        return (trainer.folder.checkpoints / f"{trainer.steps:06d}.safetensors").read_bytes()
    finally:
        trainer.folder.close()


@pytest.mark.parametrize("planned", [10, 10_000])
@pytest.mark.usefixtures("clock")
def test_a_run_ends_with_its_minutes(planned: int, tmp_path: Path) -> None:
    trainer = begin(tmp_path, planned)
    finish(trainer)
    assert trainer.seconds == pytest.approx(30, rel=0.1)
    assert trainer.steps == trainer.step == pytest.approx(150 + 50, abs=5)
    assert trainer.folder.describe()["lengths"] == [list(each) for each in trainer.lengths]
    assert len(trainer.lengths) > 2


@pytest.mark.usefixtures("clock")
def test_what_was_planned_is_played_again_after_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same bits, whatever the clock says, up to where it was planned last."""
    monkeypatch.setattr("zerosum.run.trainer.CHECKPOINT_SECONDS", 2.0)
    trainer = begin(tmp_path, 10_000)
    crashed = tmp_path / "crashed"

    def copy() -> bool:
        if trainer.step == 60:
            shutil.copytree(tmp_path / "r", crashed)
        return False

    end, planned = finish(trainer, copy), trainer.lengths
    last, _ = planned[-1]
    shutil.copy(tmp_path / "r" / "run.json", crashed)  # it crashed after the last plan, and lost its newest checkpoints
    again = restoring.resume(crashed)
    assert 0 < again.step <= 60 < last

    def plan(pace: Pace, step: int, seconds: float, steps: int, scores: float) -> int:
        assert step >= last
        return steps

    monkeypatch.setattr(Pace, "is_due", lambda *_: True)
    monkeypatch.setattr(Pace, "plan", plan)
    assert finish(again) == end
    assert again.lengths == planned


def test_a_run_of_few_minutes_scores_few_images_whose_features_are_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As told by what it is, and not by the clock; and once, at its end."""
    monkeypatch.setattr(Coordinates, "slow", True)
    zerosum.train("ring", "toy", minutes=0.02, out=tmp_path / "r")
    found = records.read(RunFolder(tmp_path / "r"), ScoreRecord)
    assert {record.step for record in found} == {found[-1].step}
    score = score_named([record.score for record in found], "frechet-distance")
    assert (score.samples, score.reference_samples) == (1_000, 1_000)
