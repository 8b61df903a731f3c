"""Evaluations: score samples against one source, and put the protocol beside each score."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from zerosum import catalog
from zerosum.data import LEAST, Source
from zerosum.errors import InputError
from zerosum.metrics import (
    REPLICATES,
    STACKS,
    WARNINGS,
    Estimate,
    Metric,
    MetricInputs,
    Reference,
    SampleSet,
    Score,
    score_named,
)
from zerosum.metrics.examples import Examples
from zerosum.metrics.features import FeatureExtractor, Request, open_features
from zerosum.metrics.features.cache import Extraction, extract_here
from zerosum.metrics.frechet import FrechetDistance, distance_name
from zerosum.metrics.memorisation import find_closest
from zerosum.metrics.real_samples import MOST_SAMPLES, RealSamples

LEAST_SAMPLES, LEAST_SLOW = 5_000, 2_500
INTERIM, INTERIM_SLOW = 5_000, 1_000
FLATTERED = (
    "the discriminator learned from these features, so they flatter the generator; a fairer judge is "
    "--features inception --download"
)
SPLITS: dict[Reference, str] = {"test": "test split", "train": "training split", "all": "whole"}


def sample_count(source: Source, features: FeatureExtractor) -> int:
    """Return how many samples an evaluation draws: as many as the test split of `source`, from 5,000 to 10,000.

    From 2,500 where the features are slow; for stacks the published number.
    """
    if source.stacked_from is not None:
        return STACKS
    return min(max(len(source.test), LEAST_SLOW if features.slow else LEAST_SAMPLES), MOST_SAMPLES)


@dataclass(frozen=True, eq=False)
class Evaluation(RealSamples):
    """Scores samples against one source; computes whatever depends on the real samples only once."""

    _latest: list[Tensor] = field(default_factory=list)
    _seconds: list[float] = field(default_factory=lambda: [0.0])
    _real_scores: dict[tuple[str, int, int], tuple[list[float], int]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        source: Source,
        request: Request | None = None,
        reference: Reference = "test",
        *,
        made_elsewhere: bool = False,
        extraction: Extraction = extract_here,
        most: int = MOST_SAMPLES,
    ) -> "Evaluation":
        """Open the features that are asked for, else the best ones that need no weights from elsewhere.

        This may take a while where a classifier has to be trained.

        Raises:
            InputError: these features cannot be had for this source.
        """
        return cls(source, open_features(source, request), reference, made_elsewhere, extraction, most)

    @property
    def interim(self) -> int:
        """How many samples are scored during training."""
        return INTERIM_SLOW if self.features.slow else INTERIM

    @property
    def last(self) -> int:
        """How many samples are scored at the end of a training."""
        return self.bound(sample_count(self.source, self.features))

    @property
    def seconds_per_image(self) -> float:
        """How long it took to extract the features of a generated sample, the last time; 0 before."""
        return self._seconds[0]

    def _extract_generated(self, samples: Tensor, seed: int) -> SampleSet:
        """Put generated samples and their features into the random order of `seed`.

        Raises:
            InputError: as `extract`.
        """
        return SampleSet(samples, self.extract(samples)).shuffle(seed)

    def extract(self, samples: Tensor, *, keep: bool = False) -> Tensor:
        """Extract the features of generated samples, [N, D], in their order, but once for the same tensor.

        If `keep`, look for them in the cache, and put them there.

        Raises:
            InputError: they are of another shape, fewer than two, or their features are not finite.
        """
        if samples.shape[1:] != self.source.shape or len(samples) < 2:
            raise InputError(
                f"samples of shape {list(samples.shape)} cannot be scored against data of shape [N, "
                f"{', '.join(str(side) for side in self.source.shape)}]"
            )
        if not (self._latest and self._latest[0] is samples):
            began = time.monotonic()
            features = self._cache.extract(samples, keep=keep)
            self._seconds[:] = [(time.monotonic() - began) / len(samples)]
            if not bool(features.isfinite().all()):
                raise InputError("the features of the samples are not all finite: the generator has diverged")
            self._latest[:] = samples, features
        return self._latest[1]

    def prepare(self) -> None:
        """Compute what scores during training need of the real samples, which may take a while."""
        _ = self.test

    def scores(
        self,
        samples: Tensor,
        seed: int,
        metrics: Iterable[Metric] | None = None,
        *,
        training: bool = False,
        most: int | None = None,
        learned_from: str = "none",
    ) -> list[Score]:
        """Score generated `samples`; the Fréchet distance comes first.

        Args:
            samples: like the source's: uint8 [N, C, H, W] or float32 [N, d].
            seed: of every choice; recorded as the seed of the samples too.
            metrics: the metrics to measure; else all that have a meaning here and are not for request only.
            training: measure only those that are cheap enough to be measured during training, and no real samples.
            most: look at a random part of so many samples; at all of them if that is None.
            learned_from: the features that the samples' discriminator learned from, of which scores in them warn.

        Raises:
            InputError: the samples are of another shape, fewer than two, or their features are not finite; or a metric
                that is asked for has no meaning for them.
        """
        fake = self._extract_generated(samples, seed).take(most)
        found = []
        for metric in self.applicable(training=training) if metrics is None else metrics:
            if refusal := metric.refusal(self.source, self.features):
                raise InputError(f"{catalog.name_of(metric)} cannot be measured here: {refusal}")
            found += self._measure(metric, fake, seed, beside_real=not training)
        return self.note_flattery(found, learned_from)

    def headline(self, scores: Iterable[Score]) -> Score:
        """Return the score by which generators are compared: that of the Fréchet distance in these features.

        Raises:
            InputError: it is not among `scores`.
        """
        return score_named(scores, distance_name(self.features))

    def closest(self, samples: Tensor, seed: int, count: int) -> Tensor:
        """Find the `count` generated images nearest to images that may be memorised, by the distance of their features.

        Return them nearest first, each followed by that real image: [2 * count, C, H, W].
        """
        fake = self._extract_generated(samples, seed)
        seen = self.whole if self.made_elsewhere else self.train
        return torch.stack(find_closest(fake, seen, self.mirrored, count), 1).flatten(0, 1)

    def examples(self, samples: Tensor, seed: int, count: int) -> Examples:
        """Find which images to look at beside the scores of generated images: `count` of each kind."""
        fake = self._extract_generated(samples, seed)
        seen = self.whole if self.made_elsewhere else self.train
        return Examples.choose(fake, self.real(self.reference), seen, self.mirrored, count)

    def applicable(self, *, training: bool) -> list[Metric]:
        """List the metrics that have a meaning here and are not for request only, the Fréchet distance first."""
        occasions = ("training",) if training else ("training", "evaluation")
        known = [cls() for cls in catalog.choices(Metric).values()]
        known.sort(key=lambda metric: (not isinstance(metric, FrechetDistance), metric.when != "training"))
        return [each for each in known if each.when in occasions and not each.refusal(self.source, self.features)]

    def _measure(self, metric: Metric, fake: SampleSet, seed: int, *, beside_real: bool) -> list[Score]:
        reference = metric.reference or self.reference
        if metric.reference == "train" and self.made_elsewhere:
            reference = "all"
        inputs = self._inputs(metric, fake, reference, seed)
        with np.errstate(invalid="ignore", over="ignore"):  # refused below, with a clearer message
            estimates = metric.measure(inputs)
        for each in estimates:
            if not np.isfinite([each.value, each.low, each.high]).all():
                raise InputError(f"{each.metric} of these samples is not a finite number: their features are too large")
        if beside_real and any(estimate.real is None for estimate in estimates):
            estimates = self._add_real(metric, estimates, reference, len(inputs.fake), seed)
        return [
            Score(
                **asdict(estimate),
                features=metric.measured_in or self.features.name,
                resizer="none" if metric.measured_in else self.features.resizer,
                samples=len(inputs.fake),
                reference=f"{SPLITS[reference]} of {self.source.name}",
                reference_samples=len(inputs.real),
                seed=seed,
                comparable=self._advise(metric),
            )
            for estimate in estimates
        ]

    def note_flattery(self, scores: Sequence[Score], learned_from: str) -> list[Score]:
        """Add to scores that they flatter, if these are the features that the samples' discriminator learned from."""
        flattered = learned_from == catalog.name_of(self.features)
        return [self._warn(score) if flattered else score for score in scores]

    def _warn(self, score: Score) -> Score:
        """Add to a score in these features that they flatter."""
        if score.features != self.features.name:
            return score
        return replace(score, warning=WARNINGS.join(filter(None, (score.warning, FLATTERED))))

    def _advise(self, metric: Metric) -> str:
        """Say what scores of `metric` may be compared with, and what they cannot see."""
        compare = f"Compare with {metric.comparable or self.features.comparable}."
        return f"{compare} {self.features.blind}." if self.features.blind and not metric.measured_in else compare

    def _inputs(self, metric: Metric, fake: SampleSet, reference: Reference, seed: int) -> MetricInputs:
        """Put together what `metric` looks at, in the sizes that it declares."""
        real = self.real(reference)
        others = self.test if reference == "train" else self.train
        if reference == "all" and self.made_elsewhere:
            others = self.whole
        fake = fake.take(metric.most)
        if metric.equal_sizes:
            count = min(len(fake), len(real))
            fake, real = fake.take(count), real.take(count)
        return MetricInputs(fake, real, others, self.source, self.features, seed, REPLICATES, lambda: self.mirrored)

    def _add_real(
        self, metric: Metric, estimates: list[Estimate], reference: Reference, count: int, seed: int
    ) -> list[Estimate]:
        """Add the values of as many real samples that are not among the reference, where there are any.

        Where nothing real is known to be unseen, up to a half of the reference is compared with the rest of it.
        """
        if reference == "all" and not self.made_elsewhere:
            return estimates
        if reference != "all" and len(self.train if reference == "test" else self.test) < LEAST:
            return estimates  # of a class that is rare
        key = (catalog.name_of(metric), count, seed)
        if key not in self._real_scores:
            if reference == "all":
                part = self.whole.take(min(count, len(self.whole) // 2))
                inputs = self._inputs(metric, part, reference, seed)
                inputs = replace(inputs, real=self.whole.drop(len(part)).take(len(inputs.real)))
            else:
                others = metric.select_real(self.train if reference == "test" else self.test)
                inputs = self._inputs(metric, others.take(count), reference, seed)
            measured = metric.measure(replace(inputs, replicates=0))
            self._real_scores[key] = [estimate.value for estimate in measured], len(inputs.fake)
        values, number = self._real_scores[key]
        return [
            each if each.real is not None else replace(each, real=value, real_samples=number)
            for each, value in zip(estimates, values, strict=True)
        ]
