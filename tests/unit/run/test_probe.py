"""Which engine a run is given."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
import torch

from tests.unit.run.small import RECIPE, SOURCE
from zerosum.data import Source
from zerosum.game.algorithm import Iteration
from zerosum.game.engine import Engine, multiplies_bfloat16
from zerosum.game.recipe import Recipe
from zerosum.run import probe as module
from zerosum.run.probe import Probe, probe

CPU = torch.device("cpu")


class Machine:
    """Stands in for the clock and the game: an iteration takes the seconds that a table says, and has its losses."""

    def __init__(self, seconds: dict[tuple[str, int], float], losses: dict[str, float]) -> None:
        self.seconds, self.losses, self.now = seconds, losses, 0.0

    def build(self, recipe: Recipe, source: Source, engine: Engine, seed: int) -> Engine:
        return engine

    def play(self, engine: Engine, *_: object, **options: object) -> Iterator[Iteration]:
        assert engine.threads is not None
        loss = torch.tensor(self.losses.get(engine.precision, 1.0))
        for step in count():
            assert torch.get_num_threads() == engine.threads
            self.now += self.seconds[engine.precision, engine.threads]
            yield Iteration(step, loss, loss, loss, loss, loss)


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def run(
    monkeypatch: pytest.MonkeyPatch,
    seconds: dict[tuple[str, int], float],
    recipe: Recipe = RECIPE,
    *,
    lasting: float = 600.0,
    steps: int | None = None,
    losses: dict[str, float] | None = None,
) -> Probe:
    machine = Machine(seconds, losses or {})
    monkeypatch.setattr(module.Players, "build", machine.build)
    monkeypatch.setattr(module, "play", machine.play)
    monkeypatch.setattr(module.time, "monotonic", lambda: machine.now)
    monkeypatch.setattr(module, "multiplies_bfloat16", lambda device: True)
    return probe(recipe, SOURCE, "cpu", lasts=lasting, steps=steps)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ((0.4, 0.6, 0.2, 0.3), ("bfloat16", 2)),
        ((0.4, 0.2, 0.5, 0.3), ("float32", 1)),
        ((0.4, 0.39, 0.39, 0.39), ("float32", 2)),  # hardly faster
        ((9.0, 0.5, 9.0, 0.1), ("bfloat16", 1)),
    ],
)
def test_the_fastest_one_is_taken(
    seconds: tuple[float, ...], chosen: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = [("float32", 2), ("float32", 1), ("bfloat16", 2), ("bfloat16", 1)]
    found = run(monkeypatch, dict(zip(engines, seconds, strict=True)))
    assert (found.engine.precision, found.engine.threads) == chosen
    assert torch.get_num_threads() == chosen[1]
    assert found.seconds == pytest.approx(dict(zip(engines, seconds, strict=True))[chosen])
    timings = {(each.precision, each.threads): each.milliseconds for each in found.timings}
    assert timings == pytest.approx({name: 1000 * each for name, each in zip(engines, seconds, strict=True)})


@pytest.mark.usefixtures("two_threads")
def test_one_whose_losses_differ_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {("float32", 2): 0.4, ("float32", 1): 0.6, ("bfloat16", 2): 0.1, ("bfloat16", 1): 0.1}
    for loss, chosen in ((1.05, "bfloat16"), (1.15, "float32"), (float("nan"), "float32")):
        found = run(monkeypatch, seconds, losses={"bfloat16": loss})
        assert found.engine.precision == chosen
        assert {each.agrees for each in found.timings if each.precision == "bfloat16"} == {chosen == "bfloat16"}


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(
    ("recipe", "compared"),
    [
        (replace(RECIPE, precision="float32"), [("float32", 2), ("float32", 1)]),
        (replace(RECIPE, threads=1), [("float32", 1), ("bfloat16", 1)]),
        (replace(RECIPE, precision="bfloat16", threads=1), []),
    ],
)
def test_what_the_recipe_says_is_not_chosen(
    recipe: Recipe, compared: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = {(precision, threads): 0.1 for precision in ("float32", "bfloat16") for threads in (1, 2)}
    found = run(monkeypatch, seconds, recipe)
    assert [(each.precision, each.threads) for each in found.timings] == compared


@pytest.mark.usefixtures("two_threads")
def test_a_short_run_takes_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {("float32", 2): 0.4, ("float32", 1): 0.1, ("bfloat16", 2): 0.1, ("bfloat16", 1): 0.1}
    assert run(monkeypatch, seconds, lasting=59.0) == Probe(Engine(CPU, threads=2), pytest.approx(0.4))
    assert run(monkeypatch, seconds, lasting=60.0).engine != Engine(CPU, threads=2)
    assert run(monkeypatch, seconds, steps=151).engine != Engine(CPU, threads=2)


@pytest.mark.usefixtures("two_threads")
def test_a_few_iterations_are_not_played_twice_to_know_how_long_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[int] = []

    class Counted(Machine):
        def play(self, engine: Engine, *_: object, **options: object) -> Iterator[Iteration]:
            for iteration in super().play(engine):
                played.append(iteration.step)
                yield iteration

    monkeypatch.setattr(f"{__name__}.Machine", Counted)
    assert run(monkeypatch, {("float32", 2): 0.4}, steps=149).engine == Engine(CPU, threads=2)
    assert played == [0]


def test_engines_are_compared_by_real_games() -> None:
    found = probe(replace(RECIPE, threads=1), SOURCE, "cpu")
    assert [each.precision for each in found.timings] == ["float32", "bfloat16"][: 1 + multiplies_bfloat16(CPU)] or (
        not found.timings
    )
    assert 0 < found.seconds < 10
    assert all(each.agrees for each in found.timings)
