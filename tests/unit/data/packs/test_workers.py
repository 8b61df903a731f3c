"""Work on many files: in order, by threads or by processes."""

import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import psutil
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


ENDED = """
import os, signal
import psutil
from zerosum.data.packs import workers
workers.MANY = 0
os.cpu_count = lambda: 2
with workers.Workers(10) as some:
    found = list(some.map(abs, range(100)))
    print(*[each.pid for each in psutil.Process().children(recursive=True)], flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()
"""


def test_a_signal_that_ends_the_program_ends_its_processes() -> None:
    done = subprocess.run([sys.executable, "-c", ENDED], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    processes = [int(word) for word in done.stdout.split()]
    assert processes
    _, alive = psutil.wait_procs([psutil.Process(each) for each in processes if psutil.pid_exists(each)], timeout=10)
    assert alive == []
