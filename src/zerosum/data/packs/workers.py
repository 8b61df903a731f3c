"""Work on many files at once: in threads, or in processes where there are so many that starting them pays."""

import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import FrameType, TracebackType
from typing import Any, TypeVar

MANY = 20_000  # files for which processes are started: that takes two to three seconds, and 300 MB each
MOST_PROCESSES = 8
BATCH = 16  # items that a worker takes at a time: for small files, handing over one by one costs more than the work
ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """Threads or processes for so many `files`; leaving the `with` block ends them.

    Pillow lets other threads run while it decodes. That is most of the time for photos, but not for small files, of
    which two threads do no more than one.
    """

    def __init__(self, files: int) -> None:
        """Choose; nothing is started before there is work."""
        self.count = os.cpu_count() or 1
        self.processes = files >= MANY and self.count > 1
        if self.processes:
            self.count = min(self.count, MOST_PROCESSES)
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Workers":
        """Begin; let signals that end a program end its processes too."""
        if self.processes and threading.current_thread() is threading.main_thread():
            for number in ENDING:
                self._before[number] = signal.signal(number, _leave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the processes, which would stay for some minutes."""
        if self.processes:
            from joblib.externals.loky import get_reusable_executor

            get_reusable_executor().shutdown(kill_workers=True)
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def map(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield `work` of each item, in order, with few in progress or waiting, which bounds the memory.

        Pillow's warnings of odd metadata are silenced. The work and the items must be picklable.
        """
        from joblib import Parallel, delayed

        backend = "loky" if self.processes else "threading"
        parallel = Parallel(self.count, backend=backend, return_as="generator", batch_size=BATCH, mmap_mode=None)
        act = partial(_work_silently, work) if self.processes else work
        # warning filters belong to the whole process, and threads would overwrite each other's
        with warnings.catch_warnings(action="ignore"):
            yield from parallel(delayed(act)(item) for item in items)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _work_silently(work: Callable[[T], R], item: T) -> R:
    with warnings.catch_warnings(action="ignore"):
        return work(item)
