"""Ask a server for pieces of a pack, over HTTP or from a store of S3's kind, through `fsspec` (the extra `remote`)."""

import importlib
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from zerosum.data.packs.blocks import digest
from zerosum.data.packs.pack import DESCRIPTION
from zerosum.errors import InputError

ATTEMPTS, PAUSE = 5, 0.5  # the pause, in seconds, is doubled after each attempt
CONNECTIONS = 16  # at once
TIMEOUT = 30.0  # seconds to connect, and without a byte
HOPELESS = range(400, 500)  # answers by which asking again changes nothing, but for these two
BUSY, BEYOND = (408, 429), 416  # the latter where a file is shorter than it should be
Kind = Literal["gone", "denied", "whole", "unreachable", "failing", "other"]
LASTING = "gone", "denied", "whole"  # asking again does not help


class Unreachable(InputError):
    """A server that cannot be asked, at least now."""


@dataclass(frozen=True)
class Piece:
    """A file of a pack, or a part of it.

    Attributes:
        file: its name.
        digest: of the piece; empty if it is not known.
        part: the bytes from where to where; None for the whole file.
    """

    file: str
    digest: bytes = b""
    part: tuple[int, int] | None = None

    def __str__(self) -> str:
        """Name it for people."""
        return self.file if self.part is None else f"{self.file}, bytes {self.part[0]:,} to {self.part[1]:,},"


class Failure(NamedTuple):
    """Why a piece did not come."""

    kind: Kind
    reason: str


class Server:
    """A folder on a server, at `address`."""

    def __init__(self, address: str) -> None:
        """Prepare to ask; nothing is asked yet.

        Raises:
            InputError: the packages that ask are not installed.
        """
        self.address = address.rstrip("/")
        self._files = _connect(self.address)

    def fetch(self, pieces: Sequence[Piece], *, patient: bool = True) -> list[bytes]:
        """Return the bytes of each piece, verified; ask again for those that fail, `ATTEMPTS` times in all.

        Args:
            pieces: what to ask for, at once.
            patient: whether to ask again where no server answers at all.

        Raises:
            Unreachable: no server answers, or it fails each time.
            InputError: it has no such piece, does not give it, or gives other bytes than those of the digest.
        """
        came = dict[Piece, bytes]()
        for attempt in itertools.count(1):
            missing = [piece for piece in pieces if piece not in came]
            for piece, answer in zip(missing, self._ask(missing), strict=True):
                failure = _judge(piece, answer)
                if failure is None:
                    came[piece] = answer
                elif failure.kind in LASTING or (failure.kind == "unreachable" and not patient) or attempt == ATTEMPTS:
                    raise self._explain(piece, failure, attempt)
            if len(came) == len(set(pieces)):
                break
            time.sleep(PAUSE * 2 ** (attempt - 1))
        return [came[piece] for piece in pieces]

    def _ask(self, pieces: Sequence[Piece]) -> list[Any]:
        """Ask once for the pieces; return the bytes of each, or an exception."""
        places = [f"{self.address}/{piece.file}" for piece in pieces]
        firsts, ends = ([piece.part and piece.part[side] for piece in pieces] for side in (0, 1))
        try:
            return list(self._files.cat_ranges(places, firsts, ends, batch_size=CONNECTIONS, on_error="return"))
        except Exception as error:  # before any is asked for, e.g. as there are no credentials
            return [error] * len(pieces)

    def _explain(self, piece: Piece, failure: Failure, attempts: int) -> InputError:
        tried = f" (asked {attempts} times)" if attempts > 1 else ""
        if failure.kind == "other":
            return InputError(
                f"the pack at {self.address} changed since it was opened, or is damaged: {piece} of it {failure.reason}"
                f"{tried}; none of these were used: start the command again to open the pack as it is now"
            )
        if failure.kind == "gone" and piece.file == DESCRIPTION:
            return InputError(f"no pack at {self.address}: the server has no {DESCRIPTION} there")
        if failure.kind == "gone":
            return InputError(f"the pack at {self.address} is damaged: the server has no {piece.file}; pack it again")
        if failure.kind == "whole":
            return InputError(
                f"the server of {self.address} does not serve ranges of bytes, which reading a pack needs: copy the "
                "pack to this machine, or serve it by another one"
            )
        kind = Unreachable if failure.kind in ("unreachable", "failing") else InputError
        return kind(f"the pack at {self.address} cannot be read{tried}: {failure.reason}")


def _connect(address: str) -> Any:
    """Open the file system of the address's scheme, without what fsspec keeps and repeats by itself."""
    scheme = address.partition(":")[0].lower()
    try:
        library = importlib.import_module("fsspec")
        client = importlib.import_module("s3fs" if scheme == "s3" else "aiohttp")
    except ImportError:
        raise InputError("packs on other machines need more packages: pip install 'zerosum[remote]'") from None
    if scheme == "s3":
        waiting = {"connect_timeout": TIMEOUT, "read_timeout": TIMEOUT, "retries": {"max_attempts": 0}}
        options = {"config_kwargs": waiting}
    else:
        waiting = client.ClientTimeout(total=None, sock_connect=TIMEOUT, sock_read=TIMEOUT)
        plain = {"Accept-Encoding": "identity", "User-Agent": "zerosum"}
        options = {"client_kwargs": {"timeout": waiting, "headers": plain, "trust_env": True}}  # proxies, ~/.netrc
    files = library.filesystem(scheme, skip_instance_cache=True, use_listings_cache=False, **options)
    files.retries = 1  # of s3fs
    return files


def _judge(piece: Piece, answer: Any) -> Failure | None:
    """Say what is wrong with an answer, if anything is."""
    if isinstance(answer, BaseException):
        return _read_error(answer)
    if piece.part is not None and len(answer) > piece.part[1] - piece.part[0]:
        return Failure("whole", "")
    if piece.digest and digest(answer) != piece.digest:
        return Failure("other", "has not the bytes of its digest")
    return None


def _read_error(error: BaseException) -> Failure:
    """Say what an exception means; those of optional packages are known by their names."""
    status, name = getattr(error, "status", None), type(error).__name__
    text = " ".join(str(error).split()) or name
    if isinstance(error, FileNotFoundError):
        return Failure("gone", text)
    if "Credential" in name:
        return Failure(
            "denied",
            "there are no credentials for S3: say them as AWS's tools do (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or 'aws configure'), or give the https address of a public bucket",
        )
    if isinstance(error, PermissionError) or status in (401, 403):
        return Failure("denied", "the server denies access; it takes credentials from ~/.netrc, or from AWS's settings")
    if isinstance(error, TimeoutError) or "Timeout" in name:
        return Failure("unreachable", f"no answer within {TIMEOUT:g} seconds")
    if status == BEYOND:
        return Failure("other", "is not there")
    if isinstance(status, int):
        kind: Kind = "denied" if status in HOPELESS and status not in BUSY else "failing"
        return Failure(kind, f"the server answers {status} {getattr(error, 'message', '')}".rstrip())
    if isinstance(error, ConnectionError) or "Connect" in name:
        return Failure("unreachable", text)
    return Failure("failing", text)
