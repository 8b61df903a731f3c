"""Features of real data: kept on disk where they took long to compute."""

import contextlib
import hashlib

import safetensors
import safetensors.torch
from torch import Tensor

from zerosum.data import Source
from zerosum.data.cache import cache_folder
from zerosum.metrics.features import FeatureExtractor
from zerosum.record import write_atomically


def features_of(extractor: FeatureExtractor, source: Source, split: str, samples: Tensor) -> Tensor:
    """The features of `samples`, from the cache if they are costly and were computed before.

    `split` names which samples of the source these are, and must differ where others are chosen.
    """
    if not extractor.costly:
        return extractor(samples)
    named = f"{extractor.name}/{extractor.resizer}/{split}/{len(samples)}"
    key = hashlib.blake2b(named.encode(), digest_size=8).hexdigest()
    file = cache_folder() / f"{source.fingerprint}-{key}.safetensors"
    with contextlib.suppress(OSError, KeyError, safetensors.SafetensorError):
        return safetensors.torch.load(file.read_bytes())["features"]
    features = extractor(samples)
    with contextlib.suppress(OSError):  # it costs time at the next evaluation, nothing else
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, safetensors.torch.save({"features": features}))
    return features
