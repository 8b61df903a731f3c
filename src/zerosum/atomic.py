"""Write files so that a crash leaves the old content or the new, never half of either."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from filelock import FileLock, Timeout

PARTIAL = ".partial"
ABANDONED_SECONDS = 24 * 3600  # after which nobody goes on with what is partial
ATTEMPTS, PAUSE = 20 if os.name == "nt" else 1, 0.1
T = TypeVar("T")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let the errors of the operating system in the block name `path`, where they name no file or a temporary one."""
    try:
        yield
    except OSError as error:
        if error.filename is not None and not str(error.filename).endswith(PARTIAL):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` when the block ends, and is removed if the block fails.

    At any moment, also after a power cut, `path` holds either the old or the whole new content. Of several concurrent
    writers, the last to end wins.
    """
    partial = path.with_name(f".{uuid.uuid4().hex}{PARTIAL}")
    try:
        with naming(path), partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        retry(lambda: partial.replace(path))
    finally:
        retry(lambda: partial.unlink(missing_ok=True))


def retry(act: Callable[[], T]) -> T:
    """Call `act`, which renames or removes a file; on Windows, retry for two seconds while another process reads it.

    Raises:
        PermissionError: the other process still reads it.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(PermissionError):
            return act()
        time.sleep(PAUSE)
    return act()


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path` in the manner of `replacing`."""
    with replacing(path) as file:
        file.write(content)


@contextmanager
def locking(path: Path) -> Iterator[bool]:
    """Lock what is made at `path` by a file beside it, and give whether it is this process's: false if another has it.

    The lock of a process that was killed is free.
    """
    file = path.with_name(f"{path.name}.lock")
    lock = FileLock(file, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        with suppress(OSError):
            file.unlink()
        lock.release()
