"""The run folder: it belongs to one process, and what is damaged in it is refused."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from zerosum.atomic import write_atomically
from zerosum.errors import InputError
from zerosum.run_folder import FORMAT, RunFolder, check_writable


def test_a_damaged_run_folder_says_where(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r", {"format": FORMAT, "data": "digits"})
    with pytest.raises(InputError, match=r"run.json is damaged: it lacks fingerprint, seed"):
        folder.describe()
    folder.description.write_text("{")
    with pytest.raises(InputError, match=r"run.json is damaged"):
        folder.describe()
    whole = dict.fromkeys(("data", "fingerprint", "device", "precision"), "x")
    whole |= {"format": FORMAT, "seed": 0, "steps": 1, "threads": 1, "recipe": {}}
    for name, value in (("steps", "many"), ("steps", 0), ("threads", True), ("seed", -1), ("data", ["digits"])):
        folder.description.write_text(json.dumps({**whole, name: value}))
        with pytest.raises(InputError, match=re.escape(f"run.json is damaged: {name} cannot be {value!r}")):
            folder.describe()
    folder.close()


@pytest.mark.parametrize(
    ("about", "writer"),
    [
        ({"zerosum": "0.1.0", "data": "digits", "seed": 0}, "0.1.0"),  # it wrote no format
        ({"zerosum": "9.0", "format": FORMAT + 1}, "9.0"),
        ({}, "of unknown version"),
    ],
)
def test_a_run_of_another_version_is_refused_in_one_line(tmp_path: Path, about: dict[str, object], writer: str) -> None:
    folder = RunFolder(tmp_path)
    folder.description.write_text(json.dumps(about))
    with pytest.raises(InputError, match=f"was written by zerosum {writer}, whose runs this version cannot") as caught:
        folder.describe()
    assert "\n" not in str(caught.value)


def test_a_run_folder_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r", {"a": 1})
    other = RunFolder.open(tmp_path / "r")
    with pytest.raises(InputError, match=r"is in use by process \d+ on"):
        other.lock()
    folder.close()
    other.lock()
    other.close()


HOLDER = """
import sys
from pathlib import Path
from zerosum.run_folder import RunFolder
folder = RunFolder.open(Path(sys.argv[1]))
folder.lock()
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_process_that_dies_gives_its_folder_back(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r", {})
    folder.close()
    command = [sys.executable, "-c", HOLDER, str(folder.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(InputError, match=r"is in use by process \d+ on"):
            folder.lock()
        holder.kill()
    folder.lock()
    folder.close()


def test_what_a_killed_process_was_writing_is_removed(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / ".0.partial").touch()  # of run.json: no run began
    folder = RunFolder.create(tmp_path / "r", {})
    folder.close()
    (folder.checkpoints / ".1.partial").touch()
    folder.lock()
    folder.close()
    assert not list(folder.checkpoints.iterdir())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "film.partial").touch()  # somebody's
    with pytest.raises(InputError, match="exists already: please choose another --out"):
        RunFolder.create(tmp_path / "other", {})


def test_a_folder_that_exists_is_not_taken(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "r", {}).close()
    with pytest.raises(
        InputError, match=r"exists already: continue it with 'zerosum resume .*' or choose another --out"
    ):
        RunFolder.create(tmp_path / "r", {})
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="exists already: please choose another --out"):
        RunFolder.create(tmp_path / "file", {})
    with pytest.raises(InputError, match=r"cannot write to .*: Not a directory"):
        RunFolder.create(tmp_path / "file" / "r", {})


def test_metrics_can_be_cut_back(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r", {})
    folder.metrics.write_text('{"step": 1}\n{"step": 2}\n{"st')
    for length in (100, len('{"step": 1}\n')):
        folder.rewind(length)
        assert folder.metrics.stat().st_size == min(length, 28)
    assert folder.metrics.read_text() == '{"step": 1}\n'
    folder.close()


def test_a_new_run_is_another_s_from_its_first_byte_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_late(path: Path, content: bytes) -> None:
        monkeypatch.undo()
        with pytest.raises(InputError, match=r"is in use by process \d+ on"):
            RunFolder.create(tmp_path / "r", {"seed": 1})
        write_atomically(path, content)

    monkeypatch.setattr("zerosum.run_folder.write_atomically", write_late)
    folder = RunFolder.create(tmp_path / "r", {"seed": 0})
    assert json.loads(folder.description.read_text()) == {"seed": 0}
    folder.close()


def test_a_folder_that_was_filled_before_it_was_locked_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = RunFolder.lock

    def lock_late(folder: RunFolder) -> None:
        monkeypatch.undo()
        RunFolder.create(tmp_path / "r", {"seed": 1}).close()
        lock(folder)

    monkeypatch.setattr(RunFolder, "lock", lock_late)
    with pytest.raises(InputError, match="exists already"):
        RunFolder.create(tmp_path / "r", {"seed": 0})
    assert json.loads((tmp_path / "r" / "run.json").read_text()) == {"seed": 1}
    folder = RunFolder.open(tmp_path / "r")
    folder.lock()  # it was given back
    folder.close()


def test_folders_that_nobody_named_are_numbered(tmp_path: Path) -> None:
    folders = [RunFolder.create(tmp_path / "a", {"seed": seed}, numbered=True) for seed in range(2)]
    (tmp_path / "a-3").write_text("x")
    folders.append(RunFolder.create(tmp_path / "a", {"seed": 2}, numbered=True))
    folders[0].close()
    folders.append(RunFolder.create(tmp_path / "a", {"seed": 3}, numbered=True))
    assert [folder.path.name for folder in folders] == ["a", "a-2", "a-4", "a-5"]
    for seed, folder in enumerate(folders):
        assert json.loads(folder.description.read_text()) == {"seed": seed}
        folder.close()
    with pytest.raises(InputError, match=r"cannot write to .*: Not a directory"):
        RunFolder.create(tmp_path / "a-3" / "b", {}, numbered=True)


def test_what_cannot_be_written_is_refused_beforehand_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    RunFolder(tmp_path / "new" / "deep").check()
    check_writable(tmp_path / "runs")
    with pytest.raises(InputError, match="exists already: please choose another --out"):
        RunFolder(tmp_path).check()
    for check in (check_writable, lambda path: RunFolder(path).check()):
        with pytest.raises(InputError, match=r"cannot write to .*run: Not a directory"):
            check(tmp_path / "file" / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_metrics_that_are_gone_are_named(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r", {})
    folder.metrics.unlink()
    with pytest.raises(InputError, match=r"metrics\.jsonl is gone"):
        folder.rewind(0)
    folder.close()


def test_pictures_of_findings_replace_those_of_before(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.replace_findings({})
    assert not folder.findings.exists()
    folder.replace_findings({"collapse": b"1", "checkerboard": b"2"})
    folder.replace_findings({"checkerboard": b"3"})
    assert {file.name: file.read_bytes() for file in folder.findings.iterdir()} == {"checkerboard.png": b"3"}
