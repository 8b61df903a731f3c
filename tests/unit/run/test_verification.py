"""A stopped run is compared with one that was not, and what differs is named."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from zerosum import recipes
from zerosum.data.readers import open_source
from zerosum.game.engine import Engine
from zerosum.game.recipe import Recipe, change
from zerosum.run import checkpoint
from zerosum.run.verification import compare, verify
from zerosum.run_folder import RunFolder

SOURCE = open_source("ring")
ENGINE = Engine(torch.device("cpu"), threads=1)


@pytest.fixture
def recipe() -> Recipe:
    small = recipes.find("toy")
    for each in ("networks.width=8", "batch_size=8", "threads=1", "precision=float32"):
        small = change(small, each)
    return small


def test_a_stopped_run_ends_like_another_and_a_changed_one_does_not(recipe: Recipe, tmp_path: Path) -> None:
    verdict = verify("ring", SOURCE, recipe, ENGINE, 9, tmp_path)
    assert verdict.difference == ""
    assert verdict.lines == 9
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    assert verdict.tensors == len(checkpoint.load_latest(whole.checkpoints).tensors) > 20
    rows = [json.loads(line) for line in parts.metrics.read_text().splitlines()]
    rows[3]["d_real"] += 1e-9
    parts.metrics.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert compare(whole, parts).difference == "the line of the metrics on step 4 differs"
    parts.metrics.write_text("".join(json.dumps(row) + "\n" for row in rows[:3]))
    assert compare(whole, parts).difference == "there are 9 lines of metrics in one and 3 in the other"


def test_state_that_a_checkpoint_loses_is_found(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = checkpoint._tensors

    def forgetful(*arguments: Any) -> dict[str, torch.Tensor]:
        kept = tensors(*arguments)
        return {name: torch.zeros_like(each) if "exp_avg_sq" in name else each for name, each in kept.items()}

    monkeypatch.setattr(checkpoint, "_tensors", forgetful)
    assert "differs, by" in verify("ring", SOURCE, recipe, ENGINE, 6, tmp_path).difference
