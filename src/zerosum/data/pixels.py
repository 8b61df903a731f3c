"""The only two places where pixels change their type: uint8 0..255 <-> float32 in [-1, 1]."""

import torch
from torch import Tensor


def to_float(pixels: Tensor) -> Tensor:
    """uint8 [...] to float32 in [-1, 1]: 0 -> -1, 255 -> 1."""
    return pixels.float().div_(127.5).sub_(1)


def to_uint8(samples: Tensor) -> Tensor:
    """Float [...] in [-1, 1] to the nearest uint8; values outside are clipped. `to_uint8(to_float(x)) == x`."""
    return samples.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
