"""EfficientNet-Lite0's convolutions; its features as a whole are tested in metrics/test_features.py."""

import pytest
import torch
import torch.nn.functional as F

from zerosum.networks.efficientnet import EfficientNetLite0, read_weights


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 8), (8, 9), (5, 7)])
def test_strided_convolutions_pad_as_tensorflow_does(height: int, width: int) -> None:
    """In all, (ceil(side / 2) - 1) * 2 + kernel - side zeros, the odd one after the values."""
    network = EfficientNetLite0(read_weights(), (3,))
    for block in (network.blocks[1], network.blocks[3]):
        layer = block.depthwise
        weight, bias = layer.get_buffer("weight"), layer.get_buffer("bias")
        batch = torch.randn(2, len(weight), height, width)
        zeros = [(-(-side // 2) - 1) * 2 + weight.shape[2] - side for side in (width, height)]
        padded = F.pad(batch, [part for total in zeros for part in (total // 2, total - total // 2)])
        expected = F.conv2d(padded, weight, bias, stride=2, groups=len(weight))
        torch.testing.assert_close(layer(batch), expected, rtol=1e-5, atol=1e-5)
