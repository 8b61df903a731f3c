"""Sets of features as metrics see them, and as torchmetrics does."""

import torch
from torch import nn

from tests.conftest import points
from zerosum.data import Source
from zerosum.metrics import REPLICATES, MetricInputs, SampleSet
from zerosum.metrics.features.coordinates import Coordinates


def normal(count: int, dimension: int, seed: int, scale: float = 1.0, shift: float = 0.0) -> torch.Tensor:
    """Draw independent normal rows."""
    return torch.randn(count, dimension, generator=torch.Generator().manual_seed(seed)) * scale + shift


def seen(
    fake: torch.Tensor,
    real: torch.Tensor,
    source: Source | None = None,
    seed: int = 0,
    others: torch.Tensor | None = None,
) -> MetricInputs:
    """Make a metric's inputs of points, which are their own features."""
    others = real if others is None else others
    sets = (SampleSet(each, each) for each in (fake, real, others))
    return MetricInputs(*sets, source or points(2), Coordinates(real), seed, REPLICATES, lambda: None)


class GivenFeatures(nn.Identity):
    """Stands where torchmetrics expects a network: what it is given are features already."""

    def __init__(self, dimension: int) -> None:
        """Declare the number of features."""
        super().__init__()
        self.num_features = dimension
