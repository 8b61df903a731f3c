"""Players that tell where in Algorithm 1 they are, and play as they would unwatched.

`play` of `game/algorithm.py` draws minibatches and moves players by their methods; here these methods tell of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

from torch import Tensor

from zerosum.data import Batch, Split
from zerosum.game.players import Player, Players


class Line(StrEnum):
    """Where in an iteration the game stands, by the lines of Algorithm 1."""

    START = "start"
    D_SAMPLES = "d-samples"
    D_UPDATED = "d-updated"
    G_SAMPLES = "g-samples"
    G_UPDATED = "g-updated"
    DONE = "done"


Notice = Callable[[Line], None]


@dataclass(frozen=True)
class WatchedPlayer(Player):
    """A player that tells before and after its parameters move; outside of any random scope, so it may wait there.

    Attributes:
        before: the line that is reached when its gradient is there.
        after: the line that is reached when it has moved.
        notice: is told.
    """

    before: Line = Line.START
    after: Line = Line.START
    notice: Notice = lambda line: None

    def apply_gradients(self, step: int, steps: int) -> None:
        """Move as a `Player` does, and tell."""
        self.notice(self.before)
        super().apply_gradients(step, steps)
        self.notice(self.after)


@dataclass(frozen=True)
class WatchedPlayers(Players):
    """Players that remember the minibatches that were drawn last.

    Attributes:
        drawn: the last real samples and the last fakes, detached, as `real` and `fake`.
    """

    drawn: dict[str, Tensor] = field(default_factory=dict)

    def real_batch(self, data: Split, size: int, number: int, seed: int) -> Batch:
        """Draw as `Players` do, and remember."""
        batch = super().real_batch(data, size, number, seed)
        self.drawn["real"] = batch.samples.detach()
        return batch

    def generate(self, labels: Tensor | None, count: int) -> Tensor:
        """Draw as `Players` do, and remember."""
        fake = super().generate(labels, count)
        self.drawn["fake"] = fake.detach()
        return fake


def watch(players: Players, notice: Notice) -> WatchedPlayers:
    """Return the same players, networks and optimisers, so that they tell `notice` of each line they reach."""
    generator = _watch_player(players.generator, Line.G_SAMPLES, Line.G_UPDATED, notice)
    discriminator = _watch_player(players.discriminator, Line.D_SAMPLES, Line.D_UPDATED, notice)
    watched = replace(players, generator=generator, discriminator=discriminator)
    return WatchedPlayers(**{each.name: getattr(watched, each.name) for each in fields(Players)})


def _watch_player(player: Player, before: Line, after: Line, notice: Notice) -> WatchedPlayer:
    own = {each.name: getattr(player, each.name) for each in fields(Player)}
    return WatchedPlayer(**own, before=before, after=after, notice=notice)
