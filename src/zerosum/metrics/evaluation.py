"""An evaluation: everything that scoring samples against one source takes, and the protocol beside each score."""

import functools
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from zerosum import catalog, randomness
from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.metrics import REPLICATES, STACKS, Comparison, Estimate, Metric, Reference, Score, Set, order_of
from zerosum.metrics.cached import features_of
from zerosum.metrics.features import FeatureExtractor, Request, features_for
from zerosum.metrics.frechet import FrechetDistance

LEAST_SAMPLES, MOST_SAMPLES = 5_000, 10_000
MOST_TRAINING = 100_000
SPLITS: dict[str, str] = {"test": "test split", "train": "training split", "all": "whole"}


def sample_count(source: Source) -> int:
    """How many samples an evaluation against `source` draws: as many as its test split, from 5,000 to 10,000.

    For stacks it is the published number.
    """
    if source.stacked_from is not None:
        return STACKS
    return min(max(len(source.test), LEAST_SAMPLES), MOST_SAMPLES)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Everything needed to score samples against one source; what is computed of the real samples is computed once."""

    source: Source
    features: FeatureExtractor
    reference: Reference = "test"
    _latest: list[Tensor] = field(default_factory=list)
    _real_scores: dict[tuple[str, int, int], list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Source, request: Request | None = None, reference: Reference = "test") -> "Evaluation":
        """With the features that are asked for, else the best ones that need no weights from elsewhere.

        It may take a while where a classifier has to be trained.

        Raises:
            InputError: these features cannot be had for this source.
        """
        return cls(source, features_for(source, request), reference)

    @functools.cached_property
    def test(self) -> Set:
        """Held-out real samples: all, or 10,000 of them at random."""
        return self._set("test", self.source.test.samples, MOST_SAMPLES)

    @functools.cached_property
    def train(self) -> Set:
        """Training samples: all, or 100,000 at random; of stacks, which have no end, as many as are generated."""
        most = MOST_TRAINING if self.source.stacked_from is None else STACKS
        return self._set("train", self.source.train.samples, most)

    @functools.cached_property
    def whole(self) -> Set:
        """Both, in one order."""
        both = self.train, self.test
        samples, features = torch.cat([each.samples for each in both]), torch.cat([each.features for each in both])
        return Set(samples, features).shuffled(0)

    @functools.cached_property
    def mirrored(self) -> Tensor | None:
        """The features of the training images' mirror images, [N, D] like theirs, if the players saw those as well."""
        if not self.source.train.flip:
            return None
        return features_of(self.features, self.source, "mirrored train", self.train.samples.flip(3))

    def real(self, reference: Reference) -> Set:
        """The real samples of a reference."""
        return self.test if reference == "test" else self.train if reference == "train" else self.whole

    def _set(self, split: str, samples: Tensor, most: int) -> Set:
        """All samples of a split, or a random part: files lie in the order of their names, class after class."""
        if len(samples) <= most:
            return Set(samples, features_of(self.features, self.source, split, samples)).shuffled(0)
        drawn = torch.randperm(len(samples), generator=randomness.generator(0, 0, "reference"))[:most]
        drawn = drawn.sort()[0]  # so that a file is read from its beginning to its end
        part = samples.index_select(0, drawn)
        features = features_of(self.features, self.source, f"random part of {split}", part)
        del part  # before it is there once more, in another order
        order = order_of(features, 0)
        return Set(samples.index_select(0, drawn[order]), features[order])

    def generated(self, samples: Tensor, seed: int) -> Set:
        """Generated samples with their features.

        Raises:
            InputError: they are of another shape, fewer than two, or their features are not finite.
        """
        if samples.shape[1:] != self.source.shape or len(samples) < 2:
            raise InputError(
                f"samples of shape {list(samples.shape)} cannot be scored against data of shape [N, "
                f"{', '.join(str(side) for side in self.source.shape)}]"
            )
        if not (self._latest and self._latest[0] is samples):
            features = self.features(samples)
            if not bool(features.isfinite().all()):
                raise InputError("the features of the samples are not all finite: the generator has diverged")
            self._latest[:] = samples, features
        return Set(samples, self._latest[1]).shuffled(seed)

    def scores(
        self, samples: Tensor, seed: int, metrics: Iterable[Metric] | None = None, *, training: bool = False
    ) -> list[Score]:
        """The scores of generated `samples`; the Fréchet distance comes first.

        Args:
            samples: like the source's: uint8 [N, C, H, W] or float32 [N, d].
            seed: of every choice; noted as the seed of the samples too.
            metrics: what to measure; else all that have a meaning here and are not for request only.
            training: only those that are cheap enough to be measured during training, and not those of real samples.

        Raises:
            InputError: the samples are of another shape, fewer than two, or their features are not finite; or a metric
                that is asked for has no meaning for them.
        """
        fake = self.generated(samples, seed)
        found = []
        for metric in self._applicable(training=training) if metrics is None else metrics:
            if refusal := metric.refusal(self.source, self.features):
                raise InputError(f"{catalog.name_of(metric)} cannot be measured here: {refusal}")
            found += self._measured(metric, fake, seed, beside_real=not training)
        return found

    def closest(self, samples: Tensor, seed: int, count: int) -> Tensor:
        """The `count` generated images nearest to training images, nearest first, each followed by that image.

        [2 * count, C, H, W]; the features' distance counts.
        """
        from zerosum.metrics.memorisation import closest

        pairs = torch.stack(closest(self.generated(samples, seed), self.train, self.mirrored, count), 1)
        return pairs.flatten(0, 1)

    def _applicable(self, *, training: bool) -> list[Metric]:
        moments = ("training",) if training else ("training", "evaluation")
        known = [cls() for cls in catalog.choices(Metric).values()]
        known.sort(key=lambda metric: (not isinstance(metric, FrechetDistance), metric.moment != "training"))
        return [each for each in known if each.moment in moments and not each.refusal(self.source, self.features)]

    def _measured(self, metric: Metric, fake: Set, seed: int, *, beside_real: bool) -> list[Score]:
        reference = metric.reference or self.reference
        comparison = self._comparison(metric, fake, reference, seed)
        with np.errstate(invalid="ignore", over="ignore"):  # which the next lines say better
            estimates = metric.measure(comparison)
        for each in estimates:
            if not np.isfinite([each.value, each.low, each.high]).all():
                raise InputError(f"{each.metric} of these samples is not a finite number: their features are too large")
        if beside_real and any(estimate.real is None for estimate in estimates):
            estimates = self._beside_real(metric, estimates, reference, len(comparison.fake), seed)
        return [
            Score(
                **asdict(estimate),
                features=metric.measured_in or self.features.name,
                resizer="none" if metric.measured_in else self.features.resizer,
                samples=len(comparison.fake),
                reference=f"{SPLITS[reference]} of {self.source.name}",
                reference_samples=len(comparison.real),
                seed=seed,
                comparable=f"Compare with {metric.comparable or self.features.comparable}.",
            )
            for estimate in estimates
        ]

    def _comparison(self, metric: Metric, fake: Set, reference: Reference, seed: int) -> Comparison:
        real, others = self.real(reference), self.test if reference == "train" else self.train
        fake = fake.first(metric.most)
        if metric.equal_sizes:
            count = min(len(fake), len(real))
            fake, real = fake.first(count), real.first(count)
        mirrored = self.mirrored if metric.minds_mirrors else None
        return Comparison(fake, real, others, self.source, self.features, seed, REPLICATES, mirrored)

    def _beside_real(
        self, metric: Metric, estimates: list[Estimate], reference: Reference, count: int, seed: int
    ) -> list[Estimate]:
        """The estimates with what as many real samples score that are not among the reference, where there are any."""
        if reference == "all":
            return estimates
        key = (catalog.name_of(metric), count, seed)
        if key not in self._real_scores:
            others = self.train if reference == "test" else self.test
            most = len(others) // 2 if metric.validates else len(others)
            comparison = replace(
                self._comparison(metric, others.first(min(count, most)), reference, seed), replicates=0
            )
            self._real_scores[key] = [estimate.value for estimate in metric.measure(comparison)]
        return [replace(each, real=real) for each, real in zip(estimates, self._real_scores[key], strict=True)]
