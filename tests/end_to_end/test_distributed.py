"""Several processes that play one game: the same bits as one, and one end for all."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file

import zerosum
from tests.end_to_end.conftest import COMMAND
from zerosum import recipes
from zerosum.game.recipe import change

ROOT = Path(__file__).parents[2]
TORCHRUN = str(COMMAND.with_name("torchrun"))
TRAIN = ("train", "ring", "--recipe", "toy", "--steps", "120", "--set", "threads=1", "--set", "precision=float32")
ENDS = 30  # seconds in which all processes have to end when one is gone


def environment(**variables: object) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **{name: str(value) for name, value in variables.items()}}


def play_every_recipe(processes: int) -> dict[str, Any]:
    launcher = [sys.executable] if processes == 1 else [TORCHRUN, "--nproc-per-node", str(processes)]
    call = [*launcher, "-m", "tests.end_to_end.every_recipe"]
    done = subprocess.run(call, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    each = [json.loads(line) for line in done.stdout.replace("}{", "}\n{").splitlines()]
    assert len(each) == processes
    assert all(other == each[0] for other in each)  # equal weights, optimisers, memories and calls in all processes
    return each[0]


def test_every_recipe_has_the_same_bits_in_one_process_in_two_and_in_four() -> None:
    alone, *together = (play_every_recipe(count) for count in (1, 2, 4))
    assert alone["threads"] == [0, 0]
    for found in together:
        during, after = found["threads"]
        assert during > after == 0  # a thread that outlives the group may abort the process at its end
        for recipe, expected in alone["recipes"].items():
            result = found["recipes"][recipe]
            assert result["bits"] == expected["bits"], recipe
            assert result["gradients left"] == expected["gradients left"] == []
            assert result["calls"] > 0 == expected["calls"]


@contextmanager
def ranks(
    count: int, folder: Path, *arguments: str, program: Sequence[str] = ("-m", "zerosum")
) -> Iterator[list[subprocess.Popen[str]]]:
    """Start the command in as many processes as torchrun would, without it, and see that none is left behind."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [
        subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=folder,
            env=environment(**shared, RANK=rank, LOCAL_RANK=rank),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def train_together(count: int, folder: Path, *arguments: str) -> tuple[list[int], str, str]:
    """Run the command in so many processes; return exit codes, and what was printed to both streams."""
    with ranks(count, folder, *arguments) as processes:
        said = [process.communicate(timeout=120) for process in processes]
        return (
            [process.returncode for process in processes],
            "".join(out for out, _ in said),
            "".join(e for _, e in said),
        )


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def records(run: Path) -> list[dict[str, Any]]:
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def count_iterations(run: Path) -> int:
    file = run / "metrics.jsonl"
    return file.read_text().count('"kind": "iteration"') if file.exists() else 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that one process played to its end, its minibatches in four parts."""
    folder = tmp_path_factory.mktemp("whole")
    call = [str(COMMAND), *TRAIN, "--set", "accumulate=4", "--out", "run"]
    subprocess.run(call, cwd=folder, env=environment(), check=True, capture_output=True, timeout=120)
    return folder / "run"


def test_a_run_goes_on_in_other_numbers_of_processes_with_the_same_bits(whole: Path, tmp_path: Path) -> None:
    """Begun by two under torchrun, stopped; gone on by one, stopped; ended by four."""
    run = tmp_path / "run"
    launched = [TORCHRUN, "--nproc-per-node", "2", "-m", "zerosum", *TRAIN, "--set", "accumulate=4", "--out", str(run)]
    first = subprocess.Popen(launched, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for(lambda: count_iterations(run) >= 20)
    first.terminate()
    out, _ = first.communicate(timeout=60)
    assert "Go on with  zerosum resume" in out
    reached = count_iterations(run)
    assert reached < 119
    second = subprocess.Popen([str(COMMAND), "resume", str(run)], env=environment(), stdout=subprocess.DEVNULL)
    wait_for(lambda: count_iterations(run) > reached + 20)
    second.terminate()
    assert second.wait(timeout=60) == 143
    codes, out, err = train_together(4, tmp_path, "resume", str(run))
    assert (codes, err) == ([0] * 4, "")
    assert out.count("Finished 120 iterations") == 1
    for name in ("generator.safetensors", "best.safetensors"):
        found, expected = load_file(run / name), load_file(whole / name)
        assert all(found[key].equal(expected[key]) for key in expected.keys() | found.keys())
    assert records(run) == records(whole)


def test_all_processes_end_when_one_is_gone_and_the_run_goes_on(whole: Path, tmp_path: Path) -> None:
    for gone, left in ((0, 1), (1, 0)):
        run = tmp_path / f"run{gone}"
        with ranks(2, tmp_path, *TRAIN, "--set", "accumulate=4", "--out", str(run)) as processes:
            wait_for(lambda run=run: count_iterations(run) >= 10)  # type: ignore[misc]
            processes[gone].kill()
            _, err = processes[left].communicate(timeout=ENDS)
            assert processes[left].returncode == 1, err
            assert "another process of this run is gone" in err
            assert err.count("\n") == 1
    codes, _, err = train_together(2, tmp_path, "resume", str(run))
    assert (codes, err) == ([0, 0], "")
    assert records(run) == records(whole)


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    """Images of two classes that a classifier tells apart at once, in whose features scores are measured."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, 240)
    values = draw.integers(0, 200, (240, 8, 8, 3)) + 55 * (labels[:, None, None, None] == np.arange(3))
    np.savez(tmp_path / "colours.npz", images=values.astype(np.uint8), labels=labels)
    return tmp_path / "colours.npz"


def test_scores_of_images_are_those_of_one_process(colours: Path, tmp_path: Path) -> None:
    """Channels lie last in what generators make, and another layout would give other bits."""
    changes = ("networks.width=4", "batch_size=8", "accumulate=4", "precision=float32", "threads=1")
    zerosum.train(colours, reduce(change, changes, recipes.find("compact")), steps=2, out=tmp_path / "alone")
    call = [word for change in changes for word in ("--set", change)]
    call = ["train", str(colours), "--recipe", "compact", "--steps", "2", *call, "--out", "together"]
    codes, _, err = train_together(2, tmp_path, *call)
    assert (codes, err) == ([0, 0], "")
    expected, found = (records(tmp_path / name) for name in ("alone", "together"))
    assert found == expected
    assert "classifier" in next(line["features"] for line in expected if line.get("metric") == "frechet-distance")


WATCHED = """
import os, signal, sys
from zerosum.cli import main
from zerosum.run.sharing import Helper

work, rank = Helper.{method}, int(os.environ["RANK"])


def act(self, rows):
    if self._run.step:
        {act}
    return work(self, rows)


Helper.{method} = act
main()
"""


@contextmanager
def ranks_that(act: str, method: str, run: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Start two processes that do something before each share of the work when they score."""
    program = ("-c", WATCHED.format(act=act, method=method))
    with ranks(2, run.parent, *TRAIN, "--set", "accumulate=4", "--out", str(run), program=program) as processes:
        yield processes


def test_each_process_ends_with_a_line_when_one_fails_while_they_score(tmp_path: Path) -> None:
    with ranks_that("raise MemoryError", "_extract", tmp_path / "run") as processes:
        _, of_other = processes[1].communicate(timeout=120)
        _, of_first = processes[0].communicate(timeout=ENDS)
    assert [process.returncode for process in processes] == [1, 1]
    assert of_first.startswith("error: another process of this run is gone")
    assert of_other.startswith("error in process 1: out of memory")
    assert [of_first.count("\n"), of_other.count("\n")] == [1, 1]
    assert not any(line["kind"] == "score" for line in records(tmp_path / "run"))


def test_a_stop_while_processes_score_waits_for_the_scores(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    act = 'os.kill(os.getpid(), signal.SIGTERM) if rank == 0 else sys.stderr.write("helps,")'
    with ranks_that(act, "sample", run) as processes:
        out, err = processes[0].communicate(timeout=120)
        _, of_other = processes[1].communicate(timeout=ENDS)
    assert ([process.returncode for process in processes], err) == ([143, 0], "")
    assert of_other == "helps,helps,helps,"  # 5,000 samples are 79 chunks, and a process gets 16 at a time
    assert "Stopped after 30 of 120 iterations" in out
    assert records(run) == [line for line in records(whole) if line["step"] <= 30]


def test_minibatches_are_cut_for_the_processes_there_are_and_minutes_are_agreed_on(tmp_path: Path) -> None:
    minutes = ("train", "ring", "--recipe", "toy", "--minutes", "0.1", "--set", "threads=1", "--out", "run")
    codes, out, err = train_together(2, tmp_path, *minutes)
    assert (codes, err) == ([0, 0], "")
    assert out.count("Finished") == 1
    assert "each of 2 processes plays its share of 2 parts of a minibatch" in out
    assert json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]["accumulate"] == 2


def test_what_several_processes_cannot_do_is_refused(tmp_path: Path) -> None:
    with ranks(3, tmp_path, *TRAIN, "--set", "accumulate=4", "--out", "run") as processes:
        _, err = processes[0].communicate(timeout=60)
    assert processes[0].returncode == 2
    assert err == (
        "error: minibatches in 4 parts (accumulate) cannot be shared by 3 processes: take a number of processes that "
        "divides it\n"
    )
    assert list(tmp_path.iterdir()) == []
    call = [str(COMMAND), *TRAIN, "--out", "run"]
    done = subprocess.run(
        call, cwd=tmp_path, env=environment(WORLD_SIZE=2), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert (
        "RANK, LOCAL_RANK, MASTER_ADDR, MASTER_PORT are not set: start them with torchrun --nproc-per-node"
        in done.stderr
    )
    assert list(tmp_path.iterdir()) == []
