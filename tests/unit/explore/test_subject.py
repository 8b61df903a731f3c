"""What is meant by a word: a toy, a run, a generator."""

import shutil
from pathlib import Path

import pytest

from tests.unit.explore.written import write_run
from tests.unit.export.untrained import small, untrained
from zerosum.errors import InputError
from zerosum.explore.questions import Place
from zerosum.explore.subject import open_subject


def test_a_toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    subject = open_subject("gaussian")
    assert subject.session is not None
    assert subject.session.state()["settings"]["data"] == "gaussian"
    assert subject.space is subject.run is None
    subject.close()
    write_run(tmp_path / "ring")
    assert open_subject("ring").run == Path("ring")


def test_a_run_and_its_training_images(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    subject = open_subject(str(folder.path))
    assert (subject.name, subject.run, subject.session) == ("run", folder.path, None)
    assert subject.space is not None
    images, distances = subject.space.find_training(Place())
    assert images.shape == (6, 1, 8, 8)
    assert distances[0] > 0
    subject.close()


def test_training_images_of_a_run_that_is_gone(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    space = open_subject(str(folder.path)).space
    assert space is not None
    shutil.rmtree(folder.path)
    with pytest.raises(InputError, match=r"^no run at \S+/run any more$"):
        space.find_training(Place())


def test_a_run_without_a_generator_and_then_with_its_best(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", generator=False)
    subject = open_subject(str(folder.path))
    assert (subject.space, subject.run) == (None, folder.path)
    assert subject.why_no_space.startswith("The run has no generator yet")
    untrained(small("mlp"), 2).save(folder.best)
    subject = open_subject(str(folder.path))
    assert subject.space is not None
    assert (subject.space.generator.shape, subject.why_no_space) == ((2,), "")
    folder.best.write_bytes(b"damaged")
    assert "best.safetensors" in open_subject(str(folder.path)).why_no_space


def test_a_run_of_a_toy_is_played_again_by_its_recipe(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", data="ring")
    subject = open_subject(str(folder.path))
    session = subject.session
    assert session is not None
    assert subject.space is not None
    assert (subject.space.generator.shape, subject.run) == ((2,), folder.path)
    assert session.choices()["recipe"][0] == str(folder.path)
    assert session.state()["command"] == f"zerosum train ring --recipe {folder.path} --seed 5"
    session.tell("restart", {"settings": {**session.state()["settings"], "game": "hinge"}})
    with pytest.raises(InputError, match="unknown"):
        session.tell("restart", {"settings": {"recipe": str(tmp_path)}})
    shutil.rmtree(folder.path)
    with pytest.raises(InputError):
        session.tell("restart", {"settings": session.state()["settings"]})
    subject.close()


def test_generators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    untrained(small("compact"), 1, 8, 8).save(tmp_path / "g.safetensors")
    alone, shipped = open_subject("g.safetensors"), open_subject("digits")
    assert alone.space is not None
    assert shipped.space is not None
    assert (alone.run, alone.name) == (None, "g.safetensors")
    with pytest.raises(InputError, match="explore its run's folder"):
        alone.space.find_training(Place())
    assert len(shipped.space.find_training(Place())[0]) == 6


def test_a_device_that_is_not_there_is_refused_also_for_games_on_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zerosum.game.engine._present", lambda: ["cpu"])
    for what in ("ring", write_run(tmp_path / "run", data="ring").path):
        with pytest.raises(InputError, match="device 'cuda' is not available here"):
            open_subject(str(what), "cuda")


def test_what_cannot_be_explored(tmp_path: Path) -> None:
    for what, words in {
        tmp_path: "is not a run folder",
        tmp_path / "nowhere": "no run and no generator at",
    }.items():
        with pytest.raises(InputError, match=words):
            open_subject(str(what))
