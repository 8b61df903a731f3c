"""Runs that nobody trained: folders with a description and metrics, as a training would have left them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.unit.test_records import SCORE, summary
from zerosum import recipes, records
from zerosum.game.recipe import change
from zerosum.records import ScoreRecord
from zerosum.run_folder import FORMAT, RunFolder
from zerosum.seeds import SeedsFolder, Series

STEPS = 100
TOY = recipes.find("toy")


def make_run(
    path: Path, values: Mapping[str, float], *, changes: tuple[str, ...] = (), done: int = STEPS, **about: Any
) -> Path:
    """Make a run that scored `values`, by metric, at its end, if all its iterations are `done`."""
    recipe = TOY
    for each in changes:
        recipe = change(recipe, each)
    steps = about.get("steps", STEPS)
    description = {
        "format": FORMAT,
        "data": "ring",
        "fingerprint": "f" * 32,
        "seed": 0,
        "steps": steps,
        "device": "cpu",
        "precision": "float32",
        "threads": 1,
        "recipe": recipe.as_json(),
    }
    folder = RunFolder.create(path, {**description, **about})
    folder.close()
    for step in range(steps // 4, done + 1, steps // 4):
        records.append(folder, replace(summary(step), seconds=step / 10))
        if step < steps:
            records.append(folder, ScoreRecord(step, replace(SCORE, value=1_000 / step)))
    if done == steps:
        for metric, value in values.items():
            better = "lower" if "distance" in metric else "near 1" if metric == "variety" else "higher"
            score = replace(SCORE, metric=metric, value=value, low=value - 0.1, high=value + 0.1, better=better)
            records.append(folder, ScoreRecord(steps, replace(score, warning="")))
    return path


def make_seeds(path: Path, metrics: Mapping[str, list[float]], *, changes: tuple[str, ...] = (), **about: Any) -> Path:
    """Make the folder of a series whose seeds scored the values of `metrics`, in order."""
    count = len(next(iter(metrics.values())))
    series = Series("ring", "f" * 32, tuple(range(count)), TOY.as_json(), steps=STEPS)
    SeedsFolder.create(path, series)
    for seed in range(count):
        scores = {metric: values[seed] for metric, values in metrics.items()}
        make_run(path / f"seed-{seed}", scores, changes=changes, seed=seed, **about)
    return path


def edit(run: Path, **about: Any) -> None:
    """Change what `run.json` says."""
    file = run / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **about}))
