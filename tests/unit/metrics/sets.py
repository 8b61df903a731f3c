"""Sets of features as metrics see them."""

import torch

from tests.conftest import points
from zerosum.data import Source
from zerosum.metrics import REPLICATES, Comparison, Set
from zerosum.metrics.features.coordinates import Coordinates


def normal(count: int, dimension: int, seed: int, scale: float = 1.0, shift: float = 0.0) -> torch.Tensor:
    """Independent normal rows."""
    return torch.randn(count, dimension, generator=torch.Generator().manual_seed(seed)) * scale + shift


def seen(
    fake: torch.Tensor,
    real: torch.Tensor,
    source: Source | None = None,
    seed: int = 0,
    others: torch.Tensor | None = None,
) -> Comparison:
    """A comparison of points, which are their own features."""
    others = real if others is None else others
    sets = (Set(each, each) for each in (fake, real, others))
    return Comparison(*sets, source or points(2), Coordinates(), seed, REPLICATES)
