"""A terminal that is found gone by writing to it is taken for the signal that says so."""

import errno
import signal

import pytest

from zerosum.run import stopping
from zerosum.run.stopping import StopRequest, losing_terminal


@pytest.fixture(autouse=True)
def left(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the terminal was left; that of the tests is not."""
    calls: list[bool] = []
    monkeypatch.setattr(stopping, "_leave_terminal", lambda: calls.append(True))
    return calls


def write_to_no_terminal() -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_a_print_to_a_terminal_that_is_gone_asks_for_a_stop(left: list[bool]) -> None:
    with StopRequest(signal.SIGHUP) as request:
        with losing_terminal():
            write_to_no_terminal()
        assert request.signal == signal.SIGHUP
    assert left


def test_under_nohup_the_run_goes_on_without_it(left: list[bool]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest(signal.SIGHUP) as request:
            with losing_terminal():
                write_to_no_terminal()
            assert not request.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert left


def test_another_error_stays_one(left: list[bool]) -> None:
    with pytest.raises(OSError, match="No space"), StopRequest(signal.SIGHUP) as request, losing_terminal():
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not request.is_set()
    assert not left
