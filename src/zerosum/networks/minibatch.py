"""Layers that let a discriminator compare samples with each other, and so detect a generator without variety."""

import torch
from torch import Tensor, nn


class MinibatchStandardDeviation(nn.Module):
    """One more feature: the mean, over the features, of their standard deviation over the batch.

    Karras et al. 2018 (section 3) compute it over the channels and places of the last feature map, which is the same
    number, and pass it through further layers. Here it enters the logit directly: it tells that a batch varies too
    little, but nothing about a single sample.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Map [N, width] to [N, width + 1]."""
        deviation = (features.var(0, correction=0) + 1e-8).sqrt().mean()
        return torch.cat([features, deviation.expand(len(features), 1)], dim=1)


class MinibatchDiscrimination(nn.Module):
    """`kernels` more features: how near a sample is to the others in the batch, each in its own learned space.

    o_b(x_i) = sum over j != i of exp(-|| M_ib - M_jb ||_1) with M = T f(x) (Salimans et al. 2016, section 3.2), divided
    by N - 1 here, so that it does not depend on the batch size.
    """

    def __init__(self, inputs: int, kernels: int = 16, dimensions: int = 8) -> None:
        """Build the projection of `inputs` features to `kernels` spaces of `dimensions` each."""
        super().__init__()
        self.width = inputs + kernels
        self.project = nn.Linear(inputs, kernels * dimensions, bias=False)
        self.kernels = kernels

    def forward(self, features: Tensor) -> Tensor:
        """Map [N, inputs] to [N, inputs + kernels]."""
        places = (
            self.project(features).float().view(len(features), self.kernels, -1)
        )  # in float32 for the difference below
        distances = (places[:, None] - places[None]).abs().sum(3)
        closeness = ((-distances).exp().sum(1) - 1) / max(1, len(features) - 1)  # without the sample itself
        return torch.cat([features, closeness], dim=1)


class Packing(nn.Module):
    """A discriminator of packs of `samples` samples, joined along their channels (Lin et al. 2018, section 2)."""

    def __init__(self, network: nn.Module, samples: int) -> None:
        """Wrap `network`, which maps [N / samples, samples * C, ...] to logits [N / samples]."""
        super().__init__()
        self.network = network
        self.samples = samples

    def forward(self, batch: Tensor) -> Tensor:
        """Map [N, C, ...] to logits [N / samples], one for each pack of neighbours; `samples` divides N."""
        logits: Tensor = self.network(batch.reshape(-1, self.samples * batch.shape[1], *batch.shape[2:]))
        return logits
