"""The real samples of a source and their features, each computed once; those of slow networks are kept in the cache."""

import contextlib
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from zerosum import randomness
from zerosum.atomic import write_atomically
from zerosum.data import Source, Split, cache_folder
from zerosum.metrics import STACKS, Reference, SampleSet, draw_order
from zerosum.metrics.features import FeatureExtractor

MOST_SAMPLES = 10_000
MOST_TRAINING, MOST_SLOW = 100_000, 10_000


@dataclass(frozen=True, eq=False)
class RealSamples:
    """The real samples that others are scored against.

    Attributes:
        source: the real samples.
        features: the features that samples are compared in.
        reference: the real samples that distances are measured to.
        made_elsewhere: whether the samples' maker may have seen every sample of the source, and its mirror image.
    """

    source: Source
    features: FeatureExtractor
    reference: Reference = "test"
    made_elsewhere: bool = False

    @functools.cached_property
    def test(self) -> SampleSet:
        """Held-out real samples: all, or 10,000 of them at random."""
        return self._extract("test", self.source.test, MOST_SAMPLES)

    @functools.cached_property
    def train(self) -> SampleSet:
        """Training samples: all, or 100,000 at random (10,000 where features are slow); of stacks 26,000."""
        return self._extract("train", self.source.train, self._most_training)

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
            return extract_cached(self.features, self.source, "mirrored whole", self.whole.samples.flip(3))
        if not self.source.train.flip:
            return None
        return extract_cached(self.features, self.source, "mirrored train", self.train.samples.flip(3))

    def real(self, reference: Reference) -> SampleSet:
        """Return the real samples of a reference, in a random order."""
        return self.test if reference == "test" else self.train if reference == "train" else self.whole

    @property
    def pending(self) -> int:
        """How many training samples have features that are costly and not known yet."""
        if not self.features.costly or "train" in self.__dict__:
            return 0
        split, count = _name_part("train", len(self.source.train), self._most_training)
        return 0 if find_cache(self.features, self.source, split, count).exists() else count

    @property
    def sizes(self) -> dict[Reference, int]:
        """How many real samples each reference has, before their features are extracted."""
        train, test = min(len(self.source.train), self._most_training), min(len(self.source.test), MOST_SAMPLES)
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
        return MOST_SLOW if self.features.slow else MOST_TRAINING

    def _extract(self, name: str, split: Split, most: int) -> SampleSet:
        """Extract the features of a split, or of a random part (files lie in the order of names, class by class)."""
        samples, labels = split.samples, split.labels
        name, count = _name_part(name, len(samples), most)
        if count == len(samples):
            return SampleSet(samples, extract_cached(self.features, self.source, name, samples), labels).shuffle(0)
        drawn = torch.randperm(len(samples), generator=randomness.rng(0, 0, "reference"))[:count]
        drawn = drawn.sort()[0]  # so that a file is read from its beginning to its end
        part = samples.index_select(0, drawn)
        features = extract_cached(self.features, self.source, name, part)
        del part  # frees its memory before the ordered copy is made
        order = draw_order(features, 0)
        labels = None if labels is None else labels[drawn[order]]
        return SampleSet(samples.index_select(0, drawn[order]), features[order], labels)


def _name_part(split: str, count: int, most: int) -> tuple[str, int]:
    """Name what is looked at of a split of `count` samples, all or `most` at random, and count it."""
    return (split, count) if count <= most else (f"random part of {split}", most)


def extract_cached(extractor: FeatureExtractor, source: Source, split: str, samples: Tensor) -> Tensor:
    """Extract the features of `samples`, or load them from the cache if they are costly and were extracted before.

    `split` names which samples of the source these are, and must differ where others are chosen.
    """
    if not extractor.costly:
        return extractor(samples)
    file = find_cache(extractor, source, split, len(samples))
    with contextlib.suppress(OSError, KeyError, safetensors.SafetensorError):
        return safetensors.torch.load(file.read_bytes())["features"]
    features = extractor(samples)
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time at the next evaluation, nothing else
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, safetensors.torch.save({"features": features}))
    return features


def find_cache(extractor: FeatureExtractor, source: Source, split: str, count: int) -> Path:
    """Return where the features of `count` samples of `split` are kept."""
    protocol = f"{extractor.name}/{extractor.resizer}/{split}/{count}"
    key = hashlib.blake2b(protocol.encode(), digest_size=8).hexdigest()
    return cache_folder() / f"{source.fingerprint}-{key}.safetensors"
