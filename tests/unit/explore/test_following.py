"""A run's folder while it is written, and after it is gone."""

import shutil
from pathlib import Path

import pytest

from tests.unit.explore.written import PICTURE, write_run
from zerosum.errors import InputError
from zerosum.explore.following import MOST_POINTS, follow, read_picture


def test_what_is_known_of_a_run(tmp_path: Path) -> None:
    write_run(tmp_path / "cats")
    run = follow(tmp_path / "cats")
    assert (run["name"], run["about"]) == ("cats", "recipe digits, data digits, seed 5")
    assert (run["done"], run["steps"], run["seconds"], run["probabilistic"]) == (3, 4, 0.5, True)
    assert run["curves"]["step"] == [1, 2, 3]
    assert run["curves"]["generator_loss"] == [0.7] * 3
    assert run["scores"][0]["metric"] == "frechet-distance"
    assert run["findings"][0]["sentence"] == "All are <the same>."
    assert (run["verdict"], run["advice"], run["pictures"]) == ("", [], [1, 3])
    assert run["silent"] >= 0
    assert read_picture(tmp_path / "cats", 3) == PICTURE + b"\x03"


def test_a_run_that_is_being_written(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", iterations=1)
    with folder.metrics.open("a") as file:
        file.write('{"kind": "iteration", "step"')
    (folder.samples / "notes.png").write_bytes(b"mine")
    assert follow(folder.path)["curves"]["step"] == [1]
    folder.metrics.unlink()
    run = follow(folder.path)
    assert (run["done"], run["silent"], run["curves"]["step"]) == (0, None, [])


@pytest.mark.parametrize("count", [1, MOST_POINTS, MOST_POINTS + 1, 3 * MOST_POINTS - 1])
def test_long_curves_are_thinned_out_to_the_last(tmp_path: Path, count: int) -> None:
    write_run(tmp_path / "run", iterations=count)
    steps = follow(tmp_path / "run")["curves"]["step"]
    assert len(steps) <= MOST_POINTS
    assert steps[-1] == count
    assert steps == sorted(steps)


def test_a_run_that_is_gone_or_damaged(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    with pytest.raises(InputError, match="has no picture of step 2"):
        read_picture(folder.path, 2)
    (folder.samples / "000002.png").symlink_to("/etc/hostname")
    with pytest.raises(InputError, match="has no picture of step 2"):
        read_picture(folder.path, 2)
    (folder.samples / "000009.png").mkdir()
    with pytest.raises(InputError, match="the picture of step 9 cannot be read"):
        read_picture(folder.path, 9)
    folder.description.write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        follow(folder.path)
    shutil.rmtree(folder.path)
    for ask in (follow, lambda path: read_picture(path, 1)):
        with pytest.raises(InputError, match=r"^no run at \S+/run any more$"):
            ask(folder.path)


def test_a_damaged_diagnosis_is_not_the_absence_of_one(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    folder.diagnosis.write_text("{")
    run = follow(folder.path)
    assert run["verdict"] == f"{folder.diagnosis} is damaged: 'zerosum diagnose {folder.path}' looks again."
    assert run["advice"] == []
