"""Who may ask: whoever was given the token, by an address that is this machine's, from this page and no other.

A page of a stranger that has a name of its own point here (DNS rebinding) is refused by its Host, one that sends
requests from elsewhere by its Origin, and any other program by the token.
"""

import hmac
import ipaddress
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

TOKEN = "token"  # noqa: S105  # the word in the address, not one itself
EVERY = "0.0.0.0", "::", ""  # noqa: S104  # hosts that stand for all addresses of this machine
FAR = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}  # addresses for documentation; nobody is asked
POLICY = "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}


@dataclass(frozen=True)
class Door:
    """Where the page is served, and the word that opens it.

    Attributes:
        host: the address that is bound, as the user gave it.
        port: the port.
        token: whoever has it may ask.
    """

    host: str
    port: int
    token: str = field(default_factory=token_urlsafe)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host == "localhost" or _is_loopback(self.host)

    @property
    def cookie(self) -> str:
        """The name of the cookie that has the token; cookies do not know ports, so it names its own."""
        return f"zerosum-{self.port}"

    @property
    def address(self) -> str:
        """The address to open, with the token."""
        return self._address_of(socket.gethostname() if self.host in EVERY else self.host)

    @property
    def numeric_address(self) -> str | None:
        """The same by this machine's number, if it is bound to all: not every network knows its name."""
        number = _own_number(self.host) if self.host in EVERY else None
        return None if number is None else self._address_of(number)

    def _address_of(self, host: str) -> str:
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/?{TOKEN}={self.token}"

    def accepts_host(self, host: str) -> bool:
        """Whether a request's Host is this machine's: a number, localhost, or a name that is meant to be bound."""
        name, _, port = host.rpartition(":")
        if not name or port != str(self.port):
            return False
        name = name.strip("[]").lower()
        if self.is_local:
            return name == "localhost" or _is_loopback(name)
        return name in ("localhost", self.host.lower(), socket.gethostname().lower()) or _is_number(name)

    def accepts_token(self, token: str) -> bool:
        """Whether it is the token; how long that takes says nothing about it."""
        return hmac.compare_digest(token.encode(), self.token.encode())


class Guard:
    """Lets a request through to the application, or answers it with 403 and a line that says why."""

    def __init__(self, application: Application, door: Door) -> None:
        """Guard `application`, whose `door` says who may ask."""
        self._application, self._door = application, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
        elif why := self._refusal(scope):
            await _refuse(scope, receive, send, why)
        else:
            await self._application(scope, receive, self._with_headers(scope, send))

    def _refusal(self, scope: Scope) -> str:
        """Say why a request is refused; empty if it is not."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._door.accepts_host(host):
            return "this address is not that of the page: open the one that 'zerosum explore' printed"
        if origin is not None and origin.lower() != f"http://{host}".lower():
            return "another page may not ask here"
        if not (self._door.accepts_token(_token_in(scope)) or self._door.accepts_token(self._cookie_in(headers))):
            return "the token is missing or wrong: open the address that 'zerosum explore' printed, with its token"
        return ""

    def _cookie_in(self, headers: dict[str, str]) -> str:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return ""
        return cookies[self._door.cookie].value if self._door.cookie in cookies else ""

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        """Return a `send` that adds the headers of safety, and a cookie for whoever came with the token."""

        async def add(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS.items()]
                if _token_in(scope):
                    cookie = f"{self._door.cookie}={self._door.token}; Path=/; HttpOnly; SameSite=Strict"
                    message["headers"].append((b"set-cookie", cookie.encode()))
            await send(message)

        return add


async def _refuse(scope: Scope, receive: Receive, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: 403
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS.items()]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": f"{why}\n".encode()})


def _token_in(scope: Scope) -> str:
    return next(iter(parse_qs(scope["query_string"].decode("latin-1")).get(TOKEN, [])), "")


def _own_number(host: str) -> str | None:
    """Return the number by which this machine reaches others; nothing is sent. None if it reaches none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as route:
            route.connect((FAR[family], 9))
            return str(route.getsockname()[0])
    except OSError:
        return None


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return _is_number(host) and ipaddress.ip_address(host).is_loopback
