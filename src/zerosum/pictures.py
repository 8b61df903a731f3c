"""Pictures of samples: a grid of images, or a scatter plot of points."""

import io
import math
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

GAP, LEAST_SIDE = 2, 32
MODES: dict[int, Literal["L", "LA", "RGB", "RGBA"]] = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # Pillow's, by channels


def png(samples: Tensor, reference: Tensor | None = None, columns: int | None = None) -> bytes:
    """A PNG that shows `samples`: uint8 [N, C, H, W] as a grid, float32 [N, d] as a scatter over `reference` points.

    Points told a number of columns are journeys of so many steps, each drawn as a line.
    """
    if samples.ndim == 4:
        return _grid(samples, columns)
    return _journeys(samples, columns) if columns else _scatter(samples, reference)


def _grid(images: Tensor, columns: int | None) -> bytes:
    """As square as possible unless told the number of columns, small images enlarged by a whole factor.

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
    return encoded(image(torch.from_numpy(canvas).permute(2, 0, 1)))


def image(pixels: Tensor) -> Image.Image:
    """uint8 [C, H, W] with 1 to 4 channels as a Pillow image: grey, grey and alpha, RGB or RGBA."""
    channels = pixels.shape[0]
    rows = pixels.permute(1, 2, 0).contiguous().numpy()
    return Image.frombytes(MODES[channels], (pixels.shape[2], pixels.shape[1]), rows.tobytes())


def encoded(picture: Image.Image) -> bytes:
    """As a PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _journeys(points: Tensor, steps: int) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes: Any = figure.add_subplot()
    for journey in torch.split(points, steps):
        places = (range(1, steps + 1), journey[:, 0]) if points.shape[1] == 1 else journey.T[:2]
        (line,) = axes.plot(*places, "o-", markersize=4, linewidth=0.8)
        if points.shape[1] > 1:
            axes.plot(*journey[0, :2], "o", markersize=9, markerfacecolor="none", color=line.get_color())  # the start
    if points.shape[1] == 1:
        axes.set_xlabel("step")
    return _drawn(figure)


def _drawn(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def _scatter(points: Tensor, reference: Tensor | None) -> bytes:
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
    return _drawn(figure)
