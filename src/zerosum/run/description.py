"""What `run.json` says of a run that is about to begin."""

import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import torch

from zerosum.data import Source
from zerosum.data.readers import make_absolute
from zerosum.game.recipe import Recipe
from zerosum.run.environment import describe_environment
from zerosum.run.probe import Probe
from zerosum.run_folder import FORMAT


def describe(
    data: str, source: Source, recipe: Recipe, probe: Probe, seed: int, steps: int, minutes: float | None = None
) -> dict[str, Any]:
    """Return the content of `run.json` for a run on the engine that `probe` chose."""
    engine = probe.engine
    return {
        "format": FORMAT,
        "zerosum": version("zerosum"),
        "data": make_absolute(data),
        "fingerprint": source.fingerprint,
        "seed": seed,
        "steps": steps,
        "device": str(engine.device),
        "precision": engine.precision,
        "threads": engine.threads or torch.get_num_threads(),
        **({} if minutes is None else {"minutes": minutes}),
        "probe": [asdict(timing) for timing in probe.timings],
        "hardware": f"{platform.platform()}, {os.cpu_count()} cores; {engine.describe()}",
        **describe_environment(engine.device),
        "recipe": recipe.as_json(),
    }
