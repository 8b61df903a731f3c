"""Draw from toy distributions with exact densities; on the ring and the grid, mode collapse was first measured."""

from typing import ClassVar

from zerosum import randomness
from zerosum.data import Progress, Source, Split
from zerosum.data.distributions import DISTRIBUTIONS
from zerosum.data.preparation import Preparation
from zerosum.data.readers import Reader

TRAIN, TEST = 100_000, 10_000


class Toy(Reader, name="toy"):
    """A toy distribution by its name: 100,000 points to train on, 10,000 to test with, drawn from a fixed seed."""

    summary: ClassVar[str] = "the toy distributions " + ", ".join(f"'{name}'" for name in DISTRIBUTIONS)
    names: ClassVar[tuple[str, ...]] = ("ring", "grid", "gaussian")

    def reads(self, data: str) -> bool:
        """Recognise the name."""
        return data in DISTRIBUTIONS

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Draw the points; the source keeps the density."""
        density = DISTRIBUTIONS[data]()
        train, test = (
            Split(density.draw(count, randomness.rng(0, step, f"toy {data}")))
            for step, count in enumerate((TRAIN, TEST))
        )
        return Source(data, train, test, density=density)
