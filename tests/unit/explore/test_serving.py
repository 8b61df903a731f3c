"""Ports, hosts and packages; errors are a line."""

import importlib
import socket
from types import ModuleType

import pytest

from zerosum.errors import InputError
from zerosum.explore import serving


def test_a_free_port() -> None:
    with serving.bind("127.0.0.1", 0) as one, serving.bind("localhost", 0) as other:
        assert 0 < one.getsockname()[1] != other.getsockname()[1]


def test_a_used_port() -> None:
    with serving.bind("127.0.0.1", 0) as one:
        port = one.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 is used by another program: choose another"):
            serving.bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_no_address_of_this_machine(host: str) -> None:
    with pytest.raises(InputError, match=f"--host {host} is no address"):
        serving.bind(host, 0)


def test_a_port_that_may_not_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(InputError, match="port 80 may not be used: choose a --port above 1023"):
        serving.bind("127.0.0.1", 80)


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def lack(name: str) -> ModuleType:
        raise ImportError(name)

    serving.check_packages()
    monkeypatch.setattr(importlib, "import_module", lack)
    with pytest.raises(InputError, match=r"explore needs the package starlette: pip install 'zerosum\[explore\]'"):
        serving.check_packages()
