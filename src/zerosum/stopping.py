"""Stopping between iterations when a signal asks for it, so that what was reached is saved."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Stopping:
    """While entered, the first of its signals asks for a stop after the iteration; a second one acts as it would have.

    In other threads than the main one, which signals do not reach, nothing changes.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        """No signal has come yet."""
        self.signal = 0
        self._numbers = numbers
        self._before: dict[int, Any] = {}

    def asked(self) -> bool:
        """Whether a signal has come."""
        return self.signal != 0

    def __enter__(self) -> "Stopping":
        if threading.current_thread() is threading.main_thread():
            for number in self._numbers:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        signal.signal(number, self._before[number])
