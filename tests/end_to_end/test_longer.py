"""`resume` with more iterations, with moved data, and of a finished run."""

import json
import signal
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

import zerosum
from tests.end_to_end.conftest import Command
from zerosum import recipes
from zerosum.data.readers import open_source
from zerosum.errors import InputError
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import change
from zerosum.records import IterationRecord, Record
from zerosum.run_folder import RunFolder

RECIPE = change(replace(zerosum.recipe("toy"), batch_size=16), "generator_optimizer.decay_from=0.5")


def run_json(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "run.json").read_text()))


def metrics(run: Path) -> list[dict[str, Any]]:
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def weights(run: Path, step: int) -> bytes:
    return (run / "checkpoints" / f"{step:06d}.safetensors").read_bytes()


def interrupted_at(step: int) -> Any:
    def interrupt(record: Record) -> None:
        if isinstance(record, IterationRecord) and record.step == step:
            signal.raise_signal(signal.SIGINT)

    return interrupt


@pytest.fixture
def here(in_process: Command) -> Path:
    """A folder with a finished run of six iterations, called `run`, and its data."""
    points = np.random.default_rng(0).normal(size=(200, 2)).astype("f4")
    np.save(in_process.folder / "points.npy", points)
    zerosum.train("points.npy", RECIPE, steps=6, out="run")
    return in_process.folder


def test_a_finished_run_is_trained_longer_with_the_schedule_of_the_new_total(here: Path, in_process: Command) -> None:
    code, out, err = in_process("resume", "run", "--steps", 14)
    assert (code, err) == (0, "")
    assert "run: going on after 6 of 14 iterations\n14 iterations in all instead of 6, 8 from here on; " in out
    assert "follows the new one, 6 of 14 instead of 6 of 6; the generator's rate is 0.003 here, not 0; " in out
    assert "; the discriminator's rate is 0.00245 here, not 0\n" in out  # 3e-3 (1 - 6/14) / (1 - 0.3)
    assert run_json(here / "run")["lengths"] == [[0, 6], [6, 14]]
    assert run_json(here / "run")["steps"] == 14
    assert [line["step"] for line in metrics(here / "run") if line["kind"] == "iteration"] == list(range(1, 15))
    recipe = recipes.of_run(RunFolder(here / "run"))
    source = open_source(here / "points.npy")
    players = Players.build(recipe, source, Engine(torch.device("cpu")), 0)
    for steps, start, end in ((6, 0, 6), (14, 6, 14)):
        for _ in islice(play(players, recipe, source.train, steps=steps, seed=0, start=start), end - start):
            pass
    found = safetensors.torch.load(weights(here / "run", 14))
    for name, tensor in players.generator.network.state_dict().items():
        assert torch.equal(found[f"generator/{name}"], tensor)
    assert zerosum.load("run").metadata["step"] == 14


def test_what_was_made_longer_has_the_same_bits_however_often_it_is_interrupted(
    here: Path, in_process: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        zerosum.train("points.npy", "run", steps=6, out="parts", observe=interrupted_at(2))
    zerosum.resume("parts")
    for stop in (8, 11):
        with pytest.raises(KeyboardInterrupt):
            zerosum.resume("parts", steps=14, observe=interrupted_at(stop))
    zerosum.resume("parts")
    assert in_process("resume", "run", "--steps", 14)[0] == 0
    assert weights(here / "parts", 14) == weights(here / "run", 14)
    assert metrics(here / "parts") == metrics(here / "run")
    monkeypatch.setattr("zerosum.run.checkpoint.KEEP", 9)
    with pytest.raises(KeyboardInterrupt):
        zerosum.train("points.npy", "run", steps=6, out="older", observe=interrupted_at(3))
    zerosum.resume("older")
    with pytest.raises(KeyboardInterrupt):
        zerosum.resume("older", steps=14, observe=interrupted_at(8))
    for step in (6, 8):
        (here / "older" / "checkpoints" / f"{step:06d}.safetensors").write_bytes(b"")
    zerosum.resume("older")  # from iteration 3, before it was made longer
    assert weights(here / "older", 14) == weights(here / "run", 14)
    assert metrics(here / "older") == metrics(here / "run")


def test_a_run_is_made_longer_before_its_end(here: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        zerosum.train("points.npy", "run", steps=6, out="parts", observe=interrupted_at(2))
    zerosum.resume("parts", steps=9)
    assert run_json(here / "parts")["lengths"] == [[0, 6], [2, 9]]
    assert "It was made longer before it had ended" in (here / "parts" / "report.html").read_text()
    zerosum.resume("run", steps=9)
    commands = (here / "run" / "report.html").read_text().split("<pre>")[1].split("</pre>")[0].splitlines()
    assert [line.split()[1] for line in commands] == ["train", "resume"]
    assert commands[1] == f"zerosum resume {here}/run-again --steps 9"


def test_minutes_are_counted_from_here_on(here: Path, in_process: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as the run's own speed lets expect, here a second for an iteration."""
    newest = max((here / "run" / "checkpoints").glob("*.json"))
    newest.write_text(json.dumps({**json.loads(newest.read_text()), "seconds": 6.0}))
    monkeypatch.setattr("zerosum.run.pace.PLANS", 0.5)  # so that it is not planned again
    code, out, _ = in_process("resume", "run", "--minutes", 0.1)
    about = run_json(here / "run")
    assert (code, about["lengths"], about["minutes"]) == (0, [[0, 6], [6, 12]], pytest.approx(0.2))
    assert "12 iterations in all instead of 6, 6 from here on" in out
    zerosum.resume("run", steps=14)
    assert run_json(here / "run")["minutes"] is None


def test_a_finished_run_says_what_to_ask_for(here: Path, in_process: Command) -> None:
    before = (here / "run" / "metrics.jsonl").read_bytes()
    said = in_process.refused("resume", "run")
    assert "run is finished after 6 iterations: to train longer, 'zerosum resume run --steps 12' (iterations in" in said
    for steps, more in ((4, 10), (6, 12)):
        said = in_process.refused("resume", "run", "--steps", steps)
        assert f"--steps {steps} counts from the run's beginning, and run has 6 iterations: for {steps} more, " in said
        assert said.endswith(f"--steps {more}\n")
    assert "give one of them" in in_process.refused("resume", "run", "--steps", 9, "--minutes", 1)
    with pytest.raises(InputError, match="run is finished after 6 iterations"):
        zerosum.resume("run")
    assert (here / "run" / "metrics.jsonl").read_bytes() == before


def test_a_run_goes_on_where_its_data_lie_now(here: Path, in_process: Command) -> None:
    (here / "points.npy").rename(here / "moved.npy")
    was = str(here / "points.npy")
    gone = f"the data that the run was trained on are no longer at {was}: "
    assert gone + "say where they lie now, --data PLACE" in in_process.refused("resume", "run", "--steps", 9)
    assert gone + "say where they lie now, --data PLACE" in in_process.refused("equilibrium", "run")
    assert gone + "say which real data to compare with: --against" in in_process.refused("evaluate", "run")
    np.save(here / "others.npy", np.random.default_rng(1).normal(size=(200, 2)).astype("f4"))
    said = in_process.refused("resume", "run", "--steps", 9, "--data", "others.npy")
    assert "the data at others.npy are not those that the run was trained on: give the place of these, or" in said
    assert run_json(here / "run")["data"] == was
    code, _, err = in_process("resume", "run", "--steps", 9, "--data", "moved.npy")
    assert (code, err) == (0, "")
    about = run_json(here / "run")
    assert about["data"] == str(here / "moved.npy")
    assert about["earlier_data"] == [{"data": was, "fingerprint": about["fingerprint"], "until": 6}]
    assert in_process("equilibrium", "run", "--steps", 1, "--data", "moved.npy")[0] == 0


@pytest.mark.parametrize("lengths", ["x", [[0, 5]], [[1, 6]], [[0, 3], [0, 6]], [[0, 6.0]], [[0, 6, 6]], []])
def test_other_lengths_are_damage(here: Path, in_process: Command, lengths: object) -> None:
    (here / "run" / "run.json").write_text(json.dumps({**run_json(here / "run"), "lengths": lengths}))
    assert "run.json is damaged: lengths cannot be" in in_process.refused("resume", "run", "--steps", 9)
