"""Toy distributions with exact densities: the ring, the grid and the line on which mode collapse was first measured."""

import math
from typing import ClassVar

import torch

from zerosum import randomness
from zerosum.data import Progress, Reader, Source, Split
from zerosum.data.mixture import Mixture
from zerosum.data.preparation import Preparation

TRAIN, TEST = 100_000, 10_000


def ring() -> Mixture:
    """Eight modes on a circle of radius 2, sigma 0.02 (Metz et al. 2017; Srivastava et al. 2017)."""
    angles = torch.arange(8) * (2 * math.pi / 8)
    return Mixture(2 * torch.stack([angles.cos(), angles.sin()], dim=1), 0.02)


def grid() -> Mixture:
    """Twenty-five modes, spacing 2, sigma 0.05 (Srivastava et al. 2017; Lin et al. 2018)."""
    places = torch.arange(-4.0, 5.0, 2.0)
    return Mixture(torch.cartesian_prod(places, places), 0.05)


def gaussian() -> Mixture:
    """One mode on the line: N(3, 1), as far from where generators start as they find it without being told."""
    return Mixture(torch.tensor([[3.0]]), 1.0)


DISTRIBUTIONS = {"ring": ring, "grid": grid, "gaussian": gaussian}


class Toy(Reader):
    """A toy distribution by its name: 100,000 points to train on, 10,000 to test with, drawn from a fixed seed."""

    summary: ClassVar[str] = "the toy distributions " + ", ".join(f"'{name}'" for name in DISTRIBUTIONS)

    def names(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(DISTRIBUTIONS)

    def reads(self, data: str) -> bool:
        """By its name."""
        return data in DISTRIBUTIONS

    def open(self, data: str, preparation: Preparation, progress: Progress | None) -> Source:
        """Draw the points; the source keeps the density."""
        density = DISTRIBUTIONS[data]()
        train, test = (
            Split(density.draw(count, randomness.generator(0, step, f"toy {data}")))
            for step, count in enumerate((TRAIN, TEST))
        )
        return Source(data, train, test, density=density)
