"""Who may ask, and who may not."""

import asyncio
import socket
from collections.abc import MutableMapping
from typing import Any

import pytest

from zerosum.explore import guard
from zerosum.explore.guard import Door, Guard, Receive, Scope, Send

DOOR = Door("127.0.0.1", 8000, "secret")
OPEN = Door("0.0.0.0", 8000, "secret")  # noqa: S104


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})


def ask(door: Door, query: str = "token=secret", kind: str = "http", **headers: str) -> list[MutableMapping[str, Any]]:
    sent = list[MutableMapping[str, Any]]()
    given = {"host": "127.0.0.1:8000", **headers}

    async def receive() -> MutableMapping[str, Any]:
        return {"type": f"{kind}.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": kind,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    asyncio.run(Guard(application, door)(scope, receive, send))
    return sent


def status(door: Door, query: str = "token=secret", **headers: str) -> int:
    return int(ask(door, query, **headers)[0]["status"])


def test_the_token_opens_and_leaves_a_cookie() -> None:
    start = ask(DOOR)[0]
    headers = dict(start["headers"])
    assert start["status"] == 200
    assert headers[b"set-cookie"] == b"zerosum-8000=secret; Path=/; HttpOnly; SameSite=Strict"
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    again = ask(DOOR, "", cookie="other=1; zerosum-8000=secret")[0]
    assert again["status"] == 200
    assert b"set-cookie" not in dict(again["headers"])


@pytest.mark.parametrize("query", ["", "token=", "token=secrets", "token=%ff", "tokens=secret", "token=s%C3%A9cret"])
def test_without_it_nothing_is_shown(query: str) -> None:
    start, body = ask(DOOR, query)
    assert start["status"] == 403
    assert body["body"] == (
        b"the token is missing or wrong: open the address that 'zerosum explore' printed, with its token\n"
    )
    assert status(DOOR, query, cookie="zerosum-8000=wrong") == 403
    assert status(DOOR, query, cookie="zerosum-8001=secret") == 403
    assert status(DOOR, query, cookie='"";;=,') == 403


@pytest.mark.parametrize("host", ["evil.example:8000", "127.0.0.1:8001", "127.0.0.1", "", "192.168.0.1:8000", ":8000"])
def test_a_name_that_points_here_is_refused(host: str) -> None:
    start, body = ask(DOOR, host=host)
    assert start["status"] == 403
    assert body["body"].startswith(b"this address is not that of the page")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000"])
def test_names_of_this_machine_are_accepted(host: str) -> None:
    assert status(DOOR, host=host) == status(OPEN, host=host) == 200
    assert status(DOOR, host=host, origin=f"http://{host}") == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:8000", "http://localhost:8000"])
def test_other_pages_are_refused(origin: str) -> None:
    start, body = ask(DOOR, origin=origin)
    assert (start["status"], body["body"]) == (403, b"another page may not ask here\n")


def test_a_page_that_is_open_to_others_still_has_no_strange_name() -> None:
    assert status(OPEN, host="192.168.0.1:8000") == 200
    assert status(OPEN, host="evil.example:8000") == 403
    assert status(Door("box", 8000, "secret"), host="box:8000") == 200
    assert not OPEN.is_local
    assert Door("::1", 1).is_local
    assert not Door("box", 1).is_local


def test_a_socket_is_guarded_too() -> None:
    assert ask(DOOR, "", "websocket") == [{"type": "websocket.close", "code": 1008}]
    assert ask(DOOR, kind="websocket") == []
    assert ask(DOOR, kind="websocket", origin="http://evil.example")[0]["code"] == 1008


def test_the_address() -> None:
    assert DOOR.address == "http://127.0.0.1:8000/?token=secret"
    assert Door("::1", 80, "t").address == "http://[::1]:80/?token=t"
    assert "0.0.0.0" not in OPEN.address  # noqa: S104
    assert DOOR.numeric_address is Door("box", 1).numeric_address is None
    assert Door("localhost", 1).token != Door("localhost", 1).token


def test_the_address_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(guard.FAR, socket.AF_INET, "127.0.0.1")  # which is reached without any network
    assert OPEN.numeric_address == "http://127.0.0.1:8000/?token=secret"
    monkeypatch.setitem(guard.FAR, socket.AF_INET, "no address")
    assert OPEN.numeric_address is None
