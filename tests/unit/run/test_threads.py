"""How many threads a run takes while other programs come and go."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch

from zerosum import recipes
from zerosum.run.threads import LONGEST_WAIT, WINDOW, Threads, ThreadTuner


def watch(tuner: ThreadTuner, speed: Callable[[int], float], windows: int) -> list[int]:
    """Return how many threads each window was played with; `speed` says what an iteration takes with so many."""
    taken = []
    for _ in range(windows):
        taken.append(tuner.threads)
        tuner.observe(speed(tuner.threads))
    return taken


def alone(threads: int) -> float:
    return {4: 0.03, 1: 0.1}[threads]


def beside_another(threads: int) -> float:
    return {4: 0.5, 1: 0.1}[threads]


def test_alone_all_threads_stay() -> None:
    assert set(watch(ThreadTuner(4, 4), alone, 200)) == {4}


def test_noise_changes_nothing() -> None:
    times = iter([0.03, 0.04, 0.029, 0.042, 0.031] * 40)
    assert set(watch(ThreadTuner(4, 4), lambda threads: next(times), 200)) == {4}


def test_one_thread_is_taken_while_another_program_runs_and_all_when_it_ends() -> None:
    tuner = ThreadTuner(4, 4)
    watch(tuner, alone, 10)
    busy = watch(tuner, beside_another, 200)
    assert busy[:2] == [4, 1]
    assert busy.count(4) <= 1 + 6  # attempts become rare
    later = watch(tuner, alone, LONGEST_WAIT + 20)
    assert set(later[-18:]) == {4}


def test_what_is_slow_with_one_thread_too_keeps_all() -> None:
    """As on a machine that is slower for a while, for another reason."""
    tuner = ThreadTuner(4, 4)
    watch(tuner, alone, 10)
    slow = watch(tuner, lambda threads: 2 * alone(threads), 100)
    assert slow[0] == 4
    assert slow.count(1) == 1


@pytest.fixture(autouse=True)
def torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_a_run_looks_at_its_speed_every_two_seconds_and_notes_what_it_does() -> None:
    threads = Threads([(0, 2)], ThreadTuner(2, 2))
    threads.begin(0, 0.0)
    assert torch.get_num_threads() == 2
    seconds, noted = 0.0, []
    for step in range(1, 200):
        seconds += 0.1 if step <= 50 or torch.get_num_threads() == 1 else 1.0
        if threads.follow(step, seconds, free=True):
            noted.append((step, torch.get_num_threads()))
    assert noted[0][1] == 1
    assert threads.changes == [(0, 2), *noted]
    assert 50 < noted[0][0] <= 50 + WINDOW / 0.1 + 1


def test_what_was_noted_is_taken_again_and_no_other_number() -> None:
    changes = [(0, 2), (30, 1), (70, 2)]
    threads = Threads(list(changes), ThreadTuner(2, 2))
    threads.begin(10, 0.0)
    taken = []
    for step in range(11, 80):
        assert not threads.follow(step, float(step), free=True)  # ever slower, were it looked at
        taken.append(torch.get_num_threads())
    assert taken == [2] * 19 + [1] * 40 + [2] * 10
    assert threads.changes == changes


@pytest.mark.parametrize(("tuner", "free"), [(None, True), (ThreadTuner(2, 2), False)])
def test_a_number_that_was_given_stays_and_any_in_a_run_of_so_many_iterations(
    tuner: ThreadTuner | None, free: bool
) -> None:
    threads = Threads([(0, 2)], tuner)
    threads.begin(0, 0.0)
    assert not any(threads.follow(step, 10.0 * step**2, free=free) for step in range(1, 50))
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("given", "measured", "tuned"), [(None, (2, 1), True), (2, (2, 2), False), (None, (1, 1), False), (None, (), False)]
)
def test_only_a_number_that_was_measured_may_change(given: int | None, measured: tuple[int, ...], tuned: bool) -> None:
    about = {"threads": 1, "probe": [{"threads": each} for each in measured]}
    recipe = replace(recipes.find("compact"), threads=given)
    assert (Threads.of(about, recipe).tuner is not None) == tuned
    assert Threads.of({**about, "threads_at": [[0, 2], [30, 1]]}, recipe).changes == [(0, 2), (30, 1)]
