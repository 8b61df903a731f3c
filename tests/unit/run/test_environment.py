"""What bits depend on is noted, and it is said once when it changes."""

import json
from pathlib import Path

import pytest
import torch

from tests.unit.run.test_trainer import begin
from zerosum.data.readers import open_source
from zerosum.run import restoring
from zerosum.run.environment import compare, describe_environment

HERE = {"versions": {"torch": "2.13.0", "numpy": "2.1", "pillow": "12"}, "processor": "avx2 fma3"}


def test_changes_are_put_into_words() -> None:
    assert compare(HERE, HERE) == []
    assert compare({}, HERE) == []  # of a run that did not note it
    older = {"versions": {"torch": "2.10.0", "numpy": "2.1", "python": "3.9"}, "processor": "avx2 avx512_f fma3"}
    assert compare(older, HERE) == ["torch 2.13.0 instead of 2.10.0", "another processor, without avx512_f"]
    gpus = [{**HERE, "processor": name} for name in ("NVIDIA H200", "NVIDIA A100")]
    assert compare(*gpus) == ["another processor, without H200 and with A100"]


def test_this_machine_is_described() -> None:
    here = describe_environment(torch.device("cpu"))
    assert here["versions"]["torch"] == torch.__version__
    assert here["processor"]
    assert here == describe_environment(torch.device("cpu"))


def test_a_resumed_run_says_once_that_it_is_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path / "r", steps=4, source=open_source("digits")).folder.close()

    def resume() -> str:
        trainer = restoring.resume(tmp_path / "r")
        trainer.folder.close()
        return trainer.elsewhere

    assert resume() == ""
    there = {**describe_environment(torch.device("cpu")), "processor": "sve"}
    monkeypatch.setattr("zerosum.run.restoring.describe_environment", lambda device: there)
    assert resume().startswith("another processor, without")
    assert resume() == ""
    (moved,) = json.loads((tmp_path / "r" / "run.json").read_text())["moved"]
    assert (moved["step"], moved["processor"]) == (0, "sve")
