"""Pictures of samples: one image, a grid of images, or a plot of points; and the formats they are written in.

Every picture says in its metadata that zerosum made it: a PNG as text "Software", JPEG and WebP in EXIF, a GIF in its
comment.
"""

import contextlib
import io
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import ExifTags, Image, PngImagePlugin
from torch import Tensor

from zerosum.data import MODES
from zerosum.data.generated import MARK, is_generated

GAP, LEAST_SIDE = 2, 32
BINS = 200  # of a histogram
SOFTWARE = f"{MARK} {version(MARK)}"
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".gif": "GIF"}
MOST_SIDE = {"PNG": 1_000_000, "JPEG": 65_500, "WEBP": 16_383, "GIF": 65_535}
MOST_PIXELS = 89_478_485  # more than that, and Pillow warns of a decompression bomb when it opens the file
MPEG_TAGS = 1_000_000  # where an MP4 file that is made for streaming has its comment


@dataclass(frozen=True)
class Grid:
    """Where the images of a grid lie; all sizes are in pixels.

    Attributes:
        rows, columns: how many images below and beside each other.
        factor: by which each is enlarged, a whole number.
        height, width: of an enlarged image.
    """

    rows: int
    columns: int
    factor: int
    height: int
    width: int

    @classmethod
    def of(cls, count: int, height: int, width: int, columns: int | None = None) -> "Grid":
        """Lay out `count` images in `columns`, else as square as possible; small ones are enlarged."""
        factor = max(1, math.ceil(LEAST_SIDE / min(height, width)))
        columns = columns or math.ceil(math.sqrt(count * height / width))
        return cls(math.ceil(count / columns), columns, factor, height * factor, width * factor)

    @property
    def size(self) -> tuple[int, int]:
        """Of the whole picture: (height, width)."""
        return self.rows * (self.height + GAP) + GAP, self.columns * (self.width + GAP) + GAP


def draw_samples(samples: Tensor, reference: Tensor | None = None, columns: int | None = None) -> Image.Image:
    """Draw `samples`: one image as it is, several (uint8 [N, C, H, W]) as a grid, float32 [N, d] as a scatter.

    Points are drawn over `reference` points. With `columns`, they are interpolations of so many steps, each drawn as a
    line, and images always become a grid.
    """
    if samples.ndim == 4:
        return to_pillow(samples[0]) if len(samples) == 1 and columns is None else _draw_grid(samples, columns)
    return _draw_paths(samples, columns) if columns else _draw_scatter(samples, reference)


def _draw_grid(images: Tensor, columns: int | None) -> Image.Image:
    """Draw a grid on white; a last row that is not full stays blank."""
    grid = Grid.of(len(images), images.shape[2], images.shape[3], columns)
    images = images.repeat_interleave(grid.factor, 2).repeat_interleave(grid.factor, 3)
    canvas = np.full((*grid.size, images.shape[1]), 255, np.uint8)
    for number, each in enumerate(images.permute(0, 2, 3, 1).numpy()):
        row, column = divmod(number, grid.columns)
        top, left = GAP + row * (GAP + grid.height), GAP + column * (GAP + grid.width)
        canvas[top : top + grid.height, left : left + grid.width] = each
    return to_pillow(torch.from_numpy(canvas).permute(2, 0, 1))


def to_pillow(pixels: Tensor) -> Image.Image:
    """Convert uint8 [C, H, W] to a Pillow image: grey, grey and alpha, RGB or RGBA; of more, the first three."""
    pixels = select_shown(pixels[None], None)[0]
    channels = pixels.shape[0]
    rows = pixels.permute(1, 2, 0).contiguous().numpy()
    return Image.frombytes(MODES[channels], (pixels.shape[2], pixels.shape[1]), rows.tobytes())


def draw_rows(rows: Sequence[Tensor]) -> Image.Image:
    """Draw rows of images, uint8 [n, C, H, W] each, below each other; shorter ones end in white."""
    columns = max(map(len, rows))
    whole = [F.pad(row, (0, 0, 0, 0, 0, 0, 0, columns - len(row)), value=255) for row in rows]
    return draw_samples(torch.cat(whole), columns=columns)


def select_shown(samples: Tensor, shown: Sequence[int] | None) -> Tensor:
    """Select the channels of images [N, C, H, W] that pictures show: `shown`, or all of up to four, or the first three.

    Points [N, d] are left as they are.
    """
    if samples.ndim == 4 and (shown or samples.shape[1] > max(MODES)):
        return samples[:, list(shown or range(3))]
    return samples


def encode(picture: Image.Image, about: str = "", kind: str = "PNG") -> bytes:
    """Encode a Pillow image as PNG, JPEG (of high quality), WebP (lossless) or GIF (of 256 colours), with its origin.

    `about` says which run, seed and so on it comes from.
    """
    buffer = io.BytesIO()
    picture.save(buffer, kind, **_options(kind), **mark(kind, about))
    return buffer.getvalue()


def _options(kind: str) -> dict[str, Any]:
    if kind == "JPEG":
        return {"quality": 95, "subsampling": 0}
    if kind == "WEBP":
        return {"lossless": True, "exact": True}
    return {"optimize": True} if kind == "PNG" else {}


def mark(kind: str, about: str = "") -> dict[str, Any]:
    """Return the options for Pillow's `save` that write into a file who made it, and what it is."""
    if kind == "GIF":
        return {"comment": describe(about).encode()}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Software", SOFTWARE)
        if about:
            text.add_text("Description", about)
        return {"pnginfo": text}
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = SOFTWARE
    if about:
        exif[ExifTags.Base.ImageDescription] = about
    return {"exif": exif}


def describe(about: str) -> str:
    """Return who made a file and what it is, in one line, for formats that have one comment only."""
    return f"{SOFTWARE}: {about}" if about else SOFTWARE


def is_ours(path: Path) -> bool:
    """Tell whether the picture, film or archive at `path` says that zerosum made it."""
    with contextlib.suppress(OSError, zipfile.BadZipFile):
        if path.suffix.lower() == ".mp4":
            with path.open("rb") as file:
                return f"{MARK} ".encode() in file.read(MPEG_TAGS)
        if path.suffix.lower() in (".zip", ".npz"):
            with zipfile.ZipFile(path) as archive:
                return archive.comment.startswith(MARK.encode())
        return is_generated(path.read_bytes())
    return False


def encode_figure(figure: Any, dpi: int) -> bytes:
    """Encode a Matplotlib figure as a PNG that says that zerosum made it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": SOFTWARE})
    return buffer.getvalue()


def _rasterise(figure: Any) -> Image.Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _draw_paths(points: Tensor, steps: int) -> Image.Image:
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
    return _rasterise(figure)


def _draw_scatter(points: Tensor, reference: Tensor | None) -> Image.Image:
    """Draw points over `reference` points by their first two coordinates, or as histograms if they have only one.

    The picture reaches half the extent of the reference beyond it on each side, wherever the points are, so that the
    pictures of a training can be laid over each other; how many points lie outside is written into it.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes: Any = figure.add_subplot()
    limits = None if reference is None else _frame(reference[:, :2])
    for cloud, colour, label in ((reference, "0.75", "data"), (points, "tab:blue", "generated")):
        if cloud is None:
            continue
        if cloud.shape[1] == 1:
            low, high = (_frame(cloud) if limits is None else limits)[:, 0].tolist()
            counts, edges = np.histogram(cloud[:, 0].numpy(), np.linspace(low, high, BINS + 1))
            density = counts / (len(cloud) * (edges[1] - edges[0]))  # of all, also those outside
            axes.stairs(density, edges, fill=True, color=colour, alpha=0.7, label=label)
        else:
            axes.scatter(cloud[:, 0].numpy(), cloud[:, 1].numpy(), s=4, color=colour, label=label)
    if reference is not None and limits is not None:
        figure.legend(loc="outside upper right", ncols=2, frameon=False)  # off the plot, where points may lie anywhere
        _show_extent(axes, points[:, :2], limits)
    return _rasterise(figure)


def _frame(points: Tensor) -> Tensor:
    """Return the lower and the upper limit of a plot, [2, d], that leaves room for half as much again on each side."""
    low, high = points.amin(0), points.amax(0)
    margin = ((high - low) / 2).clamp(min=torch.finfo(points.dtype).eps)
    return torch.stack([low - margin, high + margin])


def _show_extent(axes: Any, points: Tensor, limits: Tensor) -> None:
    """Show what lies within the limits, and say how many points do not."""
    axes.set_xlim(*limits[:, 0].tolist())
    if points.shape[1] > 1:
        axes.set_ylim(*limits[:, 1].tolist())
    outside = int(((points < limits[0]) | (points > limits[1])).any(1).sum())
    axes.set_title(f"{outside:,} of {len(points):,} generated points lie outside", loc="left", fontsize=9)
