"""Conditional discriminators around any family's trunk."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zerosum.networks.precision import Logit


class Projection(nn.Module):
    """The features' logit plus their inner product with an embedding of the class (Miyato & Koyama 2018, eq. 7)."""

    def __init__(self, trunk: nn.Module, width: int, classes: int) -> None:
        """Build the head on `trunk`, which maps samples to features [N, width]."""
        super().__init__()
        self.trunk = trunk
        self.head = Logit(width, 1)
        self.embedding = nn.Embedding(classes, width)

    def forward(self, samples: Tensor, labels: Tensor) -> Tensor:
        """Map samples [N, ...] with their classes, int64 [N], to logits [N]."""
        features = self.trunk(samples)
        logits: Tensor = self.head(features).flatten() + (self.embedding(labels) * features.float()).sum(1)
        return logits


class Concatenation(nn.Module):
    """The class as further channels of the sample, one per class (Mirza & Osindero 2014)."""

    def __init__(self, network: nn.Module, classes: int) -> None:
        """Wrap `network`, which maps samples with `classes` more channels (or coordinates) to logits [N]."""
        super().__init__()
        self.network = network
        self.classes = classes

    def forward(self, samples: Tensor, labels: Tensor) -> Tensor:
        """Map samples [N, ...] with their classes, int64 [N], to logits [N]."""
        one_hot = F.one_hot(labels, self.classes).to(samples)
        planes = one_hot.view(*one_hot.shape, *[1] * (samples.ndim - 2)).expand(-1, -1, *samples.shape[2:])
        logits: Tensor = self.network(torch.cat([samples, planes], dim=1))
        return logits


class Auxiliary(nn.Module):
    """A second head that predicts the class (AC-GAN, Odena et al. 2017, eqs. 2 and 3); the first does not get it."""

    def __init__(self, trunk: nn.Module, width: int, classes: int) -> None:
        """Build both heads on `trunk`, which maps samples to features [N, width]."""
        super().__init__()
        self.trunk = trunk
        self.head = Logit(width, 1)
        self.classifier = Logit(width, classes)

    def forward(self, samples: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Map samples [N, ...] and classes, int64 [N], to logits [N] and -log P(class | sample) in nats, [N]."""
        features = self.trunk(samples)
        class_nll = F.cross_entropy(self.classifier(features), labels, reduction="none")
        return self.head(features).flatten(), class_nll
