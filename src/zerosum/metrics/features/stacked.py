"""The features of stacked images: those of every channel in a classifier of single images."""

from typing import ClassVar

import torch
from torch import Tensor

from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.metrics.features import FeatureExtractor, Request
from zerosum.metrics.features.classifier import BATCH, Classifier


class StackedClassifier(FeatureExtractor, name="stacked-classifier"):
    """The features of each channel, one after another, in the classifier of the images that were stacked.

    Attributes:
        modes: number of combinations of classes.
    """

    batch: ClassVar[int] = BATCH  # whose channels are whole batches of the classifier too
    costly: ClassVar[bool] = True
    comparable = "scores in the features of this same classifier; published counts of modes are by others"

    def __init__(self, single: Source, channels: int, device: torch.device) -> None:
        """Take the classifier of the `single` images from the cache, or train it now and put it there."""
        self._classifier = Classifier(single, device)
        self._channels = channels
        self.modes = self._classifier.classes**channels
        self.name = f"{self._classifier.name}, in each of {channels} channels"

    @classmethod
    def open(cls, source: Source, request: Request) -> "StackedClassifier":
        """Open it for stacks of labelled images."""
        if source.stacked_from is None:
            raise InputError(f"{source.name} holds no stacks of labelled images, as stacked-mnist does")
        return cls(source.stacked_from, source.shape[0], request.device)

    def __call__(self, samples: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, C * 128]."""
        return self._classifier(samples.flatten(0, 1).unsqueeze(1)).view(len(samples), -1)

    def classify_modes(self, features: Tensor) -> Tensor:
        """Return the most probable mode of each sample, int64 [N], from the `features` [N, C * 128].

        A mode is a number whose digits are the channels' classes, the first channel's first: 0 to 999 for MNIST.
        """
        classes = self._classifier.logits(features.view(len(features) * self._channels, -1)).argmax(1)
        places = self._classifier.classes ** torch.arange(self._channels - 1, -1, -1)
        return (classes.view(-1, self._channels) * places).sum(1)
