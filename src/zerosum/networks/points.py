"""Layers for points: standardised coordinates, and Fourier features that resolve detail."""

import math

import torch
from torch import Tensor, nn

MOST_FREQUENCIES = 16  # the period of the last one is a ten-thousandth of a deviation


class Standardize(nn.Module):
    """Points from the data's units to standard ones, (x - mean) / deviation, or back; the identity before `fit`."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int, *, back: bool = False) -> None:
        """Set the `width` of points [N, width] and the direction; `back` is from standard units to the data's."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.back = back

    def forward(self, points: Tensor) -> Tensor:
        """Map [N, width] to the same shape."""
        return points * self.deviation + self.mean if self.back else (points - self.mean) / self.deviation

    def fit(self, points: Tensor, copies: int = 1) -> None:
        """Measure `points` [N, d], for the first d * `copies` columns; further columns stay as they are."""
        deviation = points.std(0)
        for name, values in (("mean", points.mean(0)), ("deviation", deviation.where(deviation > 0, 1.0))):
            getattr(self, name)[: copies * len(values)] = values.repeat(copies)


class FourierFeatures(nn.Module):
    """Each coordinate x with sin and cos of pi/2 2^k x for k below `frequencies` (Tancik et al. 2020).

    The waves are damped by the cube root of their frequency. Dense layers learn the coarse features of their input long
    before the fine ones; with the waves, they resolve modes that are narrow compared with their distance.
    """

    factors: Tensor

    def __init__(self, frequencies: int) -> None:
        """Set the number of `frequencies`, at least 1; the last one's period is 4 / 2^(frequencies - 1)."""
        super().__init__()
        self.register_buffer("factors", 2.0 ** torch.arange(frequencies), persistent=False)

    @property
    def copies(self) -> int:
        """The number of values that each coordinate becomes."""
        return 1 + 2 * len(self.factors)

    def forward(self, points: Tensor) -> Tensor:
        """Map [N, d] to [N, d (1 + 2 frequencies)]."""
        angles = math.pi / 2 * points[:, :, None] * self.factors
        waves = torch.cat([angles.sin(), angles.cos()], dim=1) / self.factors ** (1 / 3)
        return torch.cat([points, waves.flatten(1)], dim=1)
