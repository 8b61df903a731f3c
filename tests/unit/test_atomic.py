"""Files that are written whole or not at all."""

from pathlib import Path

import pytest

from zerosum import atomic
from zerosum.atomic import replacing, write_atomically


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_who_write_the_same_file_at_once_each_write_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with replacing(path) as one:
        one.write(b"one, begun")
        with replacing(path) as other:
            other.write(b"other")
        assert path.read_bytes() == b"other"
        one.write(b" and ended")
    assert path.read_bytes() == b"one, begun and ended"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("a" * 255), b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a" * 255]


def test_a_file_that_is_being_read_is_waited_for_where_that_stops_a_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "ATTEMPTS", 3)
    monkeypatch.setattr(atomic, "PAUSE", 0)
    answers: list[Exception | str] = [PermissionError("it is read"), PermissionError("it is read"), "done"]

    def act() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert atomic.retry(act) == "done"
    answers += [PermissionError("it is read")] * 4
    with pytest.raises(PermissionError):
        atomic.retry(act)
    assert len(answers) == 1
