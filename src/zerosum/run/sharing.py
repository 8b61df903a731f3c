"""What the processes of a run do together besides playing it: draw samples of its generator, and extract features.

The first process shares them out whenever scores need them, and the others help.
"""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from zerosum.generator import CHUNK
from zerosum.metrics.features import FeatureExtractor, Request, open_features

if TYPE_CHECKING:
    from zerosum.run.trainer import Trainer

SAMPLES, FEATURES = "samples", "features"


def sample_together(run: "Trainer", count: int, seed: int) -> Tensor:
    """Draw `count` samples as `run.generator().sample` does."""
    chunks = torch.arange(-(-count // CHUNK))
    seeds = torch.full_like(chunks, seed)
    return run.team.share_out(SAMPLES, Helper(run).sample, torch.stack([seeds, chunks], 1), 1)[:count]


def extract_together(run: "Trainer") -> Callable[[FeatureExtractor, Tensor], Tensor]:
    """Return what extracts the features of samples."""
    return lambda features, samples: run.team.share_out(FEATURES, features, samples, features.batch)


class Helper:
    """What a process knows to do for the first one."""

    def __init__(self, run: "Trainer") -> None:
        """`run`: as this process plays it."""
        self._run = run

    def help(self) -> list[Any]:
        """Help until the first process tells something; return that."""
        return self._run.team.help({SAMPLES: self.sample, FEATURES: self._extract})

    def sample(self, chunks: Tensor) -> Tensor:
        """Draw samples of the averaged generator: of each row, a seed and the number of a chunk, CHUNK of them."""
        generator = self._run.generator()
        return torch.cat([generator.sample_chunks([chunk], seed) for seed, chunk in chunks.tolist()])

    def _extract(self, samples: Tensor) -> Tensor:
        return self._features(samples)

    @cached_property
    def _features(self) -> FeatureExtractor:
        """The features that scores are measured in; by now, the first process has learned those that are learned."""
        return open_features(self._run.source, Request(device=self._run.engine.device))
