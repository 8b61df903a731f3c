"""The real samples of a source and their features, each computed once; costly ones are kept in the cache."""

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum import randomness
from zerosum.data import Progress, Source, Split
from zerosum.metrics import STACKS, Reference, SampleSet, draw_order
from zerosum.metrics.features import FeatureExtractor
from zerosum.metrics.features.cache import Extraction, FeatureCache, extract_here

MOST_SAMPLES = 10_000
MOST_TRAINING = 100_000


@dataclass(frozen=True, eq=False)
class RealSamples:
    """The real samples that others are scored against.

    Attributes:
        source: the real samples.
        features: the features that samples are compared in.
        reference: the real samples that distances are measured to.
        made_elsewhere: whether the samples' maker may have seen every sample of the source, and its mirror image.
        extraction: what applies the features to samples, here or in other processes too.
        most: how many samples of each kind are looked at where features are slow, and nothing else says how many.
    """

    source: Source
    features: FeatureExtractor
    reference: Reference = "test"
    made_elsewhere: bool = False
    extraction: Extraction = extract_here
    most: int = MOST_SAMPLES

    @functools.cached_property
    def test(self) -> SampleSet:
        """Held-out real samples: all, or 10,000 of them at random; `most` where features are slow."""
        return self._extract(self.source.test, self.bound(MOST_SAMPLES))

    @functools.cached_property
    def train(self) -> SampleSet:
        """Training samples: all, or 100,000 at random (`most` where features are slow); of stacks 26,000."""
        return self._extract(self.source.train, self._most_training)

    @functools.cached_property
    def whole(self) -> SampleSet:
        """The samples of both splits, in one order."""
        both = self.train, self.test
        samples, features = torch.cat([each.samples for each in both]), torch.cat([each.features for each in both])
        labels = [each.labels for each in both if each.labels is not None]
        return SampleSet(samples, features, torch.cat(labels) if len(labels) == len(both) else None).shuffle(0)

    @functools.cached_property
    def mirrored(self) -> Tensor | None:
        """The features of the mirror images of what may be memorised, [N, D] like theirs, if those were seen as well.

        What may be memorised are the training samples, or, by somebody else, all.
        """
        if self.made_elsewhere and self.source.is_images:
            return self._cache.extract(self.whole.samples.flip(3))
        if not self.source.train.flip:
            return None
        return self._cache.extract(self.train.samples.flip(3))

    def watch(self, progress: Progress | None) -> None:
        """Tell `progress`, from now on, how far features are that are costly."""
        self._cache.progress = progress

    def real(self, reference: Reference) -> SampleSet:
        """Return the real samples of a reference, in a random order."""
        return self.test if reference == "test" else self.train if reference == "train" else self.whole

    @property
    def pending(self) -> int:
        """How many training samples have features that are costly and not known yet."""
        if not self.features.costly or "train" in self.__dict__:
            return 0
        return 0 if self._keeps_train else self.sizes["train"]

    @property
    def sizes(self) -> dict[Reference, int]:
        """How many real samples each reference has, before their features are extracted."""
        train = min(len(self.source.train), self._most_training)
        test = min(len(self.source.test), self.bound(MOST_SAMPLES))
        return {"test": test, "train": train, "all": train + test}

    @property
    def real_work(self) -> int:
        """Of how many real samples, mirrored ones too, features are extracted for all metrics."""
        seen = self.sizes["all" if self.made_elsewhere else "train"]
        mirrored = self.source.is_images if self.made_elsewhere else self.source.train.flip
        return self.sizes["all"] + (seen if mirrored else 0)

    @property
    def _most_training(self) -> int:
        if self.features.protocol is not None:
            return len(self.source.train)
        if self.source.stacked_from is not None:
            return STACKS
        return self.bound(MOST_TRAINING)

    def bound(self, count: int) -> int:
        """Return `count`, or `most` if features are slow and neither a protocol nor stacks say how many samples."""
        free = self.features.protocol is None and self.source.stacked_from is None
        return min(count, self.most) if free and self.features.slow else count

    @functools.cached_property
    def _cache(self) -> FeatureCache:
        return FeatureCache(self.features, extraction=self.extraction)

    @functools.cached_property
    def _keeps_train(self) -> bool:
        """Whether the features of training samples were kept when they were first asked about."""
        split = self.source.train
        return self._cache.holds(split.samples, _draw_part(len(split), self._most_training))

    def _extract(self, split: Split, most: int) -> SampleSet:
        """Extract the features of a split, or of a random part (files lie in the order of names, class by class)."""
        samples, labels = split.samples, split.labels
        drawn = _draw_part(len(samples), most)
        features = self._cache.extract(samples, drawn)
        if drawn is None:
            return SampleSet(samples, features, labels).shuffle(0)
        order = draw_order(features, 0)
        labels = None if labels is None else labels[drawn[order]]
        return SampleSet(samples.index_select(0, drawn[order]), features[order], labels)


def _draw_part(count: int, most: int) -> Tensor | None:
    """Draw the places of `most` of `count` samples, in the order in which they lie in a file; None for all."""
    if count <= most:
        return None
    return torch.randperm(count, generator=randomness.rng(0, 0, "reference"))[:most].sort()[0]
