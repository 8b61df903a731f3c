"""How the demonstrations draw: one colour for each player, pictures as PNG, movies as GIF."""

import io
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from zerosum.data.generated import MARK

T = TypeVar("T")
DATA, GENERATOR, DISCRIMINATOR, FAINT = "black", "tab:green", "tab:blue", "0.6"  # the colours of the paper's figure 1
DPI, FRAME_DPI = 110, 80
FRAME_MILLISECONDS, LAST_MILLISECONDS = 120, 2_500
MOST_COLOURS = 64


def create_figure(width: float, height: float) -> Figure:
    """Create an empty figure; sizes are in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def label_axes(axes: Any, title: str = "", x: str = "", y: str = "") -> None:
    """Set the title and the axes' labels in small print, and hide the upper and the right border."""
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def add_legend(axes: Any, **where: Any) -> None:
    """Add a legend without a frame."""
    axes.legend(frameon=False, fontsize=8, **where)


def encode_png(figure: Figure) -> bytes:
    """Encode the figure as a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": MARK})
    return buffer.getvalue()


def encode_gif(figure: Figure, states: Iterable[T], show: Callable[[T], None]) -> bytes:
    """Encode a movie that repeats for ever and rests on its last frame: the figure after `show(state)`, for each state.

    `show` only changes what is drawn already: a figure is laid out once, which is what takes long. All frames share the
    colours of the last one.
    """
    painter = FigureCanvasAgg(figure)
    figure.set_dpi(FRAME_DPI)
    frames = []
    for state in states:
        show(state)
        painter.draw()  # type: ignore[no-untyped-call]
        figure.set_layout_engine("none")
        size = painter.get_width_height()
        pixels = painter.buffer_rgba()  # type: ignore[no-untyped-call]
        frames.append(Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1).convert("RGB"))
    palette = frames[-1].quantize(MOST_COLOURS, Image.Quantize.MAXCOVERAGE)
    first, *others = (each.quantize(palette=palette, dither=Image.Dither.NONE) for each in frames)
    durations = [FRAME_MILLISECONDS] * len(others) + [LAST_MILLISECONDS]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=durations, loop=0, comment=MARK)
    return buffer.getvalue()
