"""Runs that earlier versions wrote, one of each format number, are resumed, reported and loaded."""

import json
import shutil
from pathlib import Path

import pytest

import zerosum
from zerosum.run_folder import FORMAT

RUNS = sorted((Path(__file__).parents[2] / "older").iterdir())


def test_there_is_one_of_each_format() -> None:
    """Format 1 was that of 0.1.0, whose runs are refused in one line."""
    assert [run.name for run in RUNS] == [f"format-{number}" for number in range(2, FORMAT + 1)]


@pytest.mark.parametrize("kept", RUNS, ids=lambda run: run.name)
def test_an_older_run_goes_on(kept: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(kept, run)
    assert zerosum.load(run).sample(3, seed=0).shape == (3, 2)
    assert zerosum.resume(run).metadata["step"] == 20
    steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)
    assert steps[-1] == 20
    assert (run / "report.html").exists()
