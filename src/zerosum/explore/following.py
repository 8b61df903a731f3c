"""A run's folder as it is now, for the page: read anew at each question: it may be written or deleted meanwhile."""

import shlex
import time
from pathlib import Path
from typing import Any

from zerosum import catalog, records
from zerosum.diagnostics import Diagnosis
from zerosum.errors import InputError
from zerosum.game.losses import Game
from zerosum.records import FindingRecord, IterationRecord, ScoreRecord
from zerosum.run_folder import RunFolder

MOST_POINTS = 400  # of a curve
CURVES = ("discriminator_loss", "generator_loss", "penalty", "d_real", "d_fake", "pair_accuracy")


def follow(path: Path) -> dict[str, Any]:
    """Return, JSON-able, how far the run at `path` is: its curves, scores, findings, and the steps of its pictures.

    Raises:
        InputError: the run is not there any more, or damaged.
    """
    folder = RunFolder(path)
    about = folder.describe()
    iterations, scores = records.read(folder, IterationRecord), records.read(folder, ScoreRecord)
    recipe = about["recipe"]
    diagnosis = Diagnosis.read(folder.diagnosis)
    return {
        "name": folder.path.resolve().name,
        "about": f"recipe {recipe['name']}, data {about['data']}, seed {about['seed']}",
        "done": iterations[-1].step if iterations else 0,
        "steps": about["steps"],
        "seconds": iterations[-1].seconds if iterations else 0.0,
        "silent": _seconds_since(folder.metrics),
        "has-generator": folder.generator.exists(),
        "probabilistic": catalog.lookup(Game, recipe["game"]["name"]).probabilistic,
        "curves": _thin_out(iterations),
        "scores": [{"step": each.step, **each.score.as_json()} for each in scores],
        "findings": [
            {
                "step": each.step,
                "name": each.finding,
                "severity": each.severity,
                "began": each.began,
                "sentence": each.sentence,
            }
            for each in records.read(folder, FindingRecord)
        ],
        "verdict": diagnosis.verdict if diagnosis else _explain_damage(folder),
        "advice": [f"{each.name}: {each.advice}" for each in diagnosis.serious] if diagnosis else [],
        "pictures": [step for step, _ in folder.pictures()],
    }


def read_picture(path: Path, step: int) -> bytes:
    """Return the run's picture of samples after `step` iterations, a PNG.

    Raises:
        InputError: there is none, or no run any more.
    """
    folder = RunFolder(path)
    folder.describe()
    picture = dict(folder.pictures()).get(step)
    try:
        if picture is not None and not picture.is_symlink():
            return picture.read_bytes()
    except OSError as error:
        raise InputError(f"the picture of step {step:,} cannot be read: {error.strerror}") from None
    raise InputError(f"{path} has no picture of step {step:,}")


def _explain_damage(folder: RunFolder) -> str:
    """Say that the diagnosis, which could not be read, is damaged; nothing of one that has not been written."""
    if not folder.diagnosis.exists():
        return ""
    return f"{folder.diagnosis} is damaged: 'zerosum diagnose {shlex.quote(str(folder.path))}' looks again."


def _thin_out(iterations: list[IterationRecord]) -> dict[str, list[float]]:
    """Return the columns of at most MOST_POINTS records, evenly chosen, the last among them."""
    every = -(-len(iterations) // MOST_POINTS) or 1
    chosen = iterations[::-1][::every][::-1]
    return {"step": [each.step for each in chosen]} | {
        name: [getattr(each, name) for each in chosen] for name in CURVES
    }


def _seconds_since(file: Path) -> float | None:
    """Return how long ago a file was last written, in seconds; None if it is gone."""
    try:
        return max(0.0, time.time() - file.stat().st_mtime)
    except OSError:
        return None
