"""Ways from one latent to another."""

import torch
from torch import Tensor


def lerp(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Interpolate linearly from each row of `start` [n, d] to that of `end`, both included: [n, steps, d]."""
    share = torch.linspace(0, 1, steps, device=start.device)[:, None]
    return start[:, None] + (end - start)[:, None] * share


def slerp(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Interpolate by equal angles about the origin, with the length changing evenly (White 2016, section 2.1).

    In many dimensions nearly all of a normal distribution lies on a shell that a straight line cuts short.
    """
    lengths = start.norm(dim=1, keepdim=True), end.norm(dim=1, keepdim=True)
    angle = ((start / lengths[0]) * (end / lengths[1])).sum(1).clamp(-1 + 1e-6, 1 - 1e-6).acos()[:, None, None]
    share = torch.linspace(0, 1, steps, device=start.device)[:, None]
    directions = ((1 - share) * angle).sin() * (start / lengths[0])[:, None]
    directions = (directions + (share * angle).sin() * (end / lengths[1])[:, None]) / angle.sin()
    points: Tensor = directions * lerp(*lengths, steps)
    return points
