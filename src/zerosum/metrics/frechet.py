"""The Fréchet distance between Gaussians fitted to two sets of features (Heusel et al. 2017, eq. 6)."""

import torch
from torch import Tensor, nn

from zerosum.metrics import REPLICATES, Comparison, Estimate, Metric


class FrechetDistance(Metric):
    """||mu_1 - mu_2||^2 + Tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)), by torchmetrics, in float64.

    The interval is the value +- 1.96 standard deviations of bootstrap replicates in which both sets are resampled (the
    replicates' own level is biased upwards, and so would their percentiles be). It is called FID only in the pool3
    features of Inception.
    """

    def measure(self, comparison: Comparison) -> list[Estimate]:
        """One estimate; biased upwards when the samples are not many more than the features."""
        fake, real = comparison.fake, comparison.real
        value = frechet_distance(fake, real)
        generator = torch.Generator().manual_seed(comparison.seed)

        def resampled(rows: Tensor) -> Tensor:
            return rows[torch.randint(len(rows), (len(rows),), generator=generator)]

        replicates = [frechet_distance(resampled(fake), resampled(real)) for _ in range(REPLICATES // 4)]
        margin = 1.96 * float(torch.tensor(replicates).std())
        return [Estimate("frechet-distance", value, max(0.0, value - margin), value + margin, "lower")]


def frechet_distance(fake: Tensor, real: Tensor) -> float:
    """The distance between the Gaussians fitted to `fake` [N, d] and `real` [M, d]; N, M >= 2."""
    from torchmetrics.image.fid import FrechetInceptionDistance  # 2 s to import

    metric = FrechetInceptionDistance(feature=_Given(fake.shape[1]))
    metric.update(real.double(), real=True)
    metric.update(fake.double(), real=False)
    return max(0.0, float(metric.compute()))


class _Given(nn.Module):
    """Stands where torchmetrics expects a network: the features are given already."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.num_features = dimension

    def forward(self, features: Tensor) -> Tensor:
        return features
