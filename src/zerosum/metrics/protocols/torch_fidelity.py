"""torch-fidelity (Obukhov et al. 2020)."""

from typing import ClassVar

from torch import Tensor

from zerosum.metrics.protocols import SIDE, Protocol, resize_as_tensorflow


class TorchFidelity(Protocol, name="torch-fidelity"):
    """TensorFlow 1's bilinear resizing of values 0..255, as in the graph of Heusel et al. 2017; then (x - 128) / 128.

    Its kernel distance takes subsets of 1,000 and refuses fewer samples; its precision and recall have k = 3.
    """

    program: ClassVar[str] = "torch-fidelity 0.4.0"
    resizer: ClassVar[str] = "TensorFlow 1's bilinear to 299x299, as torch-fidelity"
    metrics: ClassVar[tuple[str, ...]] = ("frechet-distance", "kernel-distance", "inception-score", "neighbours")
    least_subset: ClassVar[int] = 1_000

    def prepare(self, images: Tensor) -> Tensor:
        """Bring uint8 [N, 3, H, W] to float32 [N, 3, 299, 299]."""
        return (resize_as_tensorflow(images.float(), SIDE, SIDE) - 128) / 128
