"""Protocols of other programs: how each brings images to Inception, and what it measures there. One program, one file.

The weights are the same in all of them, and so is the arithmetic of the distance. The pixels that the network sees
are not.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from zerosum.catalog import Component

SIDE = 299  # pixels of a side that Inception takes
SUBSET = 1_000


class Protocol(Component, ABC, kind="protocol"):
    """What a program does from the decoded image to the figure. A new one is one subclass in one file of this folder.

    Attributes:
        program: the program, with the version whose source was read.
        resizer: how it brings images to 299x299 and which values it gives them, in words.
        metrics: what it measures.
        samples: how many generated images it asks for; None for all that there are.
        neighbours: the k of its precision and recall.
        least_subset: how few samples a subset of its kernel distance may have.
    """

    program: ClassVar[str]
    resizer: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    samples: ClassVar[int | None] = None
    neighbours: ClassVar[int] = 3
    least_subset: ClassVar[int] = 2

    @abstractmethod
    def prepare(self, images: Tensor) -> Tensor:
        """Bring uint8 [N, 3, H, W] to what the first layer takes: float32 [N, 3, 299, 299], about -1 to 1."""


def resize_as_tensorflow(images: Tensor, height: int, width: int) -> Tensor:
    """Resize float32 [N, C, H, W] bilinearly as TensorFlow 1 does: pixel y of the result lies at y * H / `height`.

    So the result lies half a pixel off, and nothing is averaged where images become smaller.
    """
    import torch

    def lines(stored: int, wanted: int) -> tuple[Tensor, Tensor, Tensor]:
        places = torch.arange(wanted, dtype=torch.float32) * torch.tensor(stored / wanted, dtype=torch.float32)
        first = places.long()
        return first, (first + 1).clamp(max=stored - 1), places - first

    (top, bottom, down), (left, right, across) = lines(images.shape[2], height), lines(images.shape[3], width)
    down, across = down[:, None].to(images.device), across.to(images.device)
    upper, lower = images[:, :, top], images[:, :, bottom]
    above = upper[..., left] + (upper[..., right] - upper[..., left]) * across
    below = lower[..., left] + (lower[..., right] - lower[..., left]) * across
    return above + (below - above) * down
