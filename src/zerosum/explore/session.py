"""A game in a thread of its own, which the page starts, stops and slows down.

Frames are a function of the settings, the iteration and the line: whoever looks, and how often, changes nothing. While
nobody looks, the game waits.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from zerosum.errors import InputError
from zerosum.explore.frames import pack
from zerosum.explore.match import Match
from zerosum.explore.settings import Settings, choices, recipe_names
from zerosum.explore.view import Frame, View
from zerosum.explore.watching import Line

FRAME_SECONDS, SLOW_SECONDS = 1 / 30, 1.5  # the least from frame to frame, and how long a line stays in slow motion
MOST_STRIDE = 100
HISTORY = "step", "discriminator-loss", "generator-loss", "divergence", "modes"
MOST_HISTORY = 4_000


class Left(Exception):  # no error: it unwinds a game that is given up
    """The game is given up, for another one or for good."""


@dataclass(frozen=True)
class Pace:
    """How the game goes on.

    Attributes:
        playing: whether by itself.
        slow: whether every line of Algorithm 1 is shown.
        stride: iterations to a frame.
    """

    playing: bool = False
    slow: bool = False
    stride: int = 1


class Session:
    """One game at a time, for any number of viewers, who all see and steer the same."""

    def __init__(self, settings: Settings) -> None:
        """Draw the networks of the first game.

        Raises:
            InputError: what is set does not go together.
        """
        names = recipe_names()
        self._recipes = names if settings.recipe in names else [settings.recipe, *names]
        self._change = threading.Condition()
        self._match = Match(settings)
        self._next: Match | None = None
        self._pace, self._message = Pace(), ""
        self._iterations = self._lines = 0  # that were asked for and are not yet played
        self._closing = False
        self._viewers: list[Callable[[], object]] = []
        self._frame, self._number = b"", 0
        self._history: list[list[float]] = []
        self._thread = threading.Thread(target=self._run, name="zerosum game", daemon=True)
        self._thread.start()

    def tell(self, command: str, values: Mapping[str, Any] | None = None) -> None:
        """Do what a viewer asks for: play, pause, iteration, line, pace, or restart.

        `values` has `slow` and `stride` of the pace, and the `settings` of a restart.

        Raises:
            InputError: there is no such command, or a value cannot be used; the game goes on as it was.
        """
        values = values or {}
        if command == "restart":
            self._restart(Match(Settings.read(values.get("settings"), self._recipes)))
        elif command == "pace":
            self._set(_read_pace(self._pace, values))
        elif command in ("play", "pause"):
            self._set(replace(self._pace, playing=command == "play"))
        elif command in ("iteration", "line"):
            self._ask(command)
        else:
            raise InputError(f"unknown command {command[:50]!r}")

    def choices(self) -> dict[str, list[str]]:
        """Return the words that may be chosen, by the settings' fields; a recipe that was given is one of them."""
        return choices(self._recipes)

    def state(self) -> dict[str, Any]:
        """Return, JSON-able, what is set, how the game goes on, and the command and the Python that repeat it."""
        with self._change:
            settings = (self._next or self._match).settings
            recipe = (self._next or self._match).recipe
            return {
                "settings": settings.as_json(),
                "own": {
                    "generator_lr": recipe.generator_optimizer.rate(0, recipe.steps),
                    "discriminator_lr": recipe.discriminator_optimizer.rate(0, recipe.steps),
                    "k": recipe.discriminator_steps,
                    "width": getattr(recipe.networks, "width", None),
                },
                "pace": asdict(self._pace),
                "command": settings.command(),
                "python": settings.python(),
                "message": self._message,
            }

    def frame(self) -> tuple[int, bytes]:
        """Return the newest frame and its number, which grows with each; 0 before the first."""
        with self._change:
            return self._number, self._frame

    def history(self) -> bytes:
        """Return the figures of the game so far as a message: `history`, float32 [N, HISTORY]; NaN is none."""
        with self._change:
            rows = torch.tensor(self._history, dtype=torch.float32).reshape(-1, len(HISTORY))
        return pack({"columns": list(HISTORY)}, {"history": rows})

    @contextmanager
    def watched(self, notify: Callable[[], object]) -> Iterator[None]:
        """Be a viewer: `notify` is called, from another thread, after each new frame and each change of the state."""
        with self._change:
            self._viewers.append(notify)
            self._change.notify_all()
        try:
            yield
        finally:
            with self._change:
                self._viewers.remove(notify)

    def close(self) -> None:
        """End the game and its thread."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._thread.join()

    def _set(self, pace: Pace) -> None:
        with self._change:
            self._pace, self._message = pace, ""
            self._notify()

    def _ask(self, command: str) -> None:
        with self._change:
            self._pace = replace(self._pace, playing=False)
            if command == "iteration":
                self._iterations += 1
            else:
                self._lines += 1
            self._notify()

    def _restart(self, match: Match) -> None:
        with self._change:
            self._next, self._message = match, ""
            self._iterations = self._lines = 0
            self._notify()

    def _notify(self) -> None:
        """Wake the game and tell the viewers; the lock is held."""
        self._change.notify_all()
        for each in self._viewers:
            each()

    def _run(self) -> None:
        """Play one game after the other."""
        while True:
            try:
                self._play_to_end(self._match)
            except Left:
                with self._change:
                    if self._closing:
                        return
                    self._match, self._next = self._next or self._match, None

    def _play_to_end(self, match: Match) -> None:
        """Play a game until it is left; whatever it does, the page goes on and says so."""
        try:
            why = self._play(match)
        except Left:
            raise
        except Exception as error:
            why = f"the game ended: {type(error).__name__}: {error}; change a setting to begin another one"
        while True:
            self._stop(why)
            with self._change:
                self._change.wait_for(lambda: self._is_over() or self._may_go_on())
                self._leave_if_over()

    def _play(self, match: Match) -> str:
        """Play a game to its end and say why it ended.

        Raises:
            Left: another game is asked for, or none.
        """
        view = View(match)
        match.players.engine.use_threads()
        match.notice = lambda line: self._reach(view, line)
        self._show(view, Line.START)
        while match.step < match.steps:
            with self._change:
                self._change.wait_for(lambda: self._is_over() or self._may_go_on())
                self._leave_if_over()
            match.advance()
            if self._is_due(match) or not view.finite:
                self._show(view, Line.DONE)
            if not view.finite:
                return (
                    f"the game diverged: a loss of iteration {match.step:,} is no finite number; take smaller learning "
                    "rates, or a regulariser"
                )
        return f"all {match.steps:,} iterations of the recipe are played"

    def _is_due(self, match: Match) -> bool:
        """Whether the iteration that has just been played is shown; one that was asked for is then done."""
        with self._change:
            asked = self._iterations > 0
            self._iterations -= asked
            in_stride = match.step % self._pace.stride == 0 or match.step == match.steps
            return asked or not self._pace.playing or in_stride

    def _reach(self, view: View, line: Line) -> None:
        """Show a line of Algorithm 1 in slow motion, or if single lines are asked for, and wait there."""
        with self._change:
            self._leave_if_over()
            if not (self._pace.slow and self._pace.playing) and self._lines == 0:
                return
        self._show(view, line)
        with self._change:
            if self._lines > 0:
                self._lines -= 1
                self._change.wait_for(lambda: self._is_over() or self._may_go_on())
            else:
                self._change.wait_for(self._is_over, SLOW_SECONDS)
                self._change.wait_for(lambda: self._is_over() or self._may_go_on())
            self._leave_if_over()

    def _is_over(self) -> bool:
        return self._closing or self._next is not None

    def _may_go_on(self) -> bool:
        asked = self._iterations + self._lines > 0
        return asked or (self._pace.playing and bool(self._viewers))

    def _leave_if_over(self) -> None:
        if self._is_over():
            raise Left

    def _stop(self, message: str) -> None:
        with self._change:
            self._pace, self._message = replace(self._pace, playing=False), message
            self._iterations = self._lines = 0
            self._notify()

    def _show(self, view: View, line: Line) -> None:
        """Make a frame and hand it to the viewers, at most one in FRAME_SECONDS."""
        began = time.monotonic()
        frame = view.look(line)
        message = pack(*frame)
        with self._change:
            self._remember(frame, line)
            self._frame, self._number = message, self._number + 1
            self._notify()
            self._change.wait_for(self._is_over, max(0.0, FRAME_SECONDS - (time.monotonic() - began)))

    def _remember(self, frame: Frame, line: Line) -> None:
        """Keep the figures of a whole iteration, of every second one when there are too many; the lock is held."""
        if line is Line.START:
            self._history = []
        if line in (Line.START, Line.DONE):
            values = (frame.about[name] for name in HISTORY)
            self._history.append([math.nan if value is None else value for value in values])
        if len(self._history) > MOST_HISTORY:
            self._history = self._history[::2]


def _read_pace(pace: Pace, values: Mapping[str, Any]) -> Pace:
    slow, stride = values.get("slow", pace.slow), values.get("stride", pace.stride)
    if not isinstance(slow, bool) or type(stride) is not int or not 1 <= stride <= MOST_STRIDE:
        raise InputError(f"the pace is slow or not, and 1 to {MOST_STRIDE} iterations to a frame")
    return replace(pace, slow=slow, stride=stride)
