"""A run keeps its minutes: by arithmetic, and in a game whose machine becomes slower and faster."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.run.small import ENGINE, RECIPE, SOURCE
from tests.unit.run.test_trainer import Counting
from zerosum.game.algorithm import Iteration
from zerosum.game.algorithm import play as play_game
from zerosum.run.pace import Pace
from zerosum.run.probe import Probe
from zerosum.run.trainer import Trainer, describe


def test_what_is_left_of_the_time_is_divided_by_what_an_iteration_takes() -> None:
    pace = Pace(100.0)
    assert pace.plan(10, 20.0, steps=1_000, images=0) == 10 + 40  # two seconds each, 80 are left
    assert pace.plan(20, 30.0, steps=50, images=0) == 20 + 44  # one each of late: 0.4 + 0.6 * 2 = 1.6


def test_scores_are_not_counted_as_iterations_and_time_is_kept_for_those_to_come() -> None:
    pace = Pace(100.0, aside=10.0, image=0.01)
    assert pace.plan(10, 20.0, steps=1_000, images=1_000) == 10 + 70
    assert pace.plan(20, 30.0, steps=1_000, images=10**6) == 20 + 40  # at most 30 of the 100 seconds
    with pace.score(10):
        time.sleep(0.02)
    assert 0.002 <= pace.image == pace.aside / 10


def test_a_plan_that_hardly_differs_stays() -> None:
    assert Pace(100.0).plan(10, 20.0, steps=50, images=0) == 50
    assert Pace(100.2).plan(10, 20.0, steps=50, images=0) == 50
    assert Pace(104.0).plan(10, 20.0, steps=50, images=0) == 52


@given(
    budget=st.floats(1.0, 1e5),
    spent=st.floats(0.0, 2e5),
    step=st.integers(1, 10**6),
    steps=st.integers(1, 10**7),
    images=st.integers(0, 10**5),
)
def test_there_is_always_another_iteration(budget: float, spent: float, step: int, steps: int, images: int) -> None:
    """Also when the time is over."""
    assert Pace(budget, image=0.01).plan(step, spent, step + steps, images) > step


def test_it_is_planned_a_number_of_times() -> None:
    pace = Pace(400.0, step=10, seconds=100.0)
    assert not pace.is_due(10, 200.0)
    assert not pace.is_due(11, 109.9)
    assert pace.is_due(11, 110.0)


def test_scores_are_afforded_while_they_take_little() -> None:
    assert Pace(100.0).can_afford(10**6)  # nothing is known
    assert Pace(100.0, image=0.002).can_afford(1_000)
    assert not Pace(100.0, image=0.002).can_afford(1_001)


def begin(path: Path, steps: int, minutes: float) -> Trainer:
    about = describe("digits", SOURCE, RECIPE, Probe(ENGINE, 0.0), seed=0, steps=steps, minutes=minutes)
    return Trainer.create(path, RECIPE, SOURCE, about)


@pytest.mark.parametrize("planned", [10, 10_000])
def test_a_run_ends_with_its_minutes(planned: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was planned, and though an iteration takes three times as long from the middle on."""
    now = [0.0]

    def play(*arguments: object, **options: object) -> Iterator[Iteration]:
        for iteration in play_game(*arguments, **options):  # type: ignore[arg-type]
            now[0] += 0.1 if now[0] < 15 else 0.3
            yield iteration

    monkeypatch.setattr("zerosum.run.trainer.play", play)
    monkeypatch.setattr("zerosum.run.trainer.time.monotonic", lambda: now[0])
    monkeypatch.setattr("zerosum.run.trainer.sample_count", lambda *_: 10)
    trainer = begin(tmp_path / "r", planned, minutes=0.5)
    trainer._began = 0.0
    try:
        assert trainer.train(Counting(0.0), lambda record: None, lambda: False)  # type: ignore[arg-type]
        assert trainer.seconds == pytest.approx(30, rel=0.1)
        assert trainer.steps == trainer.step == pytest.approx(150 + 50, abs=5)
        assert trainer.folder.describe()["lengths"] == [list(each) for each in trainer.lengths]
    finally:
        trainer.folder.close()
