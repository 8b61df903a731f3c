"""How the demonstrations draw: one colour for each player, pictures as PNG, movies as GIF."""

import io
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

T = TypeVar("T")
DATA, GENERATOR, DISCRIMINATOR, FAINT = "black", "tab:green", "tab:blue", "0.6"  # the colours of the paper's figure 1
DPI, FRAME_DPI = 110, 80
FRAME_MILLISECONDS, LAST_MILLISECONDS = 120, 2_500
MOST_COLOURS = 64


def canvas(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    return Figure(figsize=(width, height), layout="constrained")


def tidy(axes: Any, title: str = "", x: str = "", y: str = "") -> None:
    """Name the axes, and take away what nobody reads."""
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def legend(axes: Any, **where: Any) -> None:
    """A legend without a frame."""
    axes.legend(frameon=False, fontsize=8, **where)


def png(figure: Figure) -> bytes:
    """The figure as a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()


def gif(figure: Figure, moments: Iterable[T], show: Callable[[T], None]) -> bytes:
    """A movie that runs for ever and rests on its last frame: the figure after `show(moment)`, for each moment.

    `show` only changes what is drawn already: a figure is laid out once, which is what takes long. All frames share the
    colours of the last one.
    """
    painter = FigureCanvasAgg(figure)
    figure.set_dpi(FRAME_DPI)
    frames = []
    for moment in moments:
        show(moment)
        painter.draw()  # type: ignore[no-untyped-call]
        figure.set_layout_engine("none")
        size = painter.get_width_height()
        pixels = painter.buffer_rgba()  # type: ignore[no-untyped-call]
        frames.append(Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1).convert("RGB"))
    palette = frames[-1].quantize(MOST_COLOURS, Image.Quantize.MAXCOVERAGE)
    first, *others = (each.quantize(palette=palette, dither=Image.Dither.NONE) for each in frames)
    durations = [FRAME_MILLISECONDS] * len(others) + [LAST_MILLISECONDS]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=durations, loop=0)
    return buffer.getvalue()
