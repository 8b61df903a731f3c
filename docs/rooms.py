"""Draw docs/rooms.png, the rooms of the code and who imports whom, and list the arrows in docs/design.md.

Usage: python docs/rooms.py [--check]
"""

import itertools
import sys
import tomllib
from pathlib import Path

import grimp
from matplotlib.figure import Figure

ROOT = Path(__file__).parents[1]
PAGE, PICTURE = ROOT / "docs" / "design.md", ROOT / "docs" / "rooms.png"
BEGIN, END = "<!-- arrows: python docs/rooms.py -->\n", "<!-- end of arrows -->"
PACKAGE = "zerosum"
HALF = 0.17  # of a room's height, in layers
WIDE, LETTER, FRAME = 10.0, 0.077, 0.3  # the picture's width, and those of a letter and of a room without any


def layers() -> list[list[str]]:
    """Read the layers from pyproject.toml, top to bottom."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    lines = [line for line in contracts[0]["layers"] if line != "__main__"]  # a door, no room
    return [[room.strip() for room in line.split("|")] for line in lines]


def imports() -> dict[str, set[str]]:
    """Find for each room the rooms that its files import."""
    graph = grimp.build_graph(PACKAGE)
    found: dict[str, set[str]] = {room: set() for line in layers() for room in line}
    for module in graph.modules:
        parts = module.split(".")
        if len(parts) > 1 and parts[1] in found:
            targets = {each.split(".")[1] for each in graph.find_modules_directly_imported_by(module) if "." in each}
            found[parts[1]] |= targets - {parts[1]}
    return found


def reduced(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out each arrow that a longer way replaces, so that the picture can be read."""

    def reachable(room: str) -> set[str]:
        return arrows[room].union(*(reachable(each) for each in arrows[room]))

    return {
        room: {each for each in targets if not any(each in reachable(other) for other in targets - {each})}
        for room, targets in arrows.items()
    }


def spread(row: list[str]) -> dict[str, float]:
    """Return where the middles of a row's rooms are, with the same space between any two."""
    widths = [FRAME + LETTER * len(room) for room in row]
    space = (WIDE - sum(widths)) / (len(row) + 1)
    ends = itertools.accumulate(space + width for width in widths)
    return {room: end - width / 2 for room, end, width in zip(row, ends, widths, strict=True)}


def draw(arrows: dict[str, set[str]]) -> None:
    """Draw the rooms in their layers; an arrow points at what is imported."""
    rows = layers()
    figure = Figure(figsize=(11, 8.5), layout="constrained")
    axes = figure.add_subplot()
    places = {room: (x, len(rows) - number) for number, row in enumerate(rows) for room, x in spread(row).items()}
    for room, targets in reduced(arrows).items():
        for target in targets:
            (x, y), (left, top) = places[target], places[room]
            style = {"arrowstyle": "-|>", "color": "0.55", "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", xy=(x, y + HALF), xytext=(left, top - HALF), arrowprops=style)
    for room, (x, y) in places.items():
        box = {"boxstyle": "round,pad=0.45", "facecolor": "#eef3fa", "edgecolor": "#4a6fa5"}
        axes.text(x, y, room, ha="center", va="center", fontsize=11, bbox=box, zorder=3)
    axes.set_xlim(0, WIDE)
    axes.set_ylim(0.4, len(rows) + 0.6)
    axes.axis("off")
    figure.savefig(PICTURE, dpi=110)


def as_list(arrows: dict[str, set[str]]) -> str:
    """Write all arrows as a list, a room a line."""
    return "".join(f"- `{room}`: {', '.join(f'`{each}`' for each in sorted(arrows[room])) or '-'}\n" for room in arrows)


def main() -> None:
    """Write the page and the picture, or say that the page is out of date."""
    arrows = imports()
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    page = before + BEGIN + as_list(arrows) + END + after
    if "--check" in sys.argv[1:]:
        if page != PAGE.read_text():
            sys.exit("docs/design.md is out of date: run 'make docs'")
        return
    PAGE.write_text(page)
    draw(arrows)


if __name__ == "__main__":
    main()
