"""What is shown while a run trains."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from zerosum.cli._training import Display
from zerosum.game.losses import NonSaturating
from zerosum.records import IterationRecord
from zerosum.run_folder import RunFolder


def record(step: int) -> IterationRecord:
    counts = dict.fromkeys(("real_as_real", "real_as_fake", "fake_as_real", "fake_as_fake"), 1)
    names = ("seconds", "discriminator_loss", "penalty", "generator_loss", "d_real", "d_fake", "pair_accuracy")
    return IterationRecord(step=step, **dict.fromkeys(names, 0.5), **counts)


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        (95, []),
        (60, ["60 iterations in the time, not 100: the machine is slower than it was"]),
        (150, ["150 iterations in the time, not 100: the machine is faster than it was"]),
    ],
)
def test_another_number_of_iterations_is_told_once(planned: int, expected: list[str]) -> None:
    recipe = SimpleNamespace(game=NonSaturating())
    trainer: Any = SimpleNamespace(steps=100, step=0, folder=RunFolder(Path("run")), recipe=recipe)
    out = io.StringIO()
    with Display(trainer, Console(file=out, width=200)) as display:
        display.show(record(1))
        trainer.steps = planned
        display.show(record(2))
        display.show(record(3))
    assert [line for line in out.getvalue().splitlines() if "in the time" in line] == expected
