"""Download files once and verify their checksums; resume where a connection broke.

Files lie in `$ZEROSUM_DATA/<set>/`, or in the cache if that variable is not set. Until its checksum is verified, a file
is called `<name>.part`, so that no partial file is ever used.
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

from zerosum.data import Progress, cache_folder
from zerosum.errors import InputError

CHUNK = 1 << 16
TIMEOUT = 30.0  # seconds without a byte


@dataclass(frozen=True)
class File:
    """A file as it was published.

    Attributes:
        name: the name on the web and on the disk.
        size: in bytes.
        sha256: the digest, in hexadecimal.
        urls: its mirrors, in the order in which to try them.
    """

    name: str
    size: int
    sha256: str
    urls: tuple[str, ...]


class StderrProgress:
    """Progress on stderr: one line that is updated on a terminal, else a line for every tenth."""

    def __init__(self) -> None:
        self._last: tuple[str, int] | None = None

    def __call__(self, name: str, done: int, total: int) -> None:
        """Show that `done` of the `total` bytes of the file `name` are downloaded."""
        terminal = sys.stderr.isatty()
        step = 1 if terminal else 10
        percent = 100 * done // total // step * step
        if self._last != (name, percent):
            self._last = (name, percent)
            end = "\r" if terminal and done < total else "\n"
            sys.stderr.write(f"{name}: {percent}% of {format_size(total)}{end}")


def announce(line: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"{line}\n")


def format_size(size: int) -> str:
    """Format a number of bytes for people."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"


def data_folder() -> Path:
    """Return `$ZEROSUM_DATA`, else `data` in the cache; it need not exist."""
    chosen = os.environ.get("ZEROSUM_DATA")
    return (Path(chosen).expanduser() if chosen else cache_folder() / "data").absolute()


def fetch(name: str, files: tuple[File, ...], terms: str, progress: Progress | None = None) -> tuple[Path, ...]:
    """Return the paths of the files of the set `name`; show the `terms` and download what is missing.

    `progress` is called with the file's name, how many of its bytes are downloaded, and their total; without it, the
    same goes to stderr.

    Raises:
        InputError: a file can neither be found nor downloaded, or is there with another content, or nothing can be
            written.
    """
    places = [find(name, file) for file in files]
    if None in places:
        _download(name, files, terms, progress or StderrProgress())
        places = [find(name, file) for file in files]
    return tuple(place for place in places if place is not None)


def find(name: str, file: File) -> Path | None:
    """Find `file` of the set `name` in the set's folder or beside that; return None if it is in neither.

    Raises:
        InputError: there is a file of that name in the set's folder, but it is another one, or it cannot be read.
    """
    home, beside = data_folder() / name / file.name, data_folder() / file.name
    if home.is_file():
        if not _verify(home, file):
            raise InputError(f"{home} is not what it should be: {_describe(file)}; move it away to download it anew")
        return home
    return beside if beside.is_file() and _verify(beside, file) else None


def _describe(file: File) -> str:
    return f"{file.size} bytes with sha256 {file.sha256}"


def _verify(place: Path, file: File) -> bool:
    """Return whether `place` holds `file`. It is read once: a seal records that it was right at that size and time."""
    try:
        if place.stat().st_size != file.size:
            return False
        if not _locate_seal(place, file).exists():
            if _compute_sha256(place) != file.sha256:
                return False
            _write_seal(place, file)
    except OSError as error:
        raise InputError(f"{place} cannot be read: {error.strerror or error}") from None
    return True


def _locate_seal(place: Path, file: File) -> Path:
    stat = place.stat()
    key = f"{place.resolve()}\n{stat.st_size}\n{stat.st_mtime_ns}\n{file.sha256}"
    return cache_folder() / "verified" / hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def _write_seal(place: Path, file: File) -> None:
    with suppress(OSError):  # without the seal, the file is read again the next time
        seal = _locate_seal(place, file)
        seal.parent.mkdir(parents=True, exist_ok=True)
        seal.write_text(f"{place}\n", encoding="utf-8")


def _compute_sha256(place: Path) -> str:
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(name: str, files: tuple[File, ...], terms: str, progress: Progress) -> None:
    home = data_folder() / name
    try:
        with _lock(home):
            missing = [file for file in files if find(name, file) is None]
            if missing:
                announce(f"{name}: fetching {format_size(sum(file.size for file in missing))} to {home}; {terms}")
            for file in missing:
                _download_file(file, home / file.name, progress)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"cannot write to {home}: {reason}; set ZEROSUM_DATA to another folder") from None


@contextmanager
def _lock(home: Path) -> Iterator[None]:
    """Make other processes that download into `home` wait; they find the files there afterwards."""
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
    """A failure of one mirror; the text is the reason."""


def _download_file(file: File, place: Path, progress: Progress) -> None:
    """Try the mirrors in turn; each continues the file that the one before began."""
    part = place.with_name(f"{place.name}.part")
    failures = []
    for url in file.urls:
        try:
            _complete(url, file, part, progress)
        except _Failed as failure:
            failures.append(f"{urlsplit(url).netloc}: {failure}")
        else:
            part.replace(place)
            _write_seal(place, file)
            return
    raise InputError(
        f"{file.name} could not be downloaded ({'; '.join(failures)}): "
        f"get {file.urls[0]} by hand, {_describe(file)}, and put it at {place}"
    )


def _complete(url: str, file: File, part: Path, progress: Progress) -> None:
    """Download the rest of `part`, in new requests as long as each brings some more bytes, and verify it.

    Raises:
        _Failed: a request brought nothing, and `part` is kept; or the content is not `file`'s, and `part` is removed.
    """
    resumed = part.exists()
    while (have := _measure(part)) < file.size:
        _transfer(url, file, part, progress)
        if (now := _measure(part)) <= have:
            raise _Failed(f"the connection broke after {now} of {file.size} bytes; run again to go on from there")
    if (came := _compute_sha256(part)) != file.sha256:
        size = _measure(part)
        part.unlink()
        if not resumed:
            raise _Failed(f"gave {size} bytes with sha256 {came}")
        _complete(url, file, part, progress)  # the fault may lie in the bytes from before


def _measure(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _transfer(url: str, file: File, part: Path, progress: Progress) -> None:
    """Append to `part` the bytes that follow, until the connection ends or breaks."""
    start = _measure(part)
    with _request(url, start) as answer:
        if answer.status != 206:  # the server cannot start in the middle
            start = 0
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise _Failed("sent another range than it was asked for")
        if answer.length is not None and start + answer.length != file.size:
            raise _Failed(f"offers {start + answer.length} bytes")
        with part.open("ab" if start else "wb") as out:
            for chunk in _read_chunks(answer):
                out.write(chunk)
                start += len(chunk)
                progress(file.name, start, file.size)
                if start > file.size:
                    break
            out.flush()
            os.fsync(out.fileno())


def _request(url: str, start: int) -> HTTPResponse:
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


def _read_chunks(answer: HTTPResponse) -> Iterator[bytes]:
    with suppress(OSError, HTTPException):
        while chunk := answer.read(CHUNK):
            yield chunk
