"""Serve one subject on a port of this machine until Ctrl-C."""

import errno
import importlib
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress

from zerosum.errors import InputError
from zerosum.explore.guard import Application, Door, Guard
from zerosum.explore.typed import MOST_BYTES

PACKAGES = "starlette", "uvicorn", "websockets"
INSTALL = "pip install 'zerosum[explore]'"


def check_packages() -> None:
    """Refuse to begin without the packages of the extra `explore`.

    Raises:
        InputError: one of them is not installed.
    """
    for name in PACKAGES:
        try:
            importlib.import_module(name)
        except ImportError:
            raise InputError(f"explore needs the package {name}: {INSTALL}") from None


def bind(host: str, port: int) -> socket.socket:
    """Bind an address of this machine; port 0 is a free one.

    Raises:
        InputError: the port is used, or the host is no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(f"--host {host} is no address: {error.strerror or error}") from None
    try:
        if os.name == "posix":  # where it means: also while connections of the program before are fading away
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        bound.listen()
    except OSError as error:
        bound.close()
        raise InputError(_explain(host, port, error)) from None
    return bound


def serve(bound: socket.socket, door: Door, application: Application, open_page: Callable[[], object] | None) -> None:
    """Serve the application behind the guard until Ctrl-C; `open_page` is called when it answers."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if open_page is not None:
                threading.Thread(target=open_page, daemon=True).start()

    config = uvicorn.Config(
        Guard(application, door),
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=0,
        ws_per_message_deflate=False,  # within one machine, packing costs more than it saves
        ws_max_size=MOST_BYTES,
        lifespan="on",
    )
    with suppress(KeyboardInterrupt):
        Server(config).run(sockets=[bound])


def leave() -> None:
    """End the program at once: answers that nobody waits for, and collecting PyTorch's objects, would take seconds."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def show_in_browser(address: str) -> None:
    """Open a page in the user's browser, if there is one."""
    with suppress(webbrowser.Error, OSError):
        webbrowser.open(address)


def _explain(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is used by another program: choose another --port, or 0 for a free one"
    if error.errno == errno.EACCES:
        return f"port {port} may not be used: choose a --port above 1023, or 0 for a free one"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--host {host} is no address of this machine: leave it out, or give one that is"
    return f"cannot serve at {host}, port {port}: {error.strerror or error}"
