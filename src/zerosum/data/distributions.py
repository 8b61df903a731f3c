"""Mixtures of Gaussians: distributions with exact densities."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of equally weighted Gaussians of one width.

    Attributes:
        means: the modes, float32 [K, d].
        sigma: the standard deviation of each mode in each coordinate.
    """

    means: Tensor
    sigma: float

    def draw(self, count: int, rng: torch.Generator) -> Tensor:
        """Draw `count` independent points, float32 [count, d]."""
        modes = torch.randint(len(self.means), (count,), generator=rng)
        return self.means[modes] + self.sigma * torch.randn(count, self.means.shape[1], generator=rng)

    def log_density(self, points: Tensor) -> Tensor:
        """Compute log p(x) in nats for each x of `points` [N, d], as [N]."""
        squares = torch.cdist(points, self.means.to(points)).square()
        dimension = self.means.shape[1]
        constant = math.log(len(self.means)) + dimension / 2 * math.log(2 * math.pi * self.sigma**2)
        return torch.logsumexp(-squares / (2 * self.sigma**2), dim=1) - constant


def make_ring() -> Mixture:
    """Make eight modes on a circle of radius 2, sigma 0.02 (Metz et al. 2017; Srivastava et al. 2017)."""
    angles = torch.arange(8) * (2 * math.pi / 8)
    return Mixture(2 * torch.stack([angles.cos(), angles.sin()], dim=1), 0.02)


def make_grid() -> Mixture:
    """Make twenty-five modes, spacing 2, sigma 0.05 (Srivastava et al. 2017; Lin et al. 2018)."""
    places = torch.arange(-4.0, 5.0, 2.0)
    return Mixture(torch.cartesian_prod(places, places), 0.05)


def make_gaussian() -> Mixture:
    """Make one mode on the line, N(3, 1): about as far from a generator's first samples as training still reaches."""
    return Mixture(torch.tensor([[3.0]]), 1.0)


DISTRIBUTIONS = {"ring": make_ring, "grid": make_grid, "gaussian": make_gaussian}
