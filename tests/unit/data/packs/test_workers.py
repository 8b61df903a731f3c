"""Work on many files: in order, by threads or by processes."""

import os
import warnings
from pathlib import Path

import pytest

from tests.photos import fill
from zerosum.data.packs import workers
from zerosum.data.packs.workers import Workers
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source


def _who(number: int) -> tuple[int, int]:
    warnings.warn("nobody is to see this", stacklevel=1)
    return number, os.getpid()


def _fail(number: int) -> int:
    raise OSError(f"file {number}")


@pytest.mark.parametrize("many", [0, 10**9])
def test_results_come_in_order_and_nothing_is_left_running(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MANY", many)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with Workers(100) as some:
        done = list(some.map(_who, range(100)))
        with pytest.raises(OSError, match="file"):
            list(some.map(_fail, range(3)))
    assert [number for number, _ in done] == list(range(100))
    others = {process for _, process in done} - {os.getpid()}
    assert bool(others) == (many == 0)
    for process in others:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_packs_of_threads_and_of_processes_are_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = fill(tmp_path / "photos")
    digests = set()
    for many in (0, 10**9):
        monkeypatch.setattr(workers, "MANY", many)
        monkeypatch.setattr(os, "cpu_count", lambda: 2)
        monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / str(many)))
        digests.add(open_source(str(photos), Preparation(size=(16, 16))).fingerprint)
    assert len(digests) == 1
