"""Differentiable augmentations of images, for discriminators that would otherwise learn few images by heart.

Each draws what it does to each image from the random scope in force, and is made of plain tensor operations, so that
gradients (and the gradients of penalties on gradients) pass through (Zhao et al. 2020, section 3.2, with their ranges).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

SHIFT, HOLE = 1 / 8, 1 / 2


def colour(images: Tensor) -> Tensor:
    """Add U(-0.5, 0.5) to brightness, scale saturation by U(0, 2), contrast by U(0.5, 1.5); [N, C, H, W] in [-1, 1]."""
    brightness, saturation, contrast = torch.rand(3, len(images), 1, 1, 1, device=images.device)
    images = images + (brightness - 0.5)
    gray = images.mean(1, keepdim=True)
    images = gray + (images - gray) * (2 * saturation)
    mean = images.mean((1, 2, 3), keepdim=True)
    contrasted: Tensor = mean + (images - mean) * (contrast + 0.5)
    return contrasted


def translation(images: Tensor) -> Tensor:
    """Shift by up to an eighth of either side, and fill with 0, the middle of [-1, 1]."""
    count, _, height, width = images.shape
    reach = [int(side * SHIFT + 0.5) for side in (height, width)]
    padded = F.pad(images, (reach[1], reach[1], reach[0], reach[0]))
    first = [torch.randint(2 * most + 1, (count, 1), device=images.device) for most in reach]
    rows = first[0] + torch.arange(height, device=images.device)
    columns = first[1] + torch.arange(width, device=images.device)
    which = torch.arange(count, device=images.device)[:, None, None]
    shifted: Tensor = padded.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return shifted


def cutout(images: Tensor) -> Tensor:
    """Set a rectangle of half of either side, its centre anywhere, to 0."""
    count, _, height, width = images.shape
    inside = []
    for side in (height, width):
        size = int(side * HOLE + 0.5)
        centre = torch.randint(side + 1 - size % 2, (count, 1), device=images.device)
        offset = torch.arange(side, device=images.device) - centre + size // 2
        inside.append((offset >= 0) & (offset < size))
    hole = inside[0][:, :, None] & inside[1][:, None, :]
    return images * ~hole[:, None]


AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor]] = {"colour": colour, "translation": translation, "cutout": cutout}
