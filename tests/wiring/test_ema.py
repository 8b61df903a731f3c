"""The generator's moving average over a whole run: in the formula, and as the trainer keeps and uses it."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from tests.wiring.cases import CASES
from tests.wiring.reference import Case, Reference
from zerosum.export import pictures
from zerosum.game.algorithm import play
from zerosum.game.ema import EMA
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.generator.loading import load
from zerosum.metrics.evaluation import Evaluation
from zerosum.run.description import describe
from zerosum.run.probe import Probe
from zerosum.run.scoring import Scoring
from zerosum.run.trainer import Trainer

STEPS, SEED = 7, 3
ENGINE = Engine(torch.device("cpu"))
TOLERANCE = 1e-6  # weights below 1, and at most 7 roundings by 2^-24 of one in either order of the sums
BATCH_NORM = "projection, batch norm, tricks that show, k = 2, decay, betas"
ON_POINTS = "points, lazy gradient penalty, k = 2"


def averages(case: Case) -> list[tuple[dict[str, Tensor], nn.Module]]:
    """The generator's live weights and its average, before the first iteration and after each."""
    game = Reference(case, SEED)
    average = copy.deepcopy(game.generator)
    found = [(weights(game.generator), copy.deepcopy(average))]
    for number, _ in enumerate(game.play(STEPS), start=1):
        past = min(case.recipe.ema_decay, (1 + number) / (10 + number))
        with torch.no_grad():
            for mine, live in zip(average.parameters(), game.generator.parameters(), strict=True):
                mine.copy_(past * mine + (1 - past) * live)
        found.append((weights(game.generator), copy.deepcopy(average)))
    return found


def weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in network.named_parameters()}


def assert_close(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE)


def test_the_warm_up_is_seen_and_left() -> None:
    """Otherwise these tests would not know the two parts of the formula apart."""
    decay = CASES[ON_POINTS].recipe.ema_decay
    assert [(1 + number) / (10 + number) < decay for number in range(1, STEPS + 1)] == [True] * 2 + [False] * (
        STEPS - 2
    )


@pytest.mark.parametrize("name", [BATCH_NORM, ON_POINTS])
def test_the_average_follows_its_formula_over_a_whole_game(name: str) -> None:
    case = CASES[name]
    players = Players.build(case.recipe, case.source, ENGINE, SEED)
    ema = EMA(players.generator.network, case.recipe.ema_decay)
    expected = averages(case)
    for iteration in play(players, case.recipe, case.source.train, steps=STEPS, seed=SEED):
        ema.update(iteration.step + 1)
        assert_close(weights(ema.network), weights(expected[iteration.step + 1][1]))


def trainer_of(case: Case, folder: Path, decay: float) -> Trainer:
    recipe = replace(case.recipe, ema_decay=decay)
    return Trainer.create(
        folder, recipe, case.source, describe("normal", case.source, recipe, Probe(ENGINE, 0.0), SEED, STEPS)
    )


def stop_after(count: int) -> Callable[[], bool]:
    answers = iter([False] * (count - 1) + [True])
    return lambda: next(answers)


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Case:
    """A case that is quick to score, and no pictures."""
    monkeypatch.setattr("zerosum.metrics.evaluation.INTERIM", 200)
    monkeypatch.setattr("zerosum.metrics.evaluation.LEAST_SAMPLES", 300)
    monkeypatch.setattr(pictures, "draw_samples", lambda samples, reference: Image.new("L", (1, 1)))
    return CASES[ON_POINTS]


def test_the_trainer_averages_once_after_each_update_of_the_generator(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it was stopped and goes on."""
    calls: list[tuple[int, dict[str, Tensor]]] = []
    update = EMA.update

    def watched(self: EMA, updates: int) -> None:
        calls.append((updates, weights(self._live)))
        update(self, updates)

    monkeypatch.setattr(EMA, "update", watched)
    trainer, evaluation = trainer_of(case, tmp_path / "run", case.recipe.ema_decay), Evaluation.of(case.source)
    assert not trainer.train(Scoring(evaluation), lambda record: None, stop_after(3))
    assert trainer.train(Scoring(evaluation), lambda record: None, lambda: False)
    expected = averages(case)
    assert [number for number, _ in calls] == list(range(1, STEPS + 1))
    for number, live in calls:
        assert_close(live, expected[number][0])
    assert_close(weights(trainer.ema.network), weights(expected[STEPS][1]))


@pytest.mark.parametrize("averaged", [True, False])
def test_pictures_scores_and_the_saved_generator_are_of_the_average(
    case: Case, averaged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the live weights if the recipe keeps no average."""
    drawn: list[tuple[int, Tensor]] = []
    scored: list[tuple[int, Tensor]] = []
    scores = Evaluation.scores

    def watched_draw(samples: Tensor, reference: Tensor) -> Image.Image:
        drawn.append((trainer.step if drawn else 0, samples))
        return Image.new("L", (1, 1))

    def watched_scores(self: Evaluation, samples: Tensor, *arguments: object, **options: object) -> object:
        scored.append((trainer.step, samples))
        return scores(self, samples, *arguments, **options)

    monkeypatch.setattr(pictures, "draw_samples", watched_draw)
    monkeypatch.setattr(Evaluation, "scores", watched_scores)
    trainer = trainer_of(case, tmp_path / "run", case.recipe.ema_decay if averaged else 0.0)
    trainer.train(Scoring(Evaluation.of(case.source)), lambda record: None, lambda: False)

    generator, expected = trainer.generator(), averages(case)
    live = copy.deepcopy(generator.network)

    def samples(step: int, count: int) -> Tensor:
        """What the average after `step` iterations makes of the pictures' latents."""
        live.load_state_dict(expected[step][0], strict=False)
        network = expected[step][1] if averaged else live
        network.load_state_dict(dict(generator.network.named_buffers()), strict=False)
        return replace(generator, network=network.eval()).sample(count, seed=0)

    assert [step for step, _ in drawn] == list(range(STEPS + 1))
    assert {step for step, _ in scored} == {2, 4, 6, 7}
    for step, shown in drawn + scored:
        torch.testing.assert_close(shown, samples(step, len(shown)), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(load(tmp_path / "run").sample(64), samples(STEPS, 64), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(samples(STEPS, 64), samples(STEPS - 1, 64), rtol=1e-3, atol=1e-3)
