"""Look for a picture that is sent, and tell the page how far the search is; it ends when the page is left."""

import asyncio
import threading
from collections.abc import AsyncIterator

import torch
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from torch import Tensor

from zerosum import catalog
from zerosum.explore.asking import describe_error, in_thread, read_body
from zerosum.explore.frames import pack
from zerosum.explore.inversion import decode_picture
from zerosum.explore.latents import LatentSpace
from zerosum.explore.questions import MOST_UPLOAD, Place
from zerosum.export.pictures import select_shown

EVERY = 0.1  # seconds from one word of progress to the next
SIZE = 4  # bytes: a message's length, little-endian, goes before it


class Left(Exception):  # no error: it unwinds a search that nobody waits for
    """The page that asked is gone."""


class Search:
    """A search for one picture."""

    def __init__(self, space: LatentSpace, picture: Tensor, place: Place) -> None:
        """`place` has the seed and the class; nothing is done before `run`."""
        self._space, self._picture, self._place = space, picture, place
        self._left = threading.Event()
        self._at = "waiting for another search to end", 0, 0

    def progress(self) -> bytes:
        """Return a message that says what is being done, and which part of how many."""
        what, number, total = self._at
        return pack({"doing": what, "part": number, "parts": total}, {})

    def run(self) -> bytes:
        """Look for the picture; return the message with what was found, the picture first, or with an error."""
        try:
            number, found = self._space.find(self._picture, self._place, self._tell)
        except Left:
            return b""
        except Exception as error:
            return pack(describe_error(error), {})
        pictures = select_shown(torch.stack([self._picture, found.sample]), self._space.generator.shown)
        place = {"seed": self._place.seed, "label": self._place.label, "found": number}
        about = {"place": place, "error-in-words": found.error_in_words, "length-in-words": found.length_in_words}
        return pack(about, {"pictures": pictures})

    def leave(self) -> None:
        """End the search after the part that is being done."""
        self._left.set()

    def _tell(self, what: str, number: int, total: int) -> None:
        self._at = what, number, total
        if self._left.is_set():
            raise Left


def make_route(space: LatentSpace) -> Route:
    """Make the address to which a picture's file is sent; one is looked for at a time, others wait for their turn."""
    turn = asyncio.Lock()

    async def answer(request: Request) -> Response:
        asked = {name: value for name, value in request.query_params.items() if name in ("seed", "label")}
        place = catalog.build(Place, asked)
        await in_thread(space.locate, place)  # which refuses a seed or a class that is none
        too_large = f"the file is too large: at most {MOST_UPLOAD / 1e6:g} MB are read"
        content = await read_body(request, MOST_UPLOAD, too_large)
        picture = await in_thread(decode_picture, content, space.generator.shape, "the file")
        return StreamingResponse(_follow(Search(space, picture, place), turn), media_type="application/octet-stream")

    return Route("/latents/find", answer, methods=["POST"])


async def _follow(search: Search, turn: asyncio.Lock) -> AsyncIterator[bytes]:
    """Yield messages, each after its length: how far the search is, again and again, and then what was found."""
    if turn.locked():
        yield _with_length(search.progress())
    async with turn:
        task = asyncio.create_task(in_thread(search.run))
        try:
            while not (await asyncio.wait([task], timeout=EVERY))[0]:
                yield _with_length(search.progress())
            yield _with_length(task.result())
        finally:
            search.leave()


def _with_length(message: bytes) -> bytes:
    return len(message).to_bytes(SIZE, "little") + message
