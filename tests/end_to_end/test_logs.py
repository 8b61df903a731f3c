"""`--log`: what a run logs besides, through the installed command and from Python."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import zerosum
from tests.end_to_end.conftest import Command
from zerosum.errors import InputError


def steps(table: Path) -> list[int]:
    with table.open(newline="") as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    (tmp_path / "here").mkdir()
    np.save(tmp_path / "here" / "points.npy", np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32))
    return Command(tmp_path / "here", monkeypatch, capsys)


def test_a_resumed_run_keeps_its_logs(command: Command) -> None:
    run = command.folder / "r"
    code, out, err = command("train", "points.npy", "--steps", 3, "--out", "r", "--log", "csv", "--log", "csv")
    assert (code, err) == (0, "")
    assert "log csv: r/metrics.csv and scores.csv" in out
    assert steps(run / "metrics.csv") == [1, 2, 3]
    code, out, err = command("resume", "r", "--steps", 6)
    assert (code, err) == (0, "")
    assert steps(run / "metrics.csv") == [1, 2, 3, 4, 5, 6]
    assert sorted(set(steps(run / "scores.csv"))) == [1, 2, 3, 4, 6]
    assert json.loads((run / "run.json").read_text())["logs"] == ["csv"]


def test_a_kept_log_whose_package_is_gone_does_not_stop_the_run(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard", reason="the package tensorboard is not installed")
    code, _, err = command("train", "points.npy", "--steps", 2, "--out", "r", "--log", "tensorboard")
    assert (code, err) == (0, "")
    monkeypatch.setattr("zerosum.loggers.is_installed", lambda package: False)
    code, out, err = command("resume", "r", "--steps", 3)
    assert (code, err) == (0, "")
    assert "log tensorboard does not go on: --log tensorboard needs pip install 'zerosum[tensorboard]'" in out
    error = command.refused("train", "points.npy", "--log", "tensorboard")
    assert error == "error: --log tensorboard needs pip install 'zerosum[tensorboard]'\n"


def test_a_wrong_name_is_refused_before_anything(command: Command) -> None:
    assert "unknown log 'tensor-board': did you mean 'tensorboard'?" in command.refused(
        "train", "points.npy", "--log", "tensor-board"
    )
    assert "unknown log 'x'" in command.refused("resume", "nowhere", "--log", "x")


def test_from_python(command: Command) -> None:
    zerosum.train("points.npy", steps=2, out="r", log=("csv",))
    assert steps(command.folder / "r" / "metrics.csv") == [1, 2]
    with pytest.raises(InputError, match="log is a sequence of names"):
        zerosum.train("points.npy", steps=2, out="q", log="csv")
