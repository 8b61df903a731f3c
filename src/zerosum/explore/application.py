"""The page's addresses: its own files, by name, and what it asks for; nothing else is served."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from zerosum import catalog
from zerosum.errors import InputError, ZerosumError
from zerosum.explore.asking import describe_error, in_thread, read_body
from zerosum.explore.following import follow, read_picture
from zerosum.explore.frames import clean, pack
from zerosum.explore.latents import LatentSpace, describe_command
from zerosum.explore.questions import Along, Around, Draw, Place, Way
from zerosum.explore.searching import make_route
from zerosum.explore.session import Session
from zerosum.explore.subject import Subject
from zerosum.explore.typed import MOST_BYTES
from zerosum.export.pictures import select_shown

OWN = files("zerosum.explore") / "page"
COLOURS = files("zerosum.export") / "web" / "colours.css"  # those of the exported page
PAGE = {
    "": ("index.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "pictures.js": ("pictures.js", "text/javascript"),
    "points.js": ("points.js", "text/javascript"),
    "main.js": ("main.js", "text/javascript"),
    "messages.js": ("messages.js", "text/javascript"),
    "drawing.js": ("drawing.js", "text/javascript"),
    "game.js": ("game.js", "text/javascript"),
    "latents.js": ("latents.js", "text/javascript"),
    "search.js": ("search.js", "text/javascript"),
    "run.js": ("run.js", "text/javascript"),
}
T = TypeVar("T")


def make_application(subject: Subject) -> Starlette:
    """Make the application of one subject; it is closed when the application ends."""
    routes = [Route(f"/{address}", _file(OWN / name, kind)) for address, (name, kind) in PAGE.items()]
    routes.append(Route("/colours.css", _file(COLOURS, "text/css")))
    routes.append(Route("/about", _about(subject)))
    if subject.space is not None:
        routes += _latent_routes(subject.space)
    if subject.run is not None:
        routes += _run_routes(subject.run)
    errors: Mapping[Any, Any] = {ZerosumError: _explain, Exception: _explain}
    further = [] if subject.session is None else [WebSocketRoute("/game", _game(subject.session))]
    return Starlette(routes=[*routes, *further], lifespan=_closing(subject), exception_handlers=errors)


def _closing(subject: Subject) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def live(application: Starlette) -> Any:
        yield
        await in_thread(subject.close)

    return live


def _file(place: Traversable, kind: str) -> Callable[[Request], Any]:
    content = place.read_bytes()

    async def answer(request: Request) -> Response:
        return Response(content, media_type=kind)

    return answer


def _about(subject: Subject) -> Callable[[Request], Any]:
    """Answer with what the page has to show."""

    def describe() -> dict[str, Any]:
        return {
            "name": subject.name,
            "game": None if subject.session is None else subject.session.choices(),
            "space": None if subject.space is None else subject.space.describe(),
            "why-no-space": subject.why_no_space,
            "run": subject.run is not None,
        }

    async def answer(request: Request) -> Response:
        return JSONResponse(await in_thread(describe))

    return answer


def _latent_routes(space: LatentSpace) -> list[Route]:
    """Answer questions about a latent space with samples: pictures as bytes, or points as float32."""
    name = "pictures" if len(space.generator.shape) == 3 else "points"

    def show(samples: Any, **about: Any) -> bytes:
        return pack(about, {name: select_shown(samples, space.generator.shown)})

    def draw(wanted: Draw) -> bytes:
        return show(space.draw(wanted), command=describe_command(space.typed, wanted.place, wanted.count))

    def find_training(place: Place) -> bytes:
        images, distances = space.find_training(place)
        return show(images, distances=distances)

    return [
        _question("/latents/draw", Draw, draw),
        _question("/latents/show", Place, lambda place: show(space.show(place))),
        _question("/latents/go", Way, lambda way: show(space.go(way))),
        _question("/latents/around", Around, lambda around: show(space.look_around(around))),
        _question("/latents/along", Along, lambda along: show(space.go_along(along))),
        _question("/latents/training", Place, find_training),
        make_route(space),
    ]


def _question(path: str, kind: type[T], answer_to: Callable[[T], bytes]) -> Route:
    """Answer questions of one `kind`, which are sent as its fields in JSON."""

    async def answer(request: Request) -> Response:
        values = await _read(request)
        content = await in_thread(lambda: answer_to(catalog.build(kind, values)))
        return Response(content, media_type="application/octet-stream")

    return Route(path, answer, methods=["POST"])


def _run_routes(path: Path) -> list[Route]:
    async def state(request: Request) -> Response:
        return JSONResponse(clean(await in_thread(follow, path)))

    async def picture(request: Request) -> Response:
        return Response(await in_thread(read_picture, path, request.path_params["step"]), media_type="image/png")

    return [Route("/run", state), Route("/run/pictures/{step:int}", picture)]


def _game(session: Session) -> Callable[[WebSocket], Any]:
    """Show a game to one viewer: frames as bytes, the state and errors as text; do what the viewer asks for."""

    async def answer(socket: WebSocket) -> None:
        await socket.accept()
        news, loop = asyncio.Event(), asyncio.get_running_loop()
        with session.watched(partial(loop.call_soon_threadsafe, news.set)):
            telling = asyncio.create_task(_tell(socket, session, news))
            try:
                await _listen(socket, session)
            finally:
                telling.cancel()
                with suppress(asyncio.CancelledError, WebSocketDisconnect):
                    await telling

    return answer


async def _tell(socket: WebSocket, session: Session, news: asyncio.Event) -> None:
    """Send the newest frame and the state whenever they are new; frames that come too fast are left out."""
    sent, said = 0, ""
    await socket.send_bytes(session.history())
    while True:
        number, frame = session.frame()
        state = json.dumps(session.state())
        news.clear()
        if state != said:
            await socket.send_text(state)
            said = state
        if number != sent:
            await socket.send_bytes(frame)
            sent = number
        await news.wait()


async def _listen(socket: WebSocket, session: Session) -> None:
    """Do what the viewer asks for, until it leaves; what cannot be done is answered in a line."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            asked = _as_object(str(message.get("text") or "").encode())
            await in_thread(session.tell, str(asked.get("command", "")), asked)
        except ZerosumError as error:
            await socket.send_text(json.dumps(describe_error(error)))


async def _read(request: Request) -> dict[str, Any]:
    return _as_object(await read_body(request, MOST_BYTES, "the question is too long"))


def _as_object(content: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(content[: MOST_BYTES + 1])
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise InputError("the question is no JSON object")
    return asked


async def _explain(request: Request, error: Exception) -> Response:
    """Answer an error with a line; the server lives on."""
    return JSONResponse(describe_error(error), status_code=400 if isinstance(error, ZerosumError) else 500)
