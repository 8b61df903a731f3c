"""A real server of the page, and how a browser asks it."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from websockets.sync.client import ClientConnection, connect

from tests.unit.explore.messages import unpack
from zerosum.explore.application import make_application
from zerosum.explore.guard import Door, Guard
from zerosum.explore.serving import bind
from zerosum.explore.subject import Subject

PATIENCE = 60


class Site:
    """A server, and how to ask it."""

    def __init__(self, door: Door) -> None:
        self.door, self.headers = door, {"Cookie": f"{door.cookie}={door.token}"}

    def ask(self, path: str, question: object = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.door.host, self.door.port, timeout=PATIENCE)
        body = None if question is None else question if isinstance(question, bytes) else json.dumps(question).encode()
        connection.request("GET" if body is None else "POST", path, body, {**self.headers, **headers})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def arrays(self, path: str, question: object) -> tuple[dict[str, Any], dict[str, Any]]:
        status, content = self.ask(path, question)
        assert status == 200, content
        return unpack(content)

    def error(self, path: str, question: object = None, status: int = 400) -> str:
        found, content = self.ask(path, question)
        assert found == status
        line = str(json.loads(content)["error"])
        assert "\n" not in line
        return line

    def play(self, **headers: str) -> ClientConnection:
        return connect(f"ws://127.0.0.1:{self.door.port}/game", additional_headers={**self.headers, **headers})


@contextmanager
def served(subject: Subject) -> Iterator[Site]:
    with bind("127.0.0.1", 0) as bound:
        door = Door("127.0.0.1", bound.getsockname()[1])
        config = uvicorn.Config(
            Guard(make_application(subject), door), log_level="critical", timeout_graceful_shutdown=0
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])))
        thread.start()
        try:
            yield Site(door)
        finally:
            server.should_exit = True
            thread.join()
