"""Ways to make pictures worse, from hardly to beyond recognition: what a score has to put in order."""

import io

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from zerosum.data import MODES

PATCHES = 4  # to a side


def blur(images: Tensor, share: float) -> Tensor:
    """Blur uint8 [N, C, H, W] by a Gaussian whose standard deviation is `share` of the height."""
    deviation = share * images.shape[2]
    reach = min(int(3 * deviation + 0.5), min(images.shape[2:]) - 1)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / deviation).square())
    kernel = (weights / weights.sum()).expand(images.shape[1], 1, 1, -1)
    padded = F.pad(images.float(), [reach] * 4, mode="reflect")
    rows = F.conv2d(padded, kernel, groups=images.shape[1])
    return F.conv2d(rows, kernel.transpose(2, 3), groups=images.shape[1]).round().to(torch.uint8)


def compress(images: Tensor, quality: int) -> Tensor:
    """Send uint8 [N, C, H, W] through JPEG of `quality` (1 to 95)."""
    found = []
    for image in images:
        pixels = image.permute(1, 2, 0).squeeze(2).numpy()
        content = io.BytesIO()
        Image.fromarray(pixels, MODES[len(image)]).save(content, "JPEG", quality=quality)
        decoded = np.array(Image.open(content)).reshape(*image.shape[1:], len(image))
        found.append(torch.from_numpy(decoded).permute(2, 0, 1))
    return torch.stack(found)


def shuffle_patches(images: Tensor) -> Tensor:
    """Cut uint8 [N, C, H, W] into 4x4 patches and put them back in a random order, another one for each image."""
    count, _, height, width = images.shape
    tall, wide = height // PATCHES, width // PATCHES
    cut = images[:, :, : tall * PATCHES, : wide * PATCHES]
    patches = cut.unfold(2, tall, tall).unfold(3, wide, wide).flatten(2, 3)  # [N, C, 16, h, w]
    draw = torch.Generator().manual_seed(0)
    order = torch.rand(count, PATCHES**2, generator=draw).argsort(1)[:, None, :, None, None].expand_as(patches)
    mixed = patches.gather(2, order).unflatten(2, (PATCHES, PATCHES))
    whole = images.clone()
    whole[:, :, : tall * PATCHES, : wide * PATCHES] = mixed.permute(0, 1, 2, 4, 3, 5).reshape(cut.shape)
    return whole


def fog(images: Tensor) -> Tensor:
    """Leave nothing of uint8 [N, C, H, W] but soft clouds in their colours, at half of the contrast."""
    clouds = blur(images, 0.25).float()
    middle = clouds.mean((1, 2, 3), keepdim=True)
    return (middle + 0.5 * (clouds - middle)).round().to(torch.uint8)


def mush(images: Tensor) -> Tensor:
    """Draw pictures with the mean and the covariance of uint8 [N, C, H, W]: the right colours and spots, no shapes."""
    rows = images.flatten(1).float()
    middle = rows.mean(0)
    weights = torch.randn(len(rows), len(rows), generator=torch.Generator().manual_seed(0)) / len(rows) ** 0.5
    return (middle + weights @ (rows - middle)).clamp(0, 255).round().to(torch.uint8).view_as(images)


def noise(images: Tensor) -> Tensor:
    """Draw uint8 [N, C, H, W] from uniform noise."""
    return torch.randint(0, 256, images.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
