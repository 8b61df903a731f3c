"""Run every demonstration of `zerosum theory`: note what it finds, its seconds of one core, and its pictures.

Usage: python benchmarks/theory.py. docs/paper.md shows all of it.
"""

import time
from pathlib import Path

import torch
from protocol import write

from zerosum import catalog
from zerosum.demonstrations import Demonstration

PICTURES = Path(__file__).parents[1] / "docs" / "theory"


def main() -> None:
    """Run all of them with seed 0."""
    torch.set_num_threads(1)
    PICTURES.mkdir(exist_ok=True)
    figures = {}
    for name, demonstration in catalog.choices(Demonstration).items():
        began = time.process_time()
        shown = demonstration().show(0)
        seconds = round(time.process_time() - began, 1)  # of a core, which others cannot take away
        (PICTURES / f"{name}.png").write_bytes(shown.picture)
        if shown.movie is not None:
            (PICTURES / f"{name}.gif").write_bytes(shown.movie)
        tables = [{"title": t.title, "columns": list(t.columns), "rows": t.format_rows()} for t in shown.tables]
        figures[name] = {
            "seconds": seconds,
            "opening": shown.opening,
            "tables": tables,
            "notes": list(shown.notes),
        }
        print(name, seconds, flush=True)
    write("theory", "`zerosum theory NAME --seed 0` on one thread; seconds of a core, without the start", figures)


if __name__ == "__main__":
    main()
