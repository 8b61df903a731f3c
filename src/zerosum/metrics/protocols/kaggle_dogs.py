"""The scorer of Kaggle's "Generative Dog Images" (Bai et al. 2021)."""

from typing import ClassVar

from torch import Tensor

from zerosum.metrics.protocols import SIDE, Protocol, resize_as_tensorflow


class KaggleDogs(Protocol, name="kaggle-dogs"):
    """TensorFlow's own graph, so the pixels of torch-fidelity; 10,000 images, of which the MiFID is measured."""

    program: ClassVar[str] = "the competition's scorer, of 2019"
    resizer: ClassVar[str] = "TensorFlow 1's bilinear to 299x299, as Kaggle's scorer"
    metrics: ClassVar[tuple[str, ...]] = ("mifid",)
    samples: ClassVar[int | None] = 10_000

    def prepare(self, images: Tensor) -> Tensor:
        """Bring uint8 [N, 3, H, W] to float32 [N, 3, 299, 299]."""
        return (resize_as_tensorflow(images.float(), SIDE, SIDE) - 128) / 128
