"""One game of points that is being played: Algorithm 1 itself, an iteration at a time."""

from functools import lru_cache

from torch import Tensor

from zerosum.data import Source
from zerosum.data.distributions import Mixture
from zerosum.data.readers import open_source
from zerosum.errors import InputError
from zerosum.explore.settings import Settings
from zerosum.explore.watching import Line, Notice, WatchedPlayers, watch
from zerosum.game.algorithm import Iteration, play
from zerosum.game.engine import Engine
from zerosum.game.players import Players


class Match:
    """A game of the page's settings, before its first iteration and then after each.

    Attributes:
        settings: what was set.
        recipe: what that means.
        source: the data.
        players: both players, watched.
        last: what the iteration before measured; None at the start.
        notice: is told of each line of Algorithm 1; may be set anew.
    """

    def __init__(self, settings: Settings) -> None:
        """Draw both networks.

        Raises:
            InputError: what is set does not go together.
        """
        self.settings, self.recipe = settings, settings.make_recipe()
        self.source = open_toy(settings.data)
        engine = Engine.choose("cpu", self.recipe.precision, self.recipe.threads)
        players = Players.build(self.recipe, self.source, engine, settings.seed)
        self.players: WatchedPlayers = watch(players, lambda line: self.notice(line))
        self.notice: Notice = lambda line: None
        self.last: Iteration | None = None
        self._iterations = play(
            self.players, self.recipe, self.source.train, steps=self.recipe.steps, seed=settings.seed
        )

    @property
    def step(self) -> int:
        """Iterations done."""
        return 0 if self.last is None else self.last.step + 1

    @property
    def steps(self) -> int:
        """Iterations in all."""
        return self.recipe.steps

    @property
    def density(self) -> Mixture:
        """The exact density of the data."""
        density = self.source.density
        assert density is not None  # noqa: S101  # every toy has one
        return density

    def advance(self) -> None:
        """Play one iteration; there must be one left."""
        self.last = next(self._iterations)

    def caption(self, line: Line) -> str:
        """Say in the words of Algorithm 1 what has just been done."""
        m, k, at_once = self.recipe.batch_size, self.recipe.discriminator_steps, self.recipe.simultaneous
        captions = {
            Line.START: "Both networks as they were drawn: nobody has moved yet.",
            Line.D_SAMPLES: f"Sample minibatch of m = {m} noise samples z from p_g(z), and of m = {m} examples x from "
            "p_data(x).",
            Line.D_UPDATED: "Update the discriminator by ascending its stochastic gradient.",
            Line.G_SAMPLES: f"Sample minibatch of m = {m} noise samples z from p_g(z).",
            Line.G_UPDATED: "Update the generator by descending its stochastic gradient.",
            Line.DONE: f"In the last one: {k} update{'s' if k > 1 else ''} of the discriminator, one of the generator.",
        }
        if at_once and line is Line.G_SAMPLES:
            return f"Sample one minibatch of m = {m} for both players, who move at once."
        return captions[line]


@lru_cache(maxsize=4)
def open_toy(name: str) -> Source:
    """Open a toy distribution by its name, even where a file of that name lies.

    Raises:
        InputError: there is none.
    """
    source = open_source(name, recorded=True)
    if source.density is None:
        raise InputError(f"the density of {name} is not known")
    return source


def first_real(source: Source, count: int) -> Tensor:
    """Return the first `count` real points that the players never see, float32 [count, d]."""
    return source.test.samples[:count]
