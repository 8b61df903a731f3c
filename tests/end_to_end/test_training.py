"""Train from a program, with parts of its own."""

import json
import math
import re
import runpy
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zerosum
from zerosum.errors import InputError, RunFailed
from zerosum.game.optimizers import Adam
from zerosum.game.recipe import change
from zerosum.records import IterationRecord, Record

PAGES = Path(__file__).parents[2] / "docs"


def run_page(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, Any]:
    """Run the programs on a page, one after the other, in `folder`, and return what they define."""
    monkeypatch.chdir(folder)
    programs = re.findall(r"```python\n(.*?)```", (PAGES / name).read_text(encoding="utf-8"), re.DOTALL)
    (folder / "mine.py").write_text("".join(programs))
    return runpy.run_path("mine.py")


def test_the_loop_on_the_page_of_the_paper_learns_where_the_data_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    generator = run_page("paper.md", monkeypatch, tmp_path)["G"]
    with torch.no_grad():
        radius = generator(torch.randn(2_500, 2)).norm(dim=1).median()
    assert abs(radius - 2) < 0.2


def test_the_programs_on_the_page_of_parts_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run_page("parts.md", monkeypatch, tmp_path)
    generator, again = found["generator"], found["again"]
    assert isinstance(generator, zerosum.TrainedGenerator)
    assert isinstance(again, zerosum.TrainedGenerator)
    assert torch.equal(again.sample(16), generator.sample(16))
    assert re.fullmatch(r"<TrainedGenerator plain, [\d,]+ weights, samples of \[1, 8, 8\]>", repr(generator))
    about = json.loads((tmp_path / "runs" / "mine" / "run.json").read_text())
    assert about["recipe"]["game"] == {"name": "tempered", "temperature": 3.0}
    assert about["recipe"]["networks"]["width"] == 32
    assert found["score"].samples > 0
    game, p, q = found["Exponential"](), torch.tensor(0.8), torch.tensor(0.2)
    best = game.optimal_logit((p / q).log()).requires_grad_()
    never = torch.tensor(math.inf)
    loss = p * game.discriminator_loss(best, -never) + q * game.discriminator_loss(never, best)
    assert abs(torch.autograd.grad(loss, best)[0]) < 1e-6


def test_an_interrupted_program_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def interrupt(record: Record) -> None:
        if record.step == 1:
            signal.raise_signal(signal.SIGINT)

    recipe = replace(zerosum.recipe("toy"), batch_size=16)
    with pytest.raises(KeyboardInterrupt, match="stopped after 1 of 6 iterations"):
        zerosum.train("ring", recipe, steps=6, out="run", observe=interrupt)
    assert zerosum.load("run").metadata["step"] == 1
    whole = zerosum.train("ring", recipe, steps=6, out="whole")
    assert torch.equal(zerosum.resume("run").sample(16), whole.sample(16))


def test_a_program_may_train_in_another_thread(tmp_path: Path) -> None:
    recipe = replace(zerosum.recipe("toy"), batch_size=16)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(zerosum.train, "ring", recipe, steps=2, out=tmp_path / "r").result().metadata["step"] == 2


@pytest.mark.usefixtures("in_process")  # with few samples to score
def test_of_two_trainings_in_one_process_the_second_is_refused(tmp_path: Path) -> None:
    recipe = replace(zerosum.recipe("toy"), batch_size=16)
    refused: list[str] = []

    def train_another(record: Record) -> None:
        with ThreadPoolExecutor(1) as pool, pytest.raises(InputError) as caught:
            pool.submit(zerosum.train, "ring", recipe, steps=2, out=tmp_path / "other").result()
        refused.append(str(caught.value))

    zerosum.train("ring", recipe, steps=1, out=tmp_path / "run", observe=train_another)
    assert refused[0].startswith("another training runs in this process, and the results of both would depend")
    assert not (tmp_path / "other").exists()
    zerosum.train("ring", recipe, steps=1, out=tmp_path / "other")  # now that the first one has ended


@pytest.mark.usefixtures("in_process")
def test_who_samples_beside_a_training_changes_nothing_in_it(tmp_path: Path) -> None:
    recipe = change(replace(zerosum.recipe("toy"), batch_size=16), "networks.dropout=0.5")
    alone = zerosum.train("ring", recipe, steps=8, out=tmp_path / "alone")
    expected, wanted = alone.sample(300, seed=1), alone.sample(64, seed=2)
    ended = threading.Event()

    def sample() -> bool:
        same = [torch.equal(alone.sample(300, seed=1), expected)]
        while not ended.is_set():
            same.append(torch.equal(alone.sample(300, seed=1), expected))
        return all(same)

    with ThreadPoolExecutor(1) as pool:
        sampled = pool.submit(sample)
        try:
            beside = zerosum.train("ring", recipe, steps=8, out=tmp_path / "beside")
        finally:
            ended.set()
        assert sampled.result()
    assert torch.equal(beside.sample(64, seed=2), wanted)


def test_what_a_program_types_is_completed() -> None:
    assert {"train", "load", "open_source"} <= set(dir(zerosum))
    assert zerosum.game.losses.NonSaturating().probabilistic
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        zerosum.trian  # noqa: B018


def test_a_program_resumes_what_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def interrupt(record: Record) -> None:
        if record.step == 3:
            raise KeyboardInterrupt

    recipe = replace(zerosum.recipe("toy"), batch_size=16)
    whole = zerosum.train("ring", recipe, steps=6, out="whole")
    with pytest.raises(KeyboardInterrupt):
        zerosum.train("ring", recipe, steps=6, out="parts", observe=interrupt)
    assert torch.equal(zerosum.resume("parts").sample(8), whole.sample(8))


def test_a_program_and_the_command_train_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zerosum.cli import main

    monkeypatch.chdir(tmp_path)
    seen: list[Record] = []
    recipe = replace(zerosum.recipe("toy"), batch_size=16)
    zerosum.train("ring", recipe, steps=4, out="program", observe=seen.append)
    assert [record.step for record in seen if isinstance(record, IterationRecord)] == [1, 2, 3, 4]
    arguments = ["train", "ring", "--recipe", "toy", "--set", "batch_size=16", "--steps", "4", "--out", "command"]
    monkeypatch.setattr("sys.argv", ["zerosum", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    one, other = (tmp_path / name / "generator.safetensors" for name in ("program", "command"))
    assert one.read_bytes() == other.read_bytes()


def test_a_program_s_threads_and_whole_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recipe's number of threads holds for its run only, and NumPy's whole numbers are accepted."""
    monkeypatch.chdir(tmp_path)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for seed in np.arange(2):
            zerosum.train("ring", replace(zerosum.recipe("toy"), batch_size=16), steps=2, seed=seed, out=f"run-{seed}")
            assert torch.get_num_threads() == 2
        assert [json.loads(Path(f"run-{seed}", "run.json").read_text())["seed"] for seed in range(2)] == [0, 1]
        assert json.loads(Path("run-1", "run.json").read_text())["threads"] == 1
    finally:
        torch.set_num_threads(before)


def test_a_game_that_diverges_is_no_wrong_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    steep = replace(zerosum.recipe("toy"), batch_size=16, generator_optimizer=Adam(lr=1e8))
    with pytest.raises(RunFailed, match=r"diverged before step 1: .* not a finite number.*The last checkpoint"):
        zerosum.train("ring", steep, steps=4, out="run")


@pytest.mark.usefixtures("in_process")
def test_changed_data_are_refused_unless_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    zerosum.train("ring", replace(zerosum.recipe("toy"), batch_size=16), steps=2, out="run")
    about = json.loads(Path("run", "run.json").read_text())
    Path("run", "run.json").write_text(json.dumps({**about, "fingerprint": "0" * 32}))
    with pytest.raises(InputError, match="have changed since the run began"):
        zerosum.resume("run", steps=4)
    assert zerosum.resume("run", steps=4, allow_changed_data=True).sample(2).shape == (2, 2)
    noted = json.loads(Path("run", "run.json").read_text())
    assert noted["fingerprint"] == about["fingerprint"]
    assert noted["earlier_data"] == [{"data": "ring", "fingerprint": "0" * 32, "until": 2}]
    zerosum.resume("run", steps=6)
    with pytest.raises(InputError, match="a run is the path of its folder, not 3"):
        zerosum.resume(3)  # type: ignore[arg-type]  # what people type


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"steps": 3, "minutes": 1.0}, "give one of them"),
        ({"steps": 0}, "steps: it must be greater than or equal to 1, but it was 0"),
        ({"steps": 2.5}, "steps: it must be a whole number, but it was 2.5"),
        ({"steps": "3"}, "steps: it must be a whole number, but it was '3'"),
        ({"minutes": float("nan")}, "minutes: "),
        ({"minutes": float("inf")}, "minutes: it must be a finite number, but it was inf"),
        ({"seed": -1}, "seed: it must be greater than or equal to 0, but it was -1"),
        ({"seed": True}, "seed: it must be a whole number, but it was True"),
        ({"seed": "x"}, "seed: it must be a whole number, but it was 'x'"),
        ({"out": 5}, "out: "),
        ({"recipe": None}, "a recipe is a name, a file or a Recipe"),
        ({"recipe": "dcgna"}, "unknown recipe 'dcgna'"),
        ({"device": "cuda:99"}, "cuda:99"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(
    wanted: dict[str, object], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=problem):
        zerosum.train("ring", **wanted)  # type: ignore[arg-type]  # what people type
    assert not list(tmp_path.iterdir())
