"""Read what a request brings, and answer what takes long in a thread."""

from collections.abc import Callable
from typing import Any, TypeVar

from anyio.to_thread import run_sync
from starlette.requests import Request

from zerosum.catalog import FieldError
from zerosum.errors import InputError, ZerosumError

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *given: Any) -> T:
    """Call a function that may take long in a thread; at the end of the program it is not waited for."""
    return await run_sync(function, *given, abandon_on_cancel=True)


async def read_body(request: Request, most: int, refusal: str) -> bytes:
    """Read a request's body of at most so many bytes.

    Raises:
        InputError: there are more; `refusal` is the message.
    """
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > most:
            raise InputError(refusal)
    return bytes(content)


def describe_error(error: Exception) -> dict[str, str]:
    """Describe an error; of a setting also which one it is, and what is wrong with it, as the page has words for it."""
    if not isinstance(error, ZerosumError):
        return {"error": f"{type(error).__name__}: {error}"}
    about = {"error": str(error)}
    if isinstance(error, FieldError) and error.path:
        about |= {"field": error.path[0], "problem": error.problem}
    return about
