"""Features that were extracted before."""

from torch import Tensor

from zerosum.data import Source
from zerosum.metrics.features import FeatureExtractor, Request


class GivenFeatures(FeatureExtractor):
    """Stands where samples are their features already; has no name, as nobody can ask for it."""

    def __init__(self, extractor: FeatureExtractor) -> None:
        """Describe the features as `extractor` does, which has extracted them."""
        self._extractor = extractor
        for name in ("name", "resizer", "comparable", "blind", "better", "classes", "is_pool3", "protocol"):
            setattr(self, name, getattr(extractor, name))

    @classmethod
    def open(cls, source: Source, request: Request) -> "FeatureExtractor":
        """Open nothing: it is made of an extractor."""
        raise NotImplementedError

    def __call__(self, samples: Tensor) -> Tensor:
        """Return the features, float32 [N, D], as they are."""
        return samples

    def logits(self, features: Tensor) -> Tensor:
        """Compute the logits as the extractor does."""
        return self._extractor.logits(features)
