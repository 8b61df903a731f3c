"""Metrics: figures that say what they were measured on, how sure they are, and what they may be compared with.

A metric compares the features of generated samples with those of real ones. It gives estimates; an `Evaluation` (in
evaluation.py) puts the protocol beside them, and what real data score, and makes them scores.
"""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum import randomness
from zerosum.data import Source
from zerosum.metrics.features import FeatureExtractor

REPLICATES = 100
STACKS = 26_000  # in which papers count the modes of stacks
Reference = Literal["test", "train", "all"]
Moment = Literal["training", "evaluation", "request"]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval, of the finite samples only: other seeds of a training vary more.

    `better` is "lower", "higher" or a value that is right, as "near 1". `real` is what real samples score that are not
    in the reference, as many or all that there are; None if there are none. `warning` says why not to trust it.
    """

    metric: str
    value: float
    low: float
    high: float
    better: str
    real: float | None = None
    warning: str = ""


@dataclass(frozen=True, kw_only=True)
class Score(Estimate):
    """An estimate with its protocol.

    Attributes:
        features: in which features, or in what else, it was measured. Scores in different ones cannot be compared.
        resizer: how images were brought to the size that the features' network takes.
        samples: number of generated samples.
        reference: what they were compared with, and `reference_samples`, how many of those.
        seed: of the samples' latents, and of every choice that the metric makes.
        comparable: what it may be compared with, a sentence.
    """

    features: str
    resizer: str
    samples: int
    reference: str
    reference_samples: int
    seed: int
    comparable: str

    def line(self) -> dict[str, Any]:
        """As a JSON-able mapping."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Set:
    """Samples and their features, in an order that depends on their content and a seed only.

    Attributes:
        samples: uint8 [N, C, H, W] or float32 [N, d].
        features: float32 [N, D], finite.
    """

    samples: Tensor
    features: Tensor

    def __len__(self) -> int:
        """The number of samples."""
        return len(self.features)

    def first(self, count: int | None) -> "Set":
        """A random part of `count`; all if that is None."""
        return Set(self.samples[:count], self.features[:count])

    def shuffled(self, seed: int) -> "Set":
        """The same samples in a random order that does not depend on the order they came in."""
        order = order_of(self.features, seed)
        return Set(self.samples.index_select(0, order), self.features[order])


def order_of(features: Tensor, seed: int) -> Tensor:
    """A random order, [N], of samples with the features [N, D]; it depends on these and on `seed` only."""
    weights = torch.rand(features.shape[1], generator=randomness.generator(seed, 0, "order"))
    by_content = (features.double() @ weights.double()).argsort()
    return by_content[torch.randperm(len(features), generator=randomness.generator(seed, 1, "order"))]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a metric sees.

    Attributes:
        fake: generated samples.
        real: those they are compared with.
        others: real samples of the other split.
        source: where the real ones are from.
        features: what made the features.
        seed: of every choice.
        replicates: how often a bootstrap is to draw; 0 if nobody will look at the interval.
        mirrored: features of the training images' mirror images, if the players saw those and the metric minds.
    """

    fake: Set
    real: Set
    others: Set
    source: Source
    features: FeatureExtractor
    seed: int
    replicates: int
    mirrored: Tensor | None = None


class Metric(ABC):
    """Compares two sets. A new metric is one subclass in one file of this folder.

    Attributes:
        equal_sizes: whether both sets must be of one size.
        validates: whether it chooses something by real samples of the other split, from that set's end.
        reference: the split to compare with, where that is not the user's choice.
        moment: when it is measured: also during training, at the end and when samples are evaluated, or if asked for.
        most: how many generated samples it looks at, if not at all of them.
        minds_mirrors: whether it looks at the training images' mirror images too.
        measured_in: what it looks at where these are not features, e.g. pixels.
        comparable: what its scores may be compared with, a sentence's end, where the features do not say it.
    """

    equal_sizes: ClassVar[bool] = False
    validates: ClassVar[bool] = False
    reference: ClassVar[Reference | None] = None
    moment: ClassVar[Moment] = "evaluation"
    most: ClassVar[int | None] = None
    minds_mirrors: ClassVar[bool] = False
    measured_in: ClassVar[str] = ""
    comparable: ClassVar[str] = ""

    def refusal(self, source: Source, features: FeatureExtractor) -> str:
        """Why the metric has no meaning for samples that should resemble `source`; empty if it has."""
        return ""

    @abstractmethod
    def measure(self, comparison: Comparison) -> list[Estimate]:
        """Estimates for the generated samples; their names do not depend on them."""


def interval(values: NDArray[np.float64], generator: np.random.Generator, replicates: int) -> tuple[float, float]:
    """The 95% bootstrap percentiles of the mean of `values` [N]."""
    if replicates == 0:
        return float(values.mean()), float(values.mean())
    weights = generator.multinomial(len(values), np.full(len(values), 1 / len(values)), size=replicates)
    low, high = np.percentile(weights @ values / len(values), [2.5, 97.5])
    return float(low), float(high)
