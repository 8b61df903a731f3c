"""Discriminators that compare samples with each other, so that a generator which always makes the same is found out."""

import torch
from torch import Tensor, nn


class StandardDeviation(nn.Module):
    """One more feature: the mean, over the features, of their standard deviation over the batch.

    Karras et al. 2018 (section 3) take it over the channels and places of the last feature map, which is the same
    number, and lead it through further layers. Here it goes into the logit directly: it can say that a batch varies too
    little, but nothing of a sample.
    """

    def forward(self, features: Tensor) -> Tensor:
        """[N, width] to [N, width + 1]."""
        deviation = (features.var(0, correction=0) + 1e-8).sqrt().mean()
        return torch.cat([features, deviation.expand(len(features), 1)], dim=1)


class Discrimination(nn.Module):
    """`kernels` more features: how near a sample is to the others in the batch, each in a learned space of its own.

    o_b(x_i) = sum over j != i of exp(-|| M_ib - M_jb ||_1) with M = T f(x) (Salimans et al. 2016, section 3.2), divided
    by N - 1 here, so that it does not depend on the size of the batch.
    """

    def __init__(self, inputs: int, kernels: int = 16, dimensions: int = 8) -> None:
        """`inputs`: the number of features; `dimensions` of each learned space."""
        super().__init__()
        self.width = inputs + kernels
        self.project = nn.Linear(inputs, kernels * dimensions, bias=False)
        self.kernels = kernels

    def forward(self, features: Tensor) -> Tensor:
        """[N, inputs] to [N, inputs + kernels]."""
        places = self.project(features).float().view(len(features), self.kernels, -1)  # for the difference below
        distances = (places[:, None] - places[None]).abs().sum(3)
        closeness = ((-distances).exp().sum(1) - 1) / max(1, len(features) - 1)  # a sample is no evidence about itself
        return torch.cat([features, closeness], dim=1)


class Packing(nn.Module):
    """A discriminator of `samples` samples at once, joined along their channels (Lin et al. 2018, section 2)."""

    def __init__(self, network: nn.Module, samples: int) -> None:
        """`network` maps [N / samples, samples * C, ...] to logits [N / samples]."""
        super().__init__()
        self.network = network
        self.samples = samples

    def forward(self, batch: Tensor) -> Tensor:
        """[N, C, ...] to logits [N / samples], one for each pack of neighbours; `samples` divides N."""
        logits: Tensor = self.network(batch.reshape(-1, self.samples * batch.shape[1], *batch.shape[2:]))
        return logits
