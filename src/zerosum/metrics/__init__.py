"""Metrics: figures that say what they were measured on, and how sure they are.

A metric compares the features of generated samples with those of the test split, which the players never saw. It gives
estimates; `evaluate` puts the protocol beside them and makes them scores.
"""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zerosum import catalog
from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.metrics.features import FeatureExtractor, features_for

REPLICATES = 100
LEAST_SAMPLES, MOST_SAMPLES = 5_000, 10_000


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% bootstrap interval, of the finite samples only: other seeds of a training vary more.

    `better` is "lower", "higher" or "near 1".
    """

    metric: str
    value: float
    low: float
    high: float
    better: str


@dataclass(frozen=True)
class Score(Estimate):
    """An estimate with its protocol.

    Attributes:
        features: in which features it was measured. Scores in different features cannot be compared.
        samples: number of generated samples.
        reference: what they were compared with, and `reference_samples`, how many of those.
        seed: of the samples' latents and of the bootstrap.
    """

    features: str
    samples: int
    reference: str
    reference_samples: int
    seed: int

    def line(self) -> dict[str, Any]:
        """As a JSON-able mapping."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a metric sees.

    Attributes:
        fake: features of generated samples, float32 [N, d], finite.
        real: features of samples of the test split, float32 [M, d].
        source: the data themselves.
        seed: of the bootstrap.
    """

    fake: Tensor
    real: Tensor
    source: Source
    seed: int


class Metric(ABC):
    """Compares two sets of features. A new metric is one subclass in one file of this folder."""

    equal_sizes: ClassVar[bool] = False

    def applies(self, source: Source) -> bool:
        """Whether the metric has a meaning for samples that should resemble `source`."""
        return True

    @abstractmethod
    def measure(self, comparison: Comparison) -> list[Estimate]:
        """Estimates for the generated samples."""


def interval(values: NDArray[np.float64], generator: np.random.Generator) -> tuple[float, float]:
    """The 95% bootstrap percentiles of the mean of `values` [N]."""
    weights = generator.multinomial(len(values), np.full(len(values), 1 / len(values)), size=REPLICATES)
    low, high = np.percentile(weights @ values / len(values), [2.5, 97.5])
    return float(low), float(high)


def sample_count(source: Source) -> int:
    """How many samples an evaluation against `source` draws: as many as its test split, from 5,000 to 10,000."""
    return min(max(len(source.test), LEAST_SAMPLES), MOST_SAMPLES)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Everything needed to score samples against one source; the real samples' features are computed once."""

    source: Source
    features: FeatureExtractor
    real: Tensor

    @classmethod
    def of(cls, source: Source) -> "Evaluation":
        """With the best features that need no download; may take a while where a classifier has to be trained."""
        features = features_for(source)
        return cls(source, features, features(source.test.samples[:MOST_SAMPLES]))

    def scores(self, samples: Tensor, seed: int) -> list[Score]:
        """Every metric that exists, for generated `samples` against the test split; the Fréchet distance comes first.

        Args:
            samples: like the source's: uint8 [N, C, H, W] or float32 [N, d].
            seed: of the bootstrap; noted as the seed of the samples too.

        Raises:
            InputError: the samples are of another shape, fewer than two, or their features are not finite.
        """
        if samples.shape[1:] != self.source.shape or len(samples) < 2:
            raise InputError(
                f"samples of shape {list(samples.shape)} cannot be scored against data of shape [N, "
                f"{', '.join(str(side) for side in self.source.shape)}]"
            )
        fake = self.features(samples)
        if not bool(fake.isfinite().all()):
            raise InputError("the features of the samples are not all finite: the generator has diverged")
        scores = []
        for metric in (cls() for cls in catalog.choices(Metric).values()):
            if not metric.applies(self.source):
                continue
            count = min(len(fake), len(self.real)) if metric.equal_sizes else len(fake)
            real = self.real[:count] if metric.equal_sizes else self.real
            reference = f"test split of {self.source.name}"
            scores += [
                Score(
                    **asdict(estimate),
                    features=self.features.name,
                    samples=count,
                    reference=reference,
                    reference_samples=len(real),
                    seed=seed,
                )
                for estimate in metric.measure(Comparison(fake[:count], real, self.source, seed))
            ]
        return scores
