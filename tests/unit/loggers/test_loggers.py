"""Logs of other tools: each real package reads back what the run recorded, once, however often it was played again."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.unit.test_records import SCORE
from zerosum import loggers, records
from zerosum.errors import InputError
from zerosum.loggers import Logger, Logs
from zerosum.recipes import find
from zerosum.records import IterationRecord, ScoreRecord
from zerosum.run_folder import RunFolder

ABOUT = {
    "format": 2,
    "zerosum": "0.2",
    "data": "digits",
    "fingerprint": "0",
    "seed": 0,
    "steps": 100,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
    "recipe": find("dcgan").as_json(),
}
INSTALLED = [name for name in loggers.list_names() if loggers.is_installed(name) or name == "csv"]


def iteration(step: int, loss: float = 0.5) -> IterationRecord:
    counts = {f"{what}_as_{taken}": step for what in ("real", "fake") for taken in ("real", "fake")}
    means = dict.fromkeys(("discriminator_loss", "penalty", "generator_loss", "d_real", "d_fake"), loss)
    return IterationRecord(step=step, seconds=step / 2, pair_accuracy=0.75, **means, **counts)


class Run:
    """A run that is recorded as the trainer does it."""

    def __init__(self, path: Path) -> None:
        self.folder, self.told = RunFolder.create(path, ABOUT), list[str]()
        self.logs = Logs()

    def open(self, *names: str, step: int = 0) -> None:
        self.logs = Logs.open(names, self.folder, step, self.told.append)

    def record(self, *found: IterationRecord | ScoreRecord) -> None:
        for each in found:
            records.append(self.folder, each)
            self.logs.add(each)

    def picture(self, step: int) -> None:
        Image.fromarray(np.full((4, 6, 3), step, np.uint8)).save(self.folder.samples / f"{step:06d}.png")

    def play(self, first: int, last: int, loss: float = 0.5) -> None:
        for step in range(first, last + 1):
            self.picture(step)
            self.record(iteration(step, loss))
        self.record(ScoreRecord(last, SCORE))

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.folder.path / name).open(newline="") as file:
            return list(csv.DictReader(file))

    def replay_from(self, step: int) -> None:
        """Cut the metrics as a run does that goes back to the checkpoint of `step`."""
        lines = self.folder.metrics.read_text().splitlines(keepends=True)
        self.folder.metrics.write_text("".join(line for line in lines if json.loads(line)["step"] <= step))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "r")


def accumulated(run: Run) -> Any:
    reading = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="the package tensorboard is not installed"
    )
    found = reading.EventAccumulator(str(run.folder.path / "tensorboard"), {"scalars": 0, "images": 0, "tensors": 0})
    return found.Reload()


def test_the_tables_hold_each_record(run: Run) -> None:
    run.open("csv")
    run.play(1, 3)
    run.logs.log_text(2, "finding", 'the "discriminator", it won\nand how')
    run.logs.close()
    assert [row["step"] for row in run.rows("metrics.csv")] == ["1", "2", "3"]
    expected = {name: str(value) for name, value in vars(iteration(3)).items()}
    assert run.rows("metrics.csv")[-1] == expected
    (score,) = run.rows("scores.csv")
    assert (score["step"], score["metric"], score["low"], score["high"]) == ("3", "frechet-distance", "0.5", "1.5")
    assert run.rows("texts.csv") == [{"step": "2", "name": "finding", "text": 'the "discriminator", it won\nand how'}]


def test_tensorboard_reads_back_all_of_it(run: Run) -> None:
    pytest.importorskip("tensorboard", reason="the package tensorboard is not installed")
    run.open("tensorboard")
    run.picture(0)
    run.play(1, 3)
    run.picture(4)
    run.logs.log_text(2, "finding", "the discriminator won")
    run.logs.close()
    found = accumulated(run)
    assert [(each.step, each.value) for each in found.Scalars("training/penalty")] == [(1, 0.5), (2, 0.5), (3, 0.5)]
    assert {tag.removeprefix("training/") for tag in found.Tags()["scalars"] if tag.startswith("training")} == {
        name for name in vars(iteration(1)) if name != "step"
    }
    name = "scores/frechet-distance/5000-samples"
    assert [found.Scalars(tag)[0].value for tag in (name, f"{name}/low", f"{name}/high")] == [1.0, 0.5, 1.5]
    pictures = found.Images("samples")
    assert [(each.step, each.width, each.height) for each in pictures] == [(step, 6, 4) for step in range(5)]
    assert b"the discriminator won" in found.Tensors("finding/text_summary")[0].tensor_proto.string_val[0]
    assert b"generator_optimizer.lr" in found.Tensors("recipe/text_summary")[0].tensor_proto.string_val[0]
    assert "_hparams_/session_start_info" in found.summary_metadata


@pytest.mark.parametrize("name", [each for each in INSTALLED if each in ("csv", "tensorboard")])
@pytest.mark.parametrize("crashed", [True, False])
def test_what_is_played_again_is_there_once(name: str, crashed: bool, run: Run) -> None:
    """The run goes back to step 3; what it logged of 4 and 5, and the score at 5, belongs to a past that never was."""
    run.open(name)
    run.play(1, 3)
    run.record(iteration(4, 9.0), iteration(5, 9.0), ScoreRecord(5, SCORE))
    run.replay_from(3)
    if crashed:
        run.logs.close()
        run.open(name, step=3)
    else:
        run.logs.rewind(3)
    run.play(4, 6)
    run.logs.close()
    assert run.told == []
    expected = [(step, 0.5) for step in range(1, 7)]
    if name == "csv":
        assert [(int(row["step"]), float(row["penalty"])) for row in run.rows("metrics.csv")] == expected
        assert [row["step"] for row in run.rows("scores.csv")] == ["3", "6"]
    else:
        found = accumulated(run)
        assert [(each.step, each.value) for each in found.Scalars("training/penalty")] == expected
        assert [each.step for each in found.Scalars("scores/frechet-distance/5000-samples")] == [3, 6]
        assert [each.step for each in found.Images("samples")] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("name", [each for each in INSTALLED if each in ("csv", "tensorboard")])
def test_a_log_that_begins_late_has_what_was_before(name: str, run: Run) -> None:
    run.play(1, 3)
    run.picture(9)  # of iterations that were lost
    run.open(name, step=3)
    run.play(4, 5)
    run.logs.close()
    if name == "csv":
        assert [int(row["step"]) for row in run.rows("metrics.csv")] == [1, 2, 3, 4, 5]
    else:
        assert [each.step for each in accumulated(run).Scalars("training/penalty")] == [1, 2, 3, 4, 5]
        assert [each.step for each in accumulated(run).Images("samples")] == [1, 2, 3, 4, 5, 9]


@given(parts=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=1, max_size=4))
@settings(max_examples=25)
def test_the_table_is_the_metrics_whatever_is_played_again(
    parts: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    run, step = Run(tmp_path_factory.mktemp("runs") / "r"), 0
    for number, (played, lost) in enumerate(parts):
        run.open("csv", step=step)
        run.play(step + 1, step + played, loss=float(number))
        step = max(0, step + played - lost)
        run.replay_from(step)
    run.open("csv", step=step)
    assert [(int(row["step"]), float(row["penalty"])) for row in run.rows("metrics.csv")] == [
        (each.step, each.penalty) for each in records.read(run.folder, IterationRecord)
    ]
    assert [int(row["step"]) for row in run.rows("scores.csv")] == [
        each.step for each in records.read(run.folder, ScoreRecord)
    ]


def test_a_table_that_a_crash_cut_short_is_mended(run: Run) -> None:
    run.open("csv")
    run.play(1, 3)
    table = run.folder.path / "metrics.csv"
    table.write_bytes(table.read_bytes()[:-7])
    run.open("csv", step=3)
    assert [row["pair_accuracy"] for row in run.rows("metrics.csv")] == ["0.75"] * 3
    table.write_bytes(b"step,sec")
    run.open("csv", step=3)
    assert [row["step"] for row in run.rows("metrics.csv")] == ["1", "2", "3"]


@pytest.mark.parametrize("method", ["begin", "log_scalars", "log_picture", "close"])
def test_a_tool_that_fails_is_left_out_and_it_is_said(method: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no\n more")

    def begin_anew(*_: object) -> int:
        return 0

    class Broken(Logger, name="broken"):
        def __getattribute__(self, name: str) -> Any:
            return fail if name == method else begin_anew

    monkeypatch.setattr("zerosum.loggers.catalog.lookup", lambda base, name: Broken if name == "broken" else own[name])
    own = loggers.catalog.choices(Logger)
    monkeypatch.setattr(Broken, "__abstractmethods__", frozenset())
    run.open("broken", "csv")
    run.play(1, 3)
    run.logs.close()
    assert run.told == ["log broken is lost from here on, the run goes on without it: no more"]
    assert len(run.rows("metrics.csv")) == 3


def test_what_is_not_installed_or_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.loggers.is_installed", lambda package: False)
    loggers.check_usable(["csv"])
    with pytest.raises(InputError, match=r"--log tensorboard needs pip install 'zerosum\[tensorboard\]'"):
        loggers.check_usable(["csv", "tensorboard"])
    with pytest.raises(InputError, match="unknown log 'cvs': did you mean 'csv'"):
        loggers.check_usable(["cvs"])


def rows_of_wandb(run: Run) -> list[dict[str, Any]]:
    """Read the rows of all files: in blocks of 32 KiB as of LevelDB's log, each part with 7 bytes before."""
    from wandb.proto.wandb_internal_pb2 import Record

    rows = []
    for file in sorted((run.folder.path / "wandb").glob("offline-run-*/*.wandb")):
        content, place, parts = file.read_bytes(), 7, b""
        while place + 7 <= len(content):
            if 32_768 - place % 32_768 < 7:
                place += 32_768 - place % 32_768
                continue
            length, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
            parts += content[place + 7 : place + 7 + length]
            place += 7 + length
            if kind in (1, 4):  # whole, or the last of several
                record = Record()
                record.ParseFromString(parts)
                parts = b""
                if record.WhichOneof("record_type") == "history":
                    items = {"/".join(each.nested_key) or each.key: each.value_json for each in record.history.item}
                    rows.append({name: json.loads(value) for name, value in items.items()})
                if record.WhichOneof("record_type") == "run":
                    rows.append({"config": [each.key for each in record.run.config.update]})
    return rows


def test_wandb_writes_on_disk_and_nothing_twice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="the package wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    run.open("wandb")
    assert "offline" in run.logs.describe()[0]
    run.play(1, 3)
    run.record(iteration(4))
    run.logs.log_text(4, "finding", "the discriminator won")
    run.logs.close()
    run.replay_from(2)
    run.open("wandb", step=2)
    run.play(3, 5)
    run.logs.close()
    assert run.told == []
    rows = rows_of_wandb(run)
    assert [(row["step"], row["training/penalty"]) for row in rows if "training/penalty" in row] == [
        (step, 0.5) for step in (1, 2, 3, 4, 5)
    ]
    assert [row["step"] for row in rows if "scores/frechet-distance/5000-samples/low" in row] == [3, 5]
    assert [row["step"] for row in rows if any(name.startswith("samples") for name in row)] == [1, 2, 3, 4, 5]
    assert [row["finding"] for row in rows if "finding" in row] == ["the discriminator won"]
    assert any("generator_optimizer.lr" in row["config"] for row in rows if "config" in row)
    assert len({file.name for file in (run.folder.path / "wandb").glob("offline-run-*/*.wandb")}) == 1


def test_wandb_is_offline_unless_somebody_is_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zerosum.loggers.wandb import is_logged_in

    for name in ("WANDB_API_KEY", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not is_logged_in()
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password x\n")
    (tmp_path / "netrc").chmod(0o600)
    assert is_logged_in()
    monkeypatch.setenv("WANDB_BASE_URL", "https://elsewhere.example")
    assert not is_logged_in()
    monkeypatch.setenv("WANDB_API_KEY", "x")
    assert is_logged_in()


def test_trackio_keeps_it_on_disk_and_nothing_twice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(run.folder.path.parent / "trackio"))
    trackio = pytest.importorskip("trackio", reason="the package trackio is not installed")
    run.open("trackio")
    (words,) = run.logs.describe()
    run.play(1, 3)
    run.record(iteration(4))
    run.logs.log_text(4, "finding", "the discriminator won")
    run.logs.close()
    run.replay_from(2)
    run.open("trackio", step=2)
    run.play(3, 5)
    run.logs.close()
    assert run.told == []
    rows = trackio.SQLiteStorage.get_logs("zerosum", words.split()[3])
    assert [(row["step"], row["training/penalty"]) for row in rows if "training/penalty" in row] == [
        (step, 0.5) for step in (1, 2, 3, 4, 5)
    ]
    assert [row["step"] for row in rows if "scores/frechet-distance/5000-samples" in row] == [3, 5]
    assert [row["step"] for row in rows if "samples" in row] == [1, 2, 3, 4, 5]
    assert [row["finding"] for row in rows if "finding" in row] == ["the discriminator won"]
    (found,) = [each for each in trackio.Api().runs("zerosum") if each.name == words.split()[3]]
    assert "generator_optimizer.lr" in found.config
