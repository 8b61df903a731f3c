"""Stop between iterations when a signal asks for it, so that what was reached is saved."""

import contextlib
import errno
import os
import signal
import stat
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
HANGUP = getattr(signal, "SIGHUP", None)  # the terminal is closed; Windows has none


class StopRequest:
    """A context in which the first of some signals asks for a stop after the iteration; a second one acts as before.

    Where signals come `twice`, as from a terminal and from `torchrun` too, no later one acts. The signal of a closed
    terminal asks for it too, unless `nohup` has it ignored.

    Signals reach the main thread only: in others nothing changes.

    Attributes:
        signal: the number of the signal that has come; 0 if none has.
    """

    def __init__(self, *numbers: signal.Signals, twice: bool = False) -> None:
        """`numbers`: the signals to catch."""
        self.signal = 0
        self._numbers = numbers
        self._twice = twice
        self._before: dict[int, Any] = {}

    def is_set(self) -> bool:
        """Return whether a signal has come."""
        return self.signal != 0

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for number in self._numbers:
                if number == HANGUP and signal.getsignal(number) is signal.SIG_IGN:
                    continue
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.signal = self.signal or number
        if number == HANGUP:
            _leave_terminal()
        if not self._twice:
            signal.signal(number, self._before[number])


@contextlib.contextmanager
def losing_terminal() -> Iterator[None]:
    """Take a terminal that is found gone by writing to it for the signal that says so, which may come later.

    A run then stops with its state, or under `nohup` goes on without the terminal.
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO or HANGUP is None:
            raise
        _leave_terminal()
        if signal.getsignal(HANGUP) is not signal.SIG_IGN:
            signal.raise_signal(HANGUP)


def _leave_terminal() -> None:
    """Write nothing more to a terminal that is gone, as that would be an error."""
    with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:  # noqa: PTH123  # a file descriptor is needed
        for descriptor in (1, 2):
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                os.dup2(nowhere.fileno(), descriptor)
