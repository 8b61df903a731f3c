"""Mixtures of Gaussians: distributions whose density is known exactly."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Mixture:
    """Equally weighted Gaussians of one width.

    Attributes:
        means: the modes, float32 [K, d].
        sigma: the standard deviation of each mode in each coordinate.
    """

    means: Tensor
    sigma: float

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """`count` independent points, float32 [count, d]."""
        modes = torch.randint(len(self.means), (count,), generator=generator)
        return self.means[modes] + self.sigma * torch.randn(count, self.means.shape[1], generator=generator)

    def log_density(self, points: Tensor) -> Tensor:
        """Log p(x) in nats for each x of `points` [N, d], as [N]."""
        squares = torch.cdist(points, self.means.to(points)).square()
        dimension = self.means.shape[1]
        constant = math.log(len(self.means)) + dimension / 2 * math.log(2 * math.pi * self.sigma**2)
        return torch.logsumexp(-squares / (2 * self.sigma**2), dim=1) - constant
