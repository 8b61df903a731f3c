"""A comparison as JSON: every figure of the table, and of each run."""

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zerosum.atomic import write_atomically
from zerosum.comparison.groups import Comparison, Contrast, Group
from zerosum.errors import InputError

KIND = "zerosum comparison"


def check_json(path: Path) -> None:
    """Refuse a file that cannot be written, or that is there and holds anything but a comparison.

    Raises:
        InputError: see there.
    """
    if not path.absolute().parent.is_dir():
        raise InputError(f"cannot write to {path}: {path.absolute().parent} is not a folder")
    if path.is_dir():
        raise InputError(f"cannot write to {path}: it is a folder")
    if path.exists() and KIND.encode() not in path.read_bytes():
        raise InputError(f"{path} exists already and is no comparison of zerosum: choose another --json")


def write_json(comparison: Comparison, path: Path) -> None:
    """Write the comparison as JSON."""
    write_atomically(path, json.dumps(as_json(comparison), indent=2).encode())


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return a JSON-able mapping of the comparison."""
    return {
        "kind": KIND,
        "zerosum": version("zerosum"),
        "groups": [_group(group, comparison) for group in comparison.groups],
        "metrics": [_protocol(metric, comparison) for metric in comparison.metrics],
        "contrasts": [_contrast(each, comparison.first) for each in comparison.contrasts],
        "correction": {"method": "Holm", "comparisons": comparison.tests},
        "left_out": comparison.left_out,
        "notes": comparison.notes,
    }


def _group(group: Group, comparison: Comparison) -> dict[str, Any]:
    runs = [
        {
            "path": str(run.path),
            "seed": run.seed,
            "steps": run.steps,
            "seconds": run.seconds,
            "scores": {metric: run.final[metric].value for metric in comparison.metrics},
        }
        for run in group.runs
    ]
    means = {metric: asdict(group.interval(metric)) for metric in comparison.metrics}
    return {
        "letter": group.letter,
        "recipe": group.runs[0].about["recipe"],
        "differences": group.differences,
        "diverged": list(map(str, group.diverged)),
        "runs": runs,
        "interval_over": "seeds" if len(group.runs) > 1 else "samples",
        "means": means,
    }


def _protocol(metric: str, comparison: Comparison) -> dict[str, Any]:
    score = comparison.score(metric).as_json()
    return {name: value for name, value in score.items() if name not in ("value", "low", "high", "warning")}


def _contrast(contrast: Contrast, first: Group) -> dict[str, Any]:
    found = contrast.difference
    measured = {} if found is None else {**asdict(found.interval), "p": found.p, "p_holm": contrast.corrected}
    limits = {} if found is None else {"detectable": found.detectable, "seeds_for_this": found.seeds}
    return {
        "metric": contrast.metric,
        "of": contrast.letter,
        "minus": first.letter,
        **measured,
        **limits,
        "more_than_chance": None if found is None else contrast.is_clear,
    }
