"""Web servers for the tests: a folder on loopback, over HTTP with ranges, that behaves as badly as is asked for."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class Behaviour:
    """How the server answers.

    Attributes:
        ranges: whether it serves parts of files.
        status: returns what it answers to the request of that number, from 1, if not the file.
        change: is given what is to be sent of which file, and returns what is sent.
        cut: returns whether the connection breaks in the middle of the answer of that number.
        delay: seconds before an answer.
        authorization: the header that it asks for, if any.
        asked: each request so far: the file, and the part as it was asked for.
    """

    ranges: bool = True
    status: Callable[[int], int] = lambda number: 200
    change: Callable[[str, bytes], bytes] = lambda name, content: content
    cut: Callable[[int], bool] = lambda number: False
    delay: float = 0.0
    authorization: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def serving(folder: Path, behaviour: Behaviour) -> Iterator[str]:
    """Serve `folder` and yield the address of it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name, part = self.path.removeprefix("/"), self.headers.get("Range", "")
            behaviour.asked.append((name, part))
            number = len(behaviour.asked)
            time.sleep(behaviour.delay)
            status = behaviour.status(number)
            if behaviour.authorization and self.headers.get("Authorization") != behaviour.authorization:
                status = 401
            if status == 200 and not (folder / name).is_file():
                status = 404
            self._answer(status, name, part, whole=not behaviour.cut(number))

        def _answer(self, status: int, name: str, part: str, *, whole: bool) -> None:
            content = b"" if status != 200 else (folder / name).read_bytes()
            found = RANGE.fullmatch(part)
            if status == 200 and behaviour.ranges and found:
                first, last = int(found[1]), int(found[2] or len(content) - 1)
                status, content = (206 if first < len(content) else 416), content[first : last + 1]
            content = behaviour.change(name, content)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content if whole else content[: len(content) // 2])
            self.close_connection = not whole

        def log_message(self, *arguments: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
