"""What networks for points do with their coordinates: standard units, and waves that show detail."""

import math

import torch
from torch import Tensor, nn

MOST_FREQUENCIES = 16  # the last one has a period of a ten-thousandth of a deviation


class Units(nn.Module):
    """Points from the data's units to standard ones, (x - mean) / deviation, or back; as they are until told."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int, *, back: bool = False) -> None:
        """For points [N, width]; `back`: from standard units to the data's."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.back = back

    def forward(self, points: Tensor) -> Tensor:
        """[N, width] to the same shape."""
        return points * self.deviation + self.mean if self.back else (points - self.mean) / self.deviation

    def learn(self, points: Tensor, copies: int = 1) -> None:
        """Measure `points` [N, d], which fill the first columns `copies` times; further columns stay as they are."""
        deviation = points.std(0)
        for name, values in (("mean", points.mean(0)), ("deviation", deviation.where(deviation > 0, 1.0))):
            getattr(self, name)[: copies * len(values)] = values.repeat(copies)


class Waves(nn.Module):
    """Each coordinate x, and beside it sin and cos of pi/2 2^k x for k below `frequencies` (Tancik et al. 2020).

    The waves are damped by the cube root of their frequency. Dense layers learn the coarse features of what they see
    long before the fine ones; with the waves, modes that are narrow for their distance are no longer points to them.
    """

    factors: Tensor

    def __init__(self, frequencies: int) -> None:
        """`frequencies` of at least 1; the last one's period is 4 / 2^(frequencies - 1)."""
        super().__init__()
        self.register_buffer("factors", 2.0 ** torch.arange(frequencies), persistent=False)

    @property
    def copies(self) -> int:
        """How many values each coordinate becomes."""
        return 1 + 2 * len(self.factors)

    def forward(self, points: Tensor) -> Tensor:
        """[N, d] to [N, d (1 + 2 frequencies)]."""
        angles = math.pi / 2 * points[:, :, None] * self.factors
        waves = torch.cat([angles.sin(), angles.cos()], dim=1) / self.factors ** (1 / 3)
        return torch.cat([points, waves.flatten(1)], dim=1)
