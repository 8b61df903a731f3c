"""The trainer: which generator it keeps, and where it goes on."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.unit.run.small import ENGINE, RECIPE, SOURCE
from tests.unit.test_run_report import SCORE
from zerosum import records
from zerosum.data import Source
from zerosum.data.readers import open_source
from zerosum.errors import InputError, RunFailed
from zerosum.generator.loading import load
from zerosum.metrics import Metric, Score
from zerosum.metrics.features.coordinates import Coordinates
from zerosum.records import ScoreRecord
from zerosum.run import checkpoint, restoring
from zerosum.run.description import describe
from zerosum.run.probe import Probe
from zerosum.run.scoring import Scoring
from zerosum.run.trainer import Trainer
from zerosum.run_folder import RunFolder


def begin(path: Path, steps: int, source: Source = SOURCE, data: str = "digits") -> Trainer:
    return Trainer.create(path, RECIPE, source, describe(data, source, RECIPE, Probe(ENGINE, 0.0), seed=0, steps=steps))


class Counting:
    """An evaluation whose distance is smaller the more samples it sees, as a biased one is."""

    features = Coordinates(torch.ones(2, 2))
    interim, last, pending, seconds_per_image = 10, 10, 0, 0.0

    def __init__(self, level: float) -> None:
        self.level = level

    def scores(
        self,
        samples: Tensor,
        seed: int,
        metrics: Sequence[Metric] = (),
        *,
        training: bool,
        most: int | None = None,
        learned_from: str = "none",
    ) -> list[Score]:
        count = most or len(samples)
        return [replace(SCORE, value=self.level + 1 / count, samples=count)]

    def closest(self, samples: Tensor, seed: int, count: int) -> Tensor:
        return samples[: 2 * count]


def test_the_best_is_found_among_distances_of_equally_many_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counting, "last", 100)
    trainer = begin(tmp_path / "r", steps=1)
    trainer.best = (0.1, 0)  # at 10 samples, so a level of 0
    assert trainer.train(Scoring(Counting(0.05)), lambda line: None, lambda: False)  # type: ignore[arg-type]
    (final,) = records.read(trainer.folder, ScoreRecord)
    assert final.score.value == pytest.approx(0.06)
    assert trainer.best == (0.1, 0)
    trainer.folder.close()


def test_the_generator_is_made_once_for_each_step(tmp_path: Path) -> None:
    trainer = begin(tmp_path / "r", steps=2)
    first = trainer.generator()
    assert trainer.generator() is first
    trainer.train(Scoring(Counting(0.0)), lambda line: None, lambda: False)  # type: ignore[arg-type]
    assert trainer.generator().metadata["step"] == 2
    trainer.folder.close()


def test_a_run_that_goes_on_has_no_generator_of_an_earlier_stop(tmp_path: Path) -> None:
    trainer = begin(tmp_path / "r", steps=3)
    trainer.train(Scoring(Counting(0.0)), lambda line: None, lambda: True)  # type: ignore[arg-type]
    assert trainer.folder.generator.exists()

    def interrupt() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.train(Scoring(Counting(0.0)), lambda line: None, interrupt)  # type: ignore[arg-type]
    assert not trainer.folder.generator.exists()
    trainer.folder.close()


def test_where_nothing_can_be_written_a_run_can_be_looked_at(tmp_path: Path) -> None:
    trainer = begin(tmp_path / "r", steps=2)
    trainer.generator().save(trainer.folder.generator)
    trainer.folder.close()
    (tmp_path / "r" / ".lock").unlink(missing_ok=True)
    (tmp_path / "r" / ".lock").mkdir()  # as good as a medium that is read-only, also for root
    assert RunFolder.open(tmp_path / "r").describe()["steps"] == 2
    assert load(tmp_path / "r").sample(1).shape == (1, 1, 8, 8)
    with pytest.raises(InputError, match=r"cannot write to .*: Is a directory"):
        restoring.resume(tmp_path / "r")


def test_a_run_goes_on_where_it_was_or_on_the_device_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r"
    np.save(tmp_path / "noise.npy", SOURCE.train.samples[:, 0].numpy())
    source = open_source(str(tmp_path / "noise.npy"))
    begin(path, steps=2, source=source, data=str(tmp_path / "noise.npy")).folder.close()
    about = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps({**about, "device": "cuda:7"}))
    for restore in (restoring.look, restoring.resume):
        with pytest.raises(InputError, match="device 'cuda:7' is not available here"):
            restore(path)
        trainer = restore(path, device="cpu")
        assert trainer.engine == replace(ENGINE, threads=about["threads"])
        trainer.folder.close()
    assert json.loads((path / "run.json").read_text())["device"] == "cuda:7"


def test_changed_data_are_no_data_of_the_run_also_to_look_at(tmp_path: Path) -> None:
    np.save(tmp_path / "noise.npy", SOURCE.train.samples[:, 0].numpy())
    data = str(tmp_path / "noise.npy")
    begin(tmp_path / "r", steps=2, source=open_source(data), data=data).folder.close()
    np.save(tmp_path / "noise.npy", SOURCE.train.samples[1:, 0].numpy())
    for restore in (restoring.look, restoring.resume):
        with pytest.raises(InputError, match="have changed since the run began"):
            restore(tmp_path / "r")


@pytest.mark.parametrize("failing", ["save_picture", "save_checkpoint"])
def test_a_run_that_could_not_begin_leaves_its_folder_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def fail(_: Trainer) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, failing, fail)
        with pytest.raises(OSError, match="No space left"):
            begin(tmp_path / "r", steps=2)
    assert [path.name for path in tmp_path.rglob("*") if path.name != ".lock"] == ["r"]
    trainer = begin(tmp_path / "r", steps=2)
    assert checkpoint.steps(trainer.folder.checkpoints) == [0]
    trainer.folder.close()


def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    trainer = begin(tmp_path / "r", steps=1)
    before = sorted(trainer.folder.checkpoints.iterdir())
    with torch.no_grad():
        next(trainer.players.discriminator.network.parameters()).fill_(torch.nan)
    with pytest.raises(RunFailed, match=r"the discriminator's 1\.weight is not finite"):
        trainer.save_checkpoint()
    assert sorted(trainer.folder.checkpoints.iterdir()) == before
    trainer.folder.close()
