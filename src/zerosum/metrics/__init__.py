"""Metrics: figures that say what they were measured on, how sure they are, and what they may be compared with.

A metric compares the features of generated samples with those of real ones and returns estimates. An `Evaluation` (in
evaluation.py) adds the protocol and the score of real data, and returns scores.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor

from zerosum import catalog, randomness
from zerosum.catalog import Component
from zerosum.data import Source
from zerosum.errors import InputError, did_you_mean
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.statistics import ConfidenceInterval

REPLICATES = 100
WARNINGS = ". "  # between several of one score
STACKS = 26_000  # samples in which papers count the modes of stacks
Reference = Literal["test", "train", "all"]
When = Literal["training", "evaluation", "request"]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval, of the finite samples only: other seeds of a training vary more.

    Attributes:
        metric: the name of the figure; a metric may return several.
        value: the figure; `low` and `high`, the ends of its interval.
        better: "lower", "higher" or the value that is right, as "near 1".
        real: the figure of real samples that are not in the reference; None if there are none.
        real_samples: their number, as many as the generated ones or all that there are; 0 if there are none.
        warning: a reason not to trust the figure, or several; empty if there is none.
    """

    metric: str
    value: float
    low: float
    high: float
    better: str
    real: float | None = None
    real_samples: int = 0
    warning: str = ""

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the 95% interval."""
        return self.low, self.high

    @property
    def half_width(self) -> float:
        """Half the width of the 95% interval."""
        return (self.high - self.low) / 2

    def beside(self, real: float, samples: int) -> "Estimate":
        """Put what so many real samples score beside it."""
        return replace(self, real=real, real_samples=samples)

    @classmethod
    def of(
        cls,
        metric: str,
        interval: ConfidenceInterval,
        better: str,
        *,
        real: float | None = None,
        real_samples: int = 0,
        warning: str = "",
    ) -> "Estimate":
        """Name the value of an interval."""
        return Estimate(metric, interval.value, interval.low, interval.high, better, real, real_samples, warning)


@dataclass(frozen=True, kw_only=True)
class Score(Estimate):
    """An estimate with its protocol.

    Attributes:
        features: the features, or what else it was measured in. Scores in different ones cannot be compared.
        resizer: how images were brought to the size that the features' network takes.
        samples: number of generated samples.
        reference: the real samples that they were compared with; `reference_samples`, how many.
        seed: of the samples' latents, and of every choice that the metric makes.
        comparable: what the score may be compared with, a sentence.
    """

    features: str
    resizer: str
    samples: int
    reference: str
    reference_samples: int
    seed: int
    comparable: str

    @property
    def protocol(self) -> str:
        """How the value was measured, in words: what must be equal where two are compared."""
        real = f"{self.reference_samples:,}" if self.reference_samples else "an unknown number of"
        return (
            f"{self.features}; resizer: {self.resizer}; {self.samples:,} generated samples against {real} real ones, "
            f"the {self.reference}; seed {self.seed}. {self.comparable}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-able mapping of the fields; `from_json` reads it back equal."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read a score back from the mapping that `as_json` made.

        Raises:
            InputError: a field is missing, unknown, of the wrong type or not finite; the message names it.
        """
        return catalog.build(cls, dict(values))


def score_named(scores: Iterable[Score], name: str) -> Score:
    """Return the score of the metric `name`, e.g. `frechet-distance`.

    Raises:
        InputError: it is not among `scores`; the message suggests the nearest name.
    """
    by_name = {score.metric: score for score in scores}
    if name not in by_name:
        raise InputError(f"there is no score {name!r}: {did_you_mean(name, by_name)}")
    return by_name[name]


@dataclass(frozen=True, eq=False)
class SampleSet:
    """Samples and their features, in an order that depends on their content and a seed only.

    Attributes:
        samples: uint8 [N, C, H, W] or float32 [N, d].
        features: float32 [N, D], finite.
        labels: the classes of the samples, int64 [N]; None if they have none.
    """

    samples: Tensor
    features: Tensor
    labels: Tensor | None = None

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.features)

    def take(self, count: int | None) -> "SampleSet":
        """Take a random part of `count` samples; all if that is None."""
        return self._cut(slice(None, count))

    def drop(self, count: int) -> "SampleSet":
        """Leave out the part that `take(count)` takes."""
        return self._cut(slice(count, None))

    def _cut(self, part: slice) -> "SampleSet":
        labels = None if self.labels is None else self.labels[part]
        return SampleSet(self.samples[part], self.features[part], labels)

    def shuffle(self, seed: int) -> "SampleSet":
        """Put the samples into a random order that does not depend on the order they came in."""
        order = draw_order(self.features, seed)
        labels = None if self.labels is None else self.labels[order]
        return SampleSet(self.samples.index_select(0, order), self.features[order], labels)


def draw_order(features: Tensor, seed: int) -> Tensor:
    """Draw a random order, [N], of samples with the features [N, D]; it depends on these and on `seed` only."""
    weights = torch.rand(features.shape[1], generator=randomness.rng(seed, 0, "order"))
    by_content = (features.double() @ weights.double()).argsort()
    return by_content[torch.randperm(len(features), generator=randomness.rng(seed, 1, "order"))]


@dataclass(frozen=True, eq=False)
class MetricInputs:
    """All that a metric can look at.

    Attributes:
        fake: generated samples.
        real: the real samples that they are compared with.
        others: real samples of the other split; `real` itself where there is no split that the samples' maker did not
            see.
        source: where the real samples are from.
        features: the extractor of the features.
        seed: of every choice.
        replicates: number of bootstrap replicates; 0 if nobody will look at the interval.
        extract_mirrored: computes the features of the training images' mirror images, [N, D]; None if the players did
            not see those.
    """

    fake: SampleSet
    real: SampleSet
    others: SampleSet
    source: Source
    features: FeatureExtractor
    seed: int
    replicates: int
    extract_mirrored: Callable[[], Tensor | None]


@dataclass(frozen=True, eq=False)
class MomentInputs:
    """All that a metric can look at where of the real samples only the mean and the covariance are known.

    Attributes:
        fake: generated samples.
        mean: of the real samples' features, float64 [D].
        covariance: of these, float64 [D, D].
        features: the extractor of the features.
        seed: of every choice.
        replicates: number of bootstrap replicates.
    """

    fake: SampleSet
    mean: Tensor
    covariance: Tensor
    features: FeatureExtractor
    seed: int
    replicates: int


class Metric(Component, ABC, kind="metric"):
    """Compares two sets. A new metric is one subclass in one file of this folder.

    Attributes:
        equal_sizes: whether both sets must be of one size.
        reference: the split to compare with, where that is not the user's choice.
        when: when it is measured: also during training, at the end and when samples are evaluated, or on request.
        most: how many generated samples it looks at, if not at all of them.
        measured_in: what it looks at where these are not features, e.g. pixels.
        comparable: what its scores may be compared with, a sentence's end, where the features do not say it.
        takes_moments: whether mean and covariance of the real features suffice for it.
        shrinks: whether half the width of its interval falls as 1 / sqrt(`weigh`), so that a pilot says what more
            samples would bring.
        biased: whether its value is what infinitely many samples have plus a constant over `weigh`; the former is 0
            for equal distributions.
        figures: the names of its estimates; each with the one that it has in Inception's 2,048 features, if another.
            A star stands for a number.
    """

    equal_sizes: ClassVar[bool] = False
    reference: ClassVar[Reference | None] = None
    when: ClassVar[When] = "evaluation"
    most: ClassVar[int | None] = None
    measured_in: ClassVar[str] = ""
    comparable: ClassVar[str] = ""
    takes_moments: ClassVar[bool] = False
    shrinks: ClassVar[bool] = False
    biased: ClassVar[bool] = False
    figures: ClassVar[Mapping[str, str]] = {}

    def refusal(self, source: Source, features: FeatureExtractor) -> str:
        """Say why the metric has no meaning for samples that should resemble `source`; empty if it has."""
        return ""

    def select_real(self, others: SampleSet) -> SampleSet:
        """Select those of the real samples of the other split that may be scored as if they were generated.

        All, unless the metric learns something from some of them.
        """
        return others

    def weigh(self, samples: int, reals: int) -> float:
        """Weigh how many samples count: as many as the smaller set has if sizes are equal, else the harmonic mean."""
        return min(samples, reals) if self.equal_sizes else 2 / (1 / samples + 1 / reals)

    @abstractmethod
    def measure(self, inputs: MetricInputs) -> list[Estimate]:
        """Return estimates for the generated samples; their names do not depend on the samples."""

    def measure_moments(self, given: MomentInputs) -> list[Estimate]:
        """Return the same where mean and covariance of the real features suffice."""
        raise NotImplementedError


def list_warnings(scores: Iterable[Score]) -> list[str]:
    """List the reasons not to trust some of the `scores`, each once."""
    return list(dict.fromkeys(each for score in scores for each in score.warning.split(WARNINGS) if each))
