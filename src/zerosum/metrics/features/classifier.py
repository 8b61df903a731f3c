"""A small classifier of labelled images, trained on the training split: no download, and made for the data."""

import contextlib
from pathlib import Path

import safetensors
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zerosum import randomness
from zerosum.atomic import write_atomically
from zerosum.data import Source, Split, cache_folder, shuffle_indices
from zerosum.errors import InputError
from zerosum.metrics.features import FeatureExtractor, Request, apply_in_batches, digest_of
from zerosum.types import Shape

BATCH = 500
NAME = "classifier-128"
EXAMPLES, EPOCHS, TRAINING_BATCH, RATE = 120_000, 30, 128, 2e-3
MISTAKES = 0.2  # that a classifier may make, of those of guessing, if its features are to be trusted


class Classifier(FeatureExtractor, name="classifier"):
    """The last hidden layer, 128 rectifiers, of a small classifier trained on the training split."""

    batch = BATCH
    comparable = "scores in the features of this same classifier; it is no FID"

    def __init__(self, source: Source, device: torch.device) -> None:
        """Take the classifier of `source` from the cache, or train it now and put it there."""
        file = cache_folder() / f"{source.fingerprint}-{NAME}.safetensors"
        with randomness.scope(0, 0, "initial classifier"):
            self._network = _build(source.shape, source.classes)
        if not _load(self._network, file):  # trained on the CPU, so that all devices compare in the same features
            _train(self._network, source.train)
            _save(self._network, file)
        self._network.eval().to(device)
        self._device = device
        self.classes = source.classes
        accuracy = _accuracy(self.classify(source.test.samples), source.test.labels)
        guessing = _commonest(source)
        if not 1 - accuracy <= MISTAKES * (1 - guessing):
            self.blind = (
                f"The classifier is right for {accuracy:.0%} of the test images, guessing the commonest class for "
                f"{guessing:.0%}: it has not learned what the classes look like"
            )
        weights = digest_of(self._network)
        self.name = f"{NAME} ({accuracy:.1%} right on the test split of {source.name}; weights {weights})"

    @classmethod
    def open(cls, source: Source, request: Request) -> "Classifier":
        """Open it for labelled images."""
        if not source.is_images or source.train.labels is None:
            raise InputError(f"{source.name} has no labelled images that a classifier could learn from")
        return cls(source, request.device)

    def __call__(self, samples: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, 128]."""
        return apply_in_batches(self._network[:-1], samples, BATCH, self._device)

    @torch.no_grad()
    def logits(self, features: Tensor) -> Tensor:
        """Compute logits [N, classes] from features [N, 128]."""
        scores: Tensor = self._network[-1](features.to(self._device)).cpu()
        return scores

    def classify(self, samples: Tensor) -> Tensor:
        """Return the most probable class of each image, int64 [N]."""
        return self.logits(self(samples)).argmax(1)


def _accuracy(predicted: Tensor, labels: Tensor | None) -> float:
    return float("nan") if labels is None else float(predicted.eq(labels).float().mean())


def _commonest(source: Source) -> float:
    """Return the share of the test images that are of the commonest class of the training images."""
    if source.train.labels is None or source.test.labels is None:
        return float("nan")
    return float(source.test.labels.eq(source.train.labels.mode()[0]).float().mean())


def _build(shape: Shape, classes: int) -> nn.Sequential:
    """Build strided convolutions down to at most 8 pixels, 128 rectifiers, a logit per class."""
    layers: list[nn.Module] = []
    channels, size = shape[0], list(shape[1:])
    while max(size) > 8 or channels < 64:
        stride, width = 1 if max(size) <= 8 and channels < 32 else 2, min(max(32, 2 * channels), 128)
        layers += [nn.Conv2d(channels, width, 3, stride, 1), nn.ReLU()]
        channels, size = width, [(side - 1) // stride + 1 for side in size]
    inputs = channels * size[0] * size[1]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs, 128), nn.ReLU(), nn.Linear(128, classes))


def _train(classifier: nn.Sequential, data: Split) -> None:
    """Minimise the cross-entropy by Adam, the rate falling to 0, for `EXAMPLES` or `EPOCHS`, whichever is less."""
    assert data.labels is not None  # noqa: S101  # `open` checks it
    updates = min(EXAMPLES, EPOCHS * len(data)) // TRAINING_BATCH + 1
    optimizer = torch.optim.Adam(classifier.parameters(), fused=True)
    for update in range(updates):
        optimizer.param_groups[0]["lr"] = RATE * (1 - update / updates)
        chosen = shuffle_indices(len(data), TRAINING_BATCH, update, seed=0)
        loss = F.cross_entropy(classifier(data.batch(chosen).samples), data.labels[chosen])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _load(network: nn.Module, file: Path) -> bool:
    """Load the weights from the cache; return whether they were there and fitted."""
    try:
        network.load_state_dict(safetensors.torch.load(file.read_bytes()))
    except (OSError, RuntimeError, safetensors.SafetensorError):
        return False
    return True


def _save(network: nn.Module, file: Path) -> None:
    """Write the weights to the cache, if it can be written."""
    with contextlib.suppress(OSError):  # it costs time at the next evaluation, nothing else
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, safetensors.torch.save(network.state_dict()))
