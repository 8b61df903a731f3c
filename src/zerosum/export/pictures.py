"""Pictures of samples: a grid of images, or a scatter plot of points."""

import io
import math
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data import MODES
from zerosum.data.generated import MARK, mark_png

GAP, LEAST_SIDE = 2, 32


def draw_samples(samples: Tensor, reference: Tensor | None = None, columns: int | None = None) -> bytes:
    """Draw `samples` as a PNG: uint8 [N, C, H, W] as a grid, float32 [N, d] as a scatter over `reference` points.

    With `columns`, points are interpolations of so many steps, each drawn as a line.
    """
    if samples.ndim == 4:
        return _draw_grid(samples, columns)
    return _draw_paths(samples, columns) if columns else _draw_scatter(samples, reference)


def _draw_grid(images: Tensor, columns: int | None) -> bytes:
    """Draw a grid in `columns`, else as square as possible, with small images enlarged by a whole factor.

    A last row that is not full stays blank.
    """
    factor = max(1, math.ceil(LEAST_SIDE / min(images.shape[2:])))
    images = images.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    count, channels, height, width = images.shape
    columns = columns or math.ceil(math.sqrt(count * height / width))
    rows = math.ceil(count / columns)
    canvas = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, channels), 255, np.uint8)
    for number, each in enumerate(images.permute(0, 2, 3, 1).numpy()):
        top, left = (
            GAP + place * (side + GAP) for place, side in zip(divmod(number, columns), (height, width), strict=True)
        )
        canvas[top : top + height, left : left + width] = each
    return encode_png(to_pillow(torch.from_numpy(canvas).permute(2, 0, 1)))


def to_pillow(pixels: Tensor) -> Image.Image:
    """Convert uint8 [C, H, W] with 1 to 4 channels to a Pillow image: grey, grey and alpha, RGB or RGBA."""
    channels = pixels.shape[0]
    rows = pixels.permute(1, 2, 0).contiguous().numpy()
    return Image.frombytes(MODES[channels], (pixels.shape[2], pixels.shape[1]), rows.tobytes())


def encode_png(picture: Image.Image) -> bytes:
    """Encode a Pillow image as a PNG that says who made it."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True, **mark_png())
    return buffer.getvalue()


def _draw_paths(points: Tensor, steps: int) -> bytes:
    """Draw each `steps` points as a line of its own, with a circle around the first."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes: Any = figure.add_subplot()
    for path in torch.split(points, steps):
        places = (range(1, steps + 1), path[:, 0]) if points.shape[1] == 1 else path.T[:2]
        (line,) = axes.plot(*places, "o-", markersize=4, linewidth=0.8)
        if points.shape[1] > 1:
            axes.plot(*path[0, :2], "o", markersize=9, markerfacecolor="none", color=line.get_color())
    if points.shape[1] == 1:
        axes.set_xlabel("step")
    return _encode_figure(figure)


def _encode_figure(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": MARK})
    return buffer.getvalue()


def _draw_scatter(points: Tensor, reference: Tensor | None) -> bytes:
    """Draw points over `reference` points by their first two coordinates, or as histograms if they have only one."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes: Any = figure.add_subplot()
    for cloud, colour, label in ((reference, "0.75", "data"), (points, "tab:blue", "generated")):
        if cloud is None:
            continue
        if cloud.shape[1] == 1:
            axes.hist(cloud[:, 0].numpy(), bins=100, density=True, color=colour, alpha=0.7, label=label)
        else:
            axes.scatter(cloud[:, 0].numpy(), cloud[:, 1].numpy(), s=4, color=colour, label=label)
    if reference is not None:
        figure.legend(loc="outside upper right", ncols=2, frameon=False)  # off the plot, where points may lie anywhere
    return _encode_figure(figure)
