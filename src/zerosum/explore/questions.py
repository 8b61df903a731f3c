"""What may be asked of a latent space: places in it, and what lies between, around and along directions from them."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from zerosum.explore.typed import read_seed
from zerosum.types import Count, Fraction, Positive, Whole

MOST_SAMPLES, MOST_STEPS, MOST_REACH = 256, 64, 10.0
MOST_UPLOAD = 50_000_000  # bytes of a picture's file
Kind = Literal["sefa", "ganspace"]


@dataclass(frozen=True)
class Move:
    """How far a latent is moved along a direction.

    Attributes:
        kind: how the directions were found.
        number: of the direction, from 0.
        amount: in standard deviations of a latent.
    """

    kind: Kind
    number: Whole
    amount: Annotated[float, Field(ge=-MOST_REACH, le=MOST_REACH)]


@dataclass(frozen=True)
class Place:
    """A latent: number `index` of those that `zerosum sample --seed --label --truncation` draws, and then moved.

    With `found`, it is instead the one that was found for a picture, by its number, and then moved.
    """

    seed: str = "0"
    index: Annotated[Whole, Field(lt=MOST_SAMPLES)] = 0
    label: str | None = None
    truncation: Positive | None = None
    found: Whole | None = None
    moves: tuple[Move, ...] = ()

    @property
    def number(self) -> int:
        """The seed.

        Raises:
            InputError: it is no whole number.
        """
        return read_seed(self.seed)


@dataclass(frozen=True)
class Draw:
    """The first `count` samples of a place's seed, class and truncation."""

    place: Place
    count: Annotated[Count, Field(le=MOST_SAMPLES)] = 36


@dataclass(frozen=True)
class Way:
    """`steps` samples from a place to another one, both included."""

    start: Place
    goal: Place
    steps: Annotated[int, Field(ge=2, le=MOST_STEPS)] = 9


@dataclass(frozen=True)
class Around:
    """Samples at a share of the way from a place to others that are drawn at random."""

    place: Place
    share: Fraction = 0.25


@dataclass(frozen=True)
class Along:
    """`steps` samples along one direction, from -`reach` to `reach` standard deviations."""

    place: Place
    kind: Kind = "sefa"
    number: Whole = 0
    reach: Annotated[float, Field(gt=0, le=MOST_REACH)] = 4.0
    steps: Annotated[int, Field(ge=2, le=MOST_STEPS)] = 9
