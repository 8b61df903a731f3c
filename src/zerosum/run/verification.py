"""Whether a run that was stopped ends as one that was not: both are played, and compared tensor by tensor."""

import json
import multiprocessing
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from zerosum.data import Source
from zerosum.errors import RunFailed
from zerosum.game.engine import Engine
from zerosum.game.recipe import Recipe
from zerosum.records import Record
from zerosum.run import checkpoint, restoring
from zerosum.run.description import describe
from zerosum.run.probe import Probe
from zerosum.run.scoring import NoScoring
from zerosum.run.trainer import Trainer
from zerosum.run_folder import RunFolder

TIMED = "seconds"  # the field of a record that no two runs share


@dataclass(frozen=True)
class Verdict:
    """What the comparison found.

    Attributes:
        tensors: how many were compared: both players, their optimisers, the moving average, what tricks remember, and
            the iterations that the metrics have no line of yet.
        lines: how many lines of the metrics were compared, but for their seconds.
        difference: the first tensor or line that differs; empty if none does.
    """

    tensors: int
    lines: int
    difference: str = ""


def verify(data: str, source: Source, recipe: Recipe, engine: Engine, steps: int, folder: Path) -> Verdict:
    """Play `steps` iterations at a stretch; then half of them, and the rest in another process; compare.

    Nothing is scored. Both runs are written to `folder`.

    Raises:
        InputError: the recipe cannot serve the data.
        RunFailed: the game diverged, or the other process failed.
    """

    def begin(name: str) -> Trainer:
        about = describe(data, source, recipe, Probe(engine, 0.0), seed=0, steps=steps)
        return Trainer.create(folder / name, recipe, source, about)

    whole, parts = begin("whole"), begin("parts")
    with closing(whole.folder), closing(parts.folder):
        whole.train(NoScoring(), _ignore, lambda: False)
        parts.train(NoScoring(), _ignore, lambda: parts.step >= steps // 2)
    other = multiprocessing.get_context("spawn").Process(target=go_on, args=(parts.folder.path,))
    other.start()
    other.join()
    if other.exitcode:
        raise RunFailed(f"the process that resumed the run ended with exit code {other.exitcode}")
    return compare(whole.folder, parts.folder)


def go_on(path: Path) -> None:
    """Resume the run in `path` and train it to its end, without scores."""
    trainer = restoring.resume(path)
    with closing(trainer.folder):
        trainer.train(NoScoring(), _ignore, lambda: False)


def compare(whole: RunFolder, parts: RunFolder) -> Verdict:
    """Compare the last checkpoints and the metrics of two runs."""
    expected, found = (checkpoint.load_latest(each.checkpoints).tensors for each in (whole, parts))
    lines, others = (list(_read_lines(each)) for each in (whole, parts))
    return Verdict(len(expected), len(lines), next(_differences(expected, found, lines, others), ""))


def _differences(
    expected: dict[str, torch.Tensor],
    found: dict[str, torch.Tensor],
    lines: list[dict[str, Any]],
    others: list[dict[str, Any]],
) -> Iterator[str]:
    for name in sorted(expected.keys() | found.keys()):
        if name not in expected or name not in found:
            yield f"{name} is there in one of the two only"
        elif not torch.equal(expected[name], found[name]):
            apart = (expected[name].double() - found[name].double()).abs().max() if expected[name].numel() else 0
            yield f"{name} differs, by {float(apart):.3g} at most"
    for line, other in zip(lines, others, strict=False):
        if line != other:
            yield f"the line of the metrics on step {line['step']} differs"
    if len(lines) != len(others):
        yield f"there are {len(lines)} lines of metrics in one and {len(others)} in the other"


def _read_lines(folder: RunFolder) -> Iterator[dict[str, Any]]:
    for line in folder.metrics.read_text(encoding="utf-8").splitlines():
        yield {name: value for name, value in json.loads(line).items() if name != TIMED}


def _ignore(record: Record) -> None:
    """Show nothing."""
