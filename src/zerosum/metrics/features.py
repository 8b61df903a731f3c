"""Features: what samples are turned into before they are compared. None here needs a download.

Labelled images are seen through a small classifier trained on the training split; other images through a fixed random
convolution network; points are their own features.
"""

import contextlib
from abc import ABC, abstractmethod
from pathlib import Path

import safetensors
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zerosum import randomness
from zerosum.data import Source, Split, shuffled
from zerosum.data.cache import cache_folder
from zerosum.data.pixels import to_float
from zerosum.record import write_atomically

BATCH = 500
CLASSIFIER = "classifier-128"
CLASSIFIER_EXAMPLES, CLASSIFIER_EPOCHS, CLASSIFIER_BATCH, CLASSIFIER_RATE = 120_000, 30, 128, 2e-3


class FeatureExtractor(ABC):
    """Maps samples to features. `name` says which features: scores with different names cannot be compared."""

    name: str

    @abstractmethod
    def __call__(self, samples: Tensor) -> Tensor:
        """Samples, uint8 [N, C, H, W] or float32 [N, d], to features float32 [N, D]."""


def features_for(source: Source) -> FeatureExtractor:
    """The best features for `source` that need no download; a classifier is trained at the first call, then cached."""
    if not source.is_images:
        return Coordinates()
    if source.train.labels is not None:
        return ClassifierFeatures(source)
    return RandomConvolutions(source.shape)


class Coordinates(FeatureExtractor):
    """Points as they are."""

    name = "coordinates"

    def __call__(self, samples: Tensor) -> Tensor:
        """The identity."""
        return samples


class RandomConvolutions(FeatureExtractor):
    """Four convolutions with fixed random weights, averaged over a 2x2 grid: 256 features for images of any shape."""

    name = "random-convolutions-32-64-64-64-mean2x2 (seed 0)"

    def __init__(self, shape: tuple[int, ...]) -> None:
        """`shape`: (C, H, W)."""
        layers: list[nn.Module] = []
        channels = shape[0]
        with randomness.scope(0, 0, "random convolutions"):
            for width, stride in ((32, 1), (64, 2), (64, 2), (64, 1)):
                convolution = nn.Conv2d(channels, width, 3, stride, 1)
                nn.init.kaiming_normal_(convolution.weight, a=0.2)
                layers += [convolution, nn.LeakyReLU(0.2)]
                channels = width
        self._network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten()).eval()

    def __call__(self, samples: Tensor) -> Tensor:
        """[N, C, H, W] to [N, 256]."""
        return _in_batches(self._network, samples)


class ClassifierFeatures(FeatureExtractor):
    """The last hidden layer, 128 rectifiers, of a small classifier trained on the training split."""

    def __init__(self, source: Source) -> None:
        """Take the classifier of `source` from the cache, or train it now and put it there."""
        file = cache_folder() / f"{source.fingerprint}-{CLASSIFIER}.safetensors"
        with randomness.scope(0, 0, "initial classifier"):
            self._network = _classifier(source.shape, source.classes)
        if not _load(self._network, file):
            _train(self._network, source.train)
            _save(self._network, file)
        self._network.eval()
        accuracy = _accuracy(self.classify(source.test.samples), source.test.labels)
        self.name = f"{CLASSIFIER} ({accuracy:.1%} right on the test split of {source.name})"

    def __call__(self, samples: Tensor) -> Tensor:
        """[N, C, H, W] to [N, 128]."""
        return _in_batches(self._network[:-1], samples)

    def classify(self, samples: Tensor) -> Tensor:
        """The most probable class of each image, int64 [N]."""
        return _in_batches(self._network, samples).argmax(1)


def _accuracy(answers: Tensor, labels: Tensor | None) -> float:
    return float("nan") if labels is None else float(answers.eq(labels).float().mean())


@torch.no_grad()
def _in_batches(network: nn.Module, samples: Tensor) -> Tensor:
    """So that memory does not grow with the number of samples."""
    return torch.cat([network(to_float(batch)) for batch in torch.split(samples, BATCH)])


def _classifier(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """Strided convolutions down to at most 8 pixels, 128 rectifiers, a logit per class."""
    layers: list[nn.Module] = []
    channels, size = shape[0], list(shape[1:])
    while max(size) > 8 or channels < 64:
        stride, width = 1 if max(size) <= 8 and channels < 32 else 2, min(max(32, 2 * channels), 128)
        layers += [nn.Conv2d(channels, width, 3, stride, 1), nn.ReLU()]
        channels, size = width, [(side - 1) // stride + 1 for side in size]
    inputs = channels * size[0] * size[1]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs, 128), nn.ReLU(), nn.Linear(128, classes))


def _train(classifier: nn.Sequential, data: Split) -> None:
    """Adam on the cross-entropy, the rate falling to 0, for a number of examples or epochs, whichever is less."""
    assert data.labels is not None  # noqa: S101  # features_for asks only then
    updates = min(CLASSIFIER_EXAMPLES, CLASSIFIER_EPOCHS * len(data)) // CLASSIFIER_BATCH + 1
    optimizer = torch.optim.Adam(classifier.parameters(), fused=True)
    for update in range(updates):
        optimizer.param_groups[0]["lr"] = CLASSIFIER_RATE * (1 - update / updates)
        chosen = shuffled(len(data), CLASSIFIER_BATCH, update, seed=0)
        loss = F.cross_entropy(classifier(data.batch(chosen).samples), data.labels[chosen])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _load(network: nn.Module, file: Path) -> bool:
    try:
        network.load_state_dict(safetensors.torch.load(file.read_bytes()))
    except (OSError, RuntimeError, safetensors.SafetensorError):
        return False
    return True


def _save(network: nn.Module, file: Path) -> None:
    """A cache that cannot be written costs time at the next evaluation, nothing else."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, safetensors.torch.save(network.state_dict()))
