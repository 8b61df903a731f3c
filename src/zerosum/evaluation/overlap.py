"""Images that are in both sets: they look good in every figure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from zerosum.data import Source
from zerosum.metrics import WARNINGS, Score


def describe_overlap(samples: Tensor, source: Source) -> str:
    """Say how many of `samples`, uint8 [N, C, H, W], are equal to a real image, pixel by pixel; empty if none is."""
    if not source.is_images or samples.shape[1:] != source.shape:
        return ""
    return describe_copies(samples, (source.train.samples, source.test.samples), source.name)


def describe_copies(samples: Tensor, reals: Iterable[Tensor], name: str) -> str:
    """Say the same of tensors of real images, which are called `name`."""
    known = {key for real in reals for key in _digest_each(real)}
    shared = sum(key in known for key in _digest_each(samples))
    if shared == 0:
        return ""
    if shared == len(samples):
        return f"all {shared:,} images are also in {name}, pixel by pixel: real data are scored here, or copies of them"
    return f"{shared:,} of {len(samples):,} images are also in {name}, pixel by pixel: copies look good in every figure"


def warn_of(overlap: str, scores: Sequence[Score]) -> list[Score]:
    """Add what was said of copies to the first of the scores."""
    if not overlap or not scores:
        return list(scores)
    first, *others = scores
    return [replace(first, warning=WARNINGS.join(filter(None, (overlap, first.warning)))), *others]


def _digest_each(images: Tensor) -> Iterable[bytes]:
    rows = np.ascontiguousarray(images.numpy()).reshape(len(images), -1)
    return (hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows)
