"""Files from the web, each with its checksum: fetched once, taken up where a connection broke, never there by half.

They lie in `$ZEROSUM_DATA/<set>/`, or in the cache if that variable is not set. Until its checksum is right, a file is
called `<name>.part`.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from filelock import FileLock, Timeout

from zerosum.data import Progress
from zerosum.data.cache import cache_folder
from zerosum.errors import InputError

CHUNK = 1 << 16
TIMEOUT = 30.0  # seconds without a byte


@dataclass(frozen=True)
class File:
    """A file as it was published.

    Attributes:
        name: what it is called, on the web and here.
        size: in bytes.
        sha256: its digest, in hexadecimal.
        urls: where it lies, in the order in which to try.
    """

    name: str
    size: int
    sha256: str
    urls: tuple[str, ...]


class Report:
    """Progress on stderr: a line that counts on a terminal, else a line for every tenth."""

    def __init__(self) -> None:
        self._last: tuple[str, int] | None = None

    def __call__(self, name: str, done: int, total: int) -> None:
        """`done` of the `total` bytes of the file `name` are there."""
        terminal = sys.stderr.isatty()
        step = 1 if terminal else 10
        percent = 100 * done // total // step * step
        if self._last != (name, percent):
            self._last = (name, percent)
            end = "\r" if terminal and done < total else "\n"
            sys.stderr.write(f"{name}: {percent}% of {readable(total)}{end}")


def announce(line: str) -> None:
    """Say something on stderr."""
    sys.stderr.write(f"{line}\n")


def readable(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"


def data_folder() -> Path:
    """`$ZEROSUM_DATA`, else `data` in the cache. It need not exist."""
    chosen = os.environ.get("ZEROSUM_DATA")
    return (Path(chosen).expanduser() if chosen else cache_folder() / "data").absolute()


def fetch(name: str, files: tuple[File, ...], terms: str, progress: Progress | None = None) -> tuple[Path, ...]:
    """Where the files of the set `name` lie. What is missing is downloaded, and `terms` are said before.

    `progress` is told which file, how many of its bytes are there, and of how many; else stderr is.

    Raises:
        InputError: a file can neither be found nor downloaded, or is there with another content, or nothing can be
            written.
    """
    places = [find(name, file) for file in files]
    if None in places:
        _download(name, files, terms, progress or Report())
        places = [find(name, file) for file in files]
    return tuple(place for place in places if place is not None)


def find(name: str, file: File) -> Path | None:
    """Where `file` of the set `name` lies: in the set's folder, or beside it; None if nowhere.

    Raises:
        InputError: there is a file of that name in the set's folder, but it is another one, or it cannot be read.
    """
    home, beside = data_folder() / name / file.name, data_folder() / file.name
    if home.is_file():
        if not _is_right(home, file):
            raise InputError(f"{home} is not what it should be: {_identity(file)}; move it away to download it anew")
        return home
    return beside if beside.is_file() and _is_right(beside, file) else None


def _identity(file: File) -> str:
    return f"{file.size} bytes with sha256 {file.sha256}"


def _is_right(place: Path, file: File) -> bool:
    """Whether `place` holds `file`. It is read once: a seal says that it was right at that size and time."""
    try:
        if place.stat().st_size != file.size:
            return False
        if not _seal(place, file).exists():
            if _digest(place) != file.sha256:
                return False
            _remember(place, file)
    except OSError as error:
        raise InputError(f"{place} cannot be read: {error.strerror or error}") from None
    return True


def _seal(place: Path, file: File) -> Path:
    stat = place.stat()
    key = f"{place.resolve()}\n{stat.st_size}\n{stat.st_mtime_ns}\n{file.sha256}"
    return cache_folder() / "verified" / hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def _remember(place: Path, file: File) -> None:
    with suppress(OSError):  # then it is read again the next time
        seal = _seal(place, file)
        seal.parent.mkdir(parents=True, exist_ok=True)
        seal.write_text(f"{place}\n", encoding="utf-8")


def _digest(place: Path) -> str:
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(name: str, files: tuple[File, ...], terms: str, progress: Progress) -> None:
    home = data_folder() / name
    try:
        with _alone(home):
            missing = [file for file in files if find(name, file) is None]
            if missing:
                announce(f"{name}: fetching {readable(sum(file.size for file in missing))} to {home}; {terms}")
            for file in missing:
                _download_file(file, home / file.name, progress)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"cannot write to {home}: {reason}; set ZEROSUM_DATA to another folder") from None


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep other processes from downloading into `home`: they wait, and find the files there."""
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / ".lock", thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        announce(f"waiting for another process that downloads to {home}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class _Failed(Exception):
    """What one mirror did not do."""


def _download_file(file: File, place: Path, progress: Progress) -> None:
    """Try the mirrors in turn. What one of them began, the next goes on with."""
    part = place.with_name(f"{place.name}.part")
    failures = []
    for url in file.urls:
        try:
            _complete(url, file, part, progress)
        except _Failed as failure:
            failures.append(f"{urlsplit(url).netloc}: {failure}")
        else:
            part.replace(place)
            _remember(place, file)
            return
    raise InputError(
        f"{file.name} could not be downloaded ({'; '.join(failures)}): "
        f"get {file.urls[0]} by hand, {_identity(file)}, and put it at {place}"
    )


def _complete(url: str, file: File, part: Path, progress: Progress) -> None:
    """Bring `part` to its full size, asking again as long as each answer brings some more, and check it.

    Raises:
        _Failed: nothing more comes, and `part` is kept; or what came is not `file`, and `part` is gone.
    """
    resumed = part.exists()
    while (have := _size(part)) < file.size:
        _transfer(url, file, part, progress)
        if (now := _size(part)) <= have:
            raise _Failed(f"the connection broke after {now} of {file.size} bytes; run again to go on from there")
    if (came := _digest(part)) != file.sha256:
        size = _size(part)
        part.unlink()
        if not resumed:
            raise _Failed(f"gave {size} bytes with sha256 {came}")
        _complete(url, file, part, progress)  # the fault may lie in what was there before


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _transfer(url: str, file: File, part: Path, progress: Progress) -> None:
    """Append to `part` what comes after it, up to where the connection ends or breaks."""
    start = _size(part)
    with _ask(url, start) as answer:
        if answer.status != 206:  # the server cannot begin in the middle
            start = 0
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise _Failed("sent another range than it was asked for")
        if answer.length is not None and start + answer.length != file.size:
            raise _Failed(f"offers {start + answer.length} bytes")
        with part.open("ab" if start else "wb") as out:
            for chunk in _chunks(answer):
                out.write(chunk)
                start += len(chunk)
                progress(file.name, start, file.size)
                if start > file.size:
                    break
            out.flush()
            os.fsync(out.fileno())


def _ask(url: str, start: int) -> HTTPResponse:
    headers = {"User-Agent": "zerosum"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        answer: HTTPResponse = urlopen(Request(url, headers=headers), timeout=TIMEOUT)  # noqa: S310  # ours, all http(s)
    except HTTPError as error:
        error.close()
        raise _Failed(f"HTTP {error.code} {error.reason}") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        text = " ".join(str(getattr(reason, "strerror", None) or reason).split())
        raise _Failed(text or type(error).__name__) from None
    return answer


def _chunks(answer: HTTPResponse) -> Iterator[bytes]:
    with suppress(OSError, HTTPException):
        while chunk := answer.read(CHUNK):
            yield chunk
