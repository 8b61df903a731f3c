"""Feature extractors: turn samples into the features that are compared. One network, one file.

Inception and DINOv2 need weights that are downloaded once; nothing else needs a download. An image's features do not
depend on the images beside it: every batch that goes through a network has the same size.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from zerosum import catalog
from zerosum.catalog import Component
from zerosum.data import Progress, Source, to_float
from zerosum.errors import InputError
from zerosum.metrics.protocols import Protocol


@dataclass(frozen=True)
class Request:
    """A choice of features.

    Attributes:
        network: the name of an extractor, with `:TAP` for one of several depths; empty for the best one that needs no
            weights from elsewhere.
        weights: the file of a network that was trained elsewhere.
        download: whether such weights may be fetched.
        device: the device that networks run on.
        progress: is called while weights are downloaded.
        protocol: the program whose way to the network is taken; None for our own.
    """

    network: str = ""
    weights: Path | None = None
    download: bool = False
    device: torch.device = field(default_factory=partial(torch.device, "cpu"))
    progress: Progress | None = None
    protocol: Protocol | None = None

    @property
    def tap(self) -> int | None:
        """The number after the colon.

        Raises:
            InputError: it is no number.
        """
        _, colon, tap = self.network.partition(":")
        if colon and not tap.isdecimal():
            raise InputError(f"{self.network!r}: after the colon comes a number of features, as in inception:192")
        return int(tap) if colon else None


class FeatureExtractor(Component, ABC, kind="features"):
    """Maps samples to features. A new one is one subclass in one file of this folder.

    Attributes:
        name: the features' name; scores with different names cannot be compared.
        resizer: how images were brought to the size that the network takes.
        comparable: what the scores may be compared with, a sentence's end.
        blind: what these features cannot see, a sentence without its full stop; empty if nothing is known.
        better: what better features would need, a sentence; empty if these are the best.
        classes: number of classes that the network tells apart; 0 if none.
        batch: how many samples go through it at a time; of several processes, each takes whole batches.
        costly: whether features of real data are worth keeping on disk.
        slow: whether an image takes milliseconds, so that fewer are looked at where numbers matter less.
        is_pool3: whether these are the 2,048 features that a FID is computed in.
        taps: the numbers of features of the network's depths, of which one may be chosen after a colon; none if there
            is no choice.
        takes_weights: whether it can be given a file of weights.
        protocol: the program whose way to the network is taken; None for our own.
    """

    name: str
    resizer: str = "none"
    comparable: str = "scores in these features, of the same data"
    blind: str = ""
    better: str = ""
    classes: int = 0
    batch: ClassVar[int] = 500
    costly: ClassVar[bool] = False
    slow: ClassVar[bool] = False
    is_pool3: bool = False
    taps: ClassVar[tuple[int, ...]] = ()
    takes_weights: ClassVar[bool] = False
    protocol: Protocol | None = None

    @classmethod
    @abstractmethod
    def open(cls, source: Source, request: Request) -> "FeatureExtractor":
        """Open the extractor for samples like those of `source`.

        Raises:
            InputError: it cannot serve them, or its weights are not there.
        """

    @abstractmethod
    def __call__(self, samples: Tensor) -> Tensor:
        """Turn samples, uint8 [N, C, H, W] or float32 [N, d], into features, float32 [N, D]."""

    def logits(self, features: Tensor) -> Tensor:
        """Compute the logits [N, classes] from `features` [N, D], where the network tells classes apart."""
        raise NotImplementedError


def open_features(source: Source, request: Request | None = None) -> FeatureExtractor:
    """Open the features that are asked for, or the best ones for `source` that need no weights from elsewhere.

    Raises:
        InputError: there are none of this name, they cannot serve the data, their weights are not there, or weights
            or a number of features are asked for where there is no choice.
    """
    request = request or Request()
    name = request.network.partition(":")[0]
    if not name:
        return _open_best(source, request)
    return find_extractor(name, request).open(source, request)


def find_extractor(name: str, request: Request) -> type[FeatureExtractor]:
    """Find the extractor called `name`, before anything is read.

    Raises:
        InputError: there is none, or weights or a number of features are asked for where there is no choice.
    """
    chosen = catalog.lookup(FeatureExtractor, name)
    if request.tap is not None and chosen.taps and request.tap not in chosen.taps:
        raise InputError(f"{request.network!r}: the numbers of features are {', '.join(map(str, chosen.taps))}")
    if request.tap is not None and not chosen.taps:
        raise InputError(f"{request.network!r}: {name} has one set of features, and no number chooses another")
    if request.weights is not None and not chosen.takes_weights:
        known = [each for each, kind in catalog.choices(FeatureExtractor).items() if kind.takes_weights]
        raise InputError(f"the features {name} take no weights from a file; these do: {', '.join(known)}")
    if request.weights is not None and not request.weights.expanduser().exists():
        raise InputError(f"the weights {request.weights} cannot be read: No such file or directory")
    return chosen


def _open_best(source: Source, request: Request) -> FeatureExtractor:
    """Open the best features for `source` that need no weights from elsewhere."""

    def open_named(name: str) -> FeatureExtractor:
        return catalog.lookup(FeatureExtractor, name).open(source, request)

    if not source.is_images:
        return open_named("coordinates")
    if source.stacked_from is not None:
        return open_named("stacked-classifier")
    general = "efficientnet" if source.shape[0] in (1, 3) else "random-convolutions"
    if source.train.labels is None:
        return open_named(general)
    classifier = open_named("classifier")
    return open_named(general) if classifier.blind else classifier


@torch.no_grad()
def apply_in_batches(
    network: nn.Module,
    samples: Tensor,
    size: int,
    device: torch.device,
    prepare: Callable[[Tensor], Tensor] = to_float,
) -> Tensor:
    """Apply `network` to images uint8 [N, C, H, W] in batches that all have `size`; return the outputs on the CPU.

    `prepare` turns the bytes of a batch into what the network takes. So memory does not grow with N, and the same
    arithmetic is done for an image wherever it stands.
    """
    outputs = []
    for batch in torch.split(samples, size):
        missing = size - len(batch)
        whole = batch if missing == 0 else torch.cat([batch, batch[-1:].expand(missing, *batch.shape[1:])])
        outputs.append(network(prepare(whole.to(device)))[: len(batch)].float().cpu())
    return torch.cat(outputs)


def digest_of(network: nn.Module) -> str:
    """Return eight characters that identify the weights."""
    digest = hashlib.blake2b(digest_size=4)
    for weights in network.state_dict().values():
        digest.update(weights.cpu().contiguous().numpy().data)
    return digest.hexdigest()
