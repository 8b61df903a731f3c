"""Draw time for each image against batch, width and size, from what speed.py measured on two machines.

Usage: python benchmarks/curves.py

Reads results/speed.json and results/speed-tiles.json, and writes docs/speed.png.
"""

import re
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure
from protocol import read_figures

MACHINES = {
    "speed": "EPYC, bfloat16 instructions",
    "speed-tiles": "Xeon, bfloat16 tiles",
}
Cases = dict[str, dict[str, float]]


def find(cases: Cases, pattern: str) -> list[tuple[int, float]]:
    """Return (number in the name, milliseconds an image) of the cases whose names fit, in order."""
    found = [(match, each["ms an image"]) for name, each in cases.items() if (match := re.fullmatch(pattern, name))]
    return sorted((int(match[1]), milliseconds) for match, milliseconds in found)


def batches(cases: Cases) -> list[tuple[int, float]]:
    """Of width 8 at 64 pixels."""
    usual = [(32, cases["compact networks.width=8 64x64"]["ms an image"])]
    return sorted(find(cases, r"compact networks\.width=8 batch_size=(\d+) 64x64") + usual)


def widths(cases: Cases) -> list[tuple[int, float]]:
    """In batches of 32 at 64 pixels; the recipe's own width is 32."""
    usual = [(32, cases["compact 64x64"]["ms an image"])]
    return sorted(find(cases, r"compact networks\.width=(\d+) 64x64") + usual)


def sizes(cases: Cases) -> list[tuple[int, float]]:
    """Of width 8 in batches of 32."""
    return find(cases, r"compact networks\.width=8 (\d+)x\d+")


AXES: dict[str, Callable[[Cases], list[tuple[int, float]]]] = {
    "images in a batch": batches,
    "width of the networks": widths,
    "pixels a side": sizes,
}


def main() -> None:
    """Draw the three curves of both machines."""
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    for axes, (label, choose) in zip(figure.subplots(1, len(AXES)), AXES.items(), strict=True):
        for file, machine in MACHINES.items():
            points = choose(read_figures(file)["(d, e, g)"])
            axes.plot(*zip(*points, strict=True), marker="o", label=machine)
        axes.set(xscale="log", xlabel=label, ylim=(0, None))
        axes.set_xticks([place for place, _ in points], [str(place) for place, _ in points])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("ms an image")
    figure.axes[0].legend()
    figure.savefig(Path(__file__).parents[1] / "docs" / "speed.png", dpi=110)


if __name__ == "__main__":
    main()
