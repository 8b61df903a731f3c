"""Several seeds of one recipe: each run is what it would be alone, and the whole goes on after any stop."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Command
from zerosum.cli import _series
from zerosum.cli._training import Display
from zerosum.records import Record
from zerosum.run.divergence import Diverged
from zerosum.run.series import SeriesTraining
from zerosum.run.trainer import Trainer

FEW = ("--recipe", "toy", "--steps", 8)
DIVERGING = ("--set", "generator_optimizer.lr=1e30", "--set", "discriminator_optimizer.lr=1e30")


@pytest.fixture
def quick(in_process: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command without the pictures of points, which take most of the time of such short runs."""
    monkeypatch.setattr(Trainer, "save_picture", lambda *_: None)
    monkeypatch.setattr("zerosum.report.run._curves", lambda *_, **__: b"")
    return in_process


def state(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("generator.safetensors")}


def test_each_run_is_what_it_would_be_alone_and_the_means_are_shown(quick: Command) -> None:
    code, out, err = quick("train", "ring", *FEW, "--seed", 4, "--seeds", 2)
    assert (code, err) == (0, "")
    whole = quick.folder / "runs" / "ring"
    assert sorted(each.name for each in whole.iterdir()) == ["seed-4", "seed-5", "seeds.json"]
    assert "seeds 4 and 5, one run after the other, in runs/ring" in out
    assert "seed 5, run 2 of 2" in out
    assert "mean (n=2)" in out
    assert "Look at    runs/ring/seed-5/report.html" in out
    assert (whole / "seed-5" / "report.html").exists()
    code, _, _ = quick("train", "ring", *FEW, "--seed", 5, "--out", "alone")
    assert code == 0
    same = "checkpoints/000008.safetensors"
    assert (quick.folder / "alone" / same).read_bytes() == (whole / "seed-5" / same).read_bytes()
    code, out, err = quick("compare", "runs/ring", "alone")
    assert (code, err) == (0, "")
    assert "Left out   alone: the recipe and the seed of runs/ring/seed-5 once more" in out


def test_two_recipes_are_compared_with_a_picture_and_json(quick: Command) -> None:
    quick("train", "ring", *FEW, "--seeds", 2, "--out", "a")
    quick("train", "ring", *FEW, "--seeds", 2, "--out", "b", "--set", "game=hinge")
    code, out, err = quick("compare", "a", "b", "--out", "curves.png", "--json", "figures.json")
    assert (code, err) == (0, "")
    assert "B  b: recipe toy, 2 seeds (0, 1), 8 iterations" in out
    assert "A and B differ by" in out or "than A by" in out
    assert (quick.folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert len(json.loads((quick.folder / "figures.json").read_text())["groups"]) == 2
    code, _, _ = quick("compare", "a", "b", "--out", "curves.png", "--json", "figures.json")
    assert code == 0  # its own files may be replaced
    assert "curves.jpg: its name must end in .png" in quick.refused("compare", "a", "--out", "curves.jpg")
    assert "is no comparison of zerosum" in quick.refused("compare", "a", "--json", "a/seeds.json")


@pytest.mark.parametrize(("number", "seed"), [(signal.SIGINT, 0), (signal.SIGTERM, 1)])
def test_a_stop_stops_the_whole_and_resume_ends_all_with_the_same_bits(
    number: signal.Signals, seed: int, quick: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    show, words = Display.show, ("train", "ring", *FEW, "--seeds", 2)

    def interrupt(display: Display, record: Record) -> None:
        show(display, record)
        if record.step == 3 and display._trainer.seed == seed:
            os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(Display, "show", interrupt)
        code, out, err = quick(*words, "--out", "whole")
    assert (code, err) == (128 + number, "")
    assert f"Stopped in seed {seed}; {seed} of 2 runs are over.\nGo on with  zerosum resume whole\n" in out
    code, out, err = quick("resume", "whole")
    assert (code, err) == (0, "")
    assert f"whole/seed-{seed}: 3 of 8 iterations are done" in out
    assert "Finished 2 of 2 runs in whole" in out
    code, _, err = quick(*words, "--out", "again")
    assert (code, err) == (0, "")
    ends = state(quick.folder / "whole")
    assert ends == state(quick.folder / "again")
    assert len(ends) == 2
    code, out, err = quick("resume", "whole")  # finished: it only shows the means
    assert (code, err) == (0, "")
    assert "run 2 of 2" not in out
    assert state(quick.folder / "whole") == ends


def test_a_stop_before_a_run_begins_stops_the_whole(quick: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = SeriesTraining.open

    def interrupt(training: SeriesTraining, seed: int) -> Trainer:
        if seed == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return begin(training, seed)

    with monkeypatch.context() as patch:
        patch.setattr(SeriesTraining, "open", interrupt)
        code, out, err = quick("train", "ring", *FEW, "--seeds", 2, "--out", "whole")
    assert (code, err) == (130, "")
    assert "Stopped in seed 1; 1 of 2 runs are over." in out
    assert quick("resume", "whole")[0] == 0


def test_a_seed_that_diverged_is_said_and_the_others_go_on(quick: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    train = _series.train_with_bar

    def diverge(trainer: Any, *rest: Any) -> int:
        if trainer.seed == 0:
            trainer.folder.close()
            raise Diverged("the generator's loss is nan", "; begin with smaller rates")
        return train(trainer, *rest)

    monkeypatch.setattr(_series, "train_with_bar", diverge)
    code, out, err = quick("train", "ring", *FEW, "--seeds", 3, "--out", "whole")
    assert (code, err) == (1, "error: seed 0 of 3 in whole diverged; see above\n")
    assert "seed 0 diverged: the generator's loss is nan; begin with smaller rates" in out
    assert "Finished 2 of 3 runs in whole" in out
    assert "mean (n=2)" in out
    code, out, err = quick("resume", "whole")
    assert code == 1
    assert "seed 0 is passed over: the generator's loss is nan (--on-nonfinite rollback tries it again)" in out
    monkeypatch.setattr(_series, "train_with_bar", train)
    code, out, err = quick("resume", "whole", "--on-nonfinite", "rollback")
    assert (code, err) == (0, "")
    assert "Finished 3 of 3 runs in whole" in out


def test_all_seeds_may_diverge(quick: Command) -> None:
    code, out, err = quick("train", "ring", *FEW, *DIVERGING, "--seeds", 2, "--out", "whole")
    assert (code, err) == (1, "error: seeds 0 and 1 of 2 in whole diverged; see above\n")
    assert out.count("diverged before step") == 2
    assert "whole/seed-0: not finished" in quick.refused("compare", "whole")


def test_a_run_that_was_killed_while_it_was_made_is_begun_anew(quick: Command) -> None:
    quick("train", "ring", *FEW, "--seeds", 2, "--out", "whole")
    before = state(quick.folder / "whole")
    run = quick.folder / "whole" / "seed-1"
    for file in run.rglob("*"):
        if file.is_file() and file.name != "run.json":
            file.unlink()
    code, _, err = quick("resume", "whole")
    assert (code, err) == (0, "")
    assert state(quick.folder / "whole") == before


def test_what_cannot_be_is_refused(quick: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    quick("train", "ring", *FEW, "--seeds", 2, "--out", "whole")
    taken = quick.refused("train", "ring", *FEW, "--seeds", 2, "--out", "whole")
    assert taken == "error: whole exists already: continue it with 'zerosum resume whole' or choose another --out\n"
    assert "--steps, --minutes and --allow-changed-data are for one of them, e.g. zerosum resume whole/seed-0" in (
        quick.refused("resume", "whole", "--steps", 9)
    )
    assert "it holds runs, whole/seed-0, whole/seed-1: name one of them" in quick.refused("sample", "whole")
    assert "no run at nowhere" in quick.refused("compare", "whole", "nowhere")
    assert "'--seeds'" in quick.refused("train", "ring", "--seeds", 1)
    about = quick.folder / "whole" / "seeds.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), "fingerprint": "0" * 32, "seeds": [0, 1, 2]}))
    code, _, err = quick("resume", "whole")
    assert code == 2
    assert "the data at ring are not those that whole began with" in err
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    assert "--seeds trains one seed after the other in one process" in quick.refused("train", "ring", "--seeds", 2)
    assert "a folder of 'train --seeds' trains one seed" in quick.refused("resume", "whole")
