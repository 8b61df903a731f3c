"""Change every kind of file that zerosum reads, thousands of times, and open it.

Usage: python benchmarks/fuzz.py [EACH [SEED [FORMAT ...]]]

For each format EACH changed files (default 1,500), of bytes and, where it has a structure, of its values: they are
read, or refused by an error of zerosum's own in one line. Anything else is a surprise, as is a file that takes more
than five seconds or makes the process grow by more than 500 MB. Results: results/fuzz.json.
"""

import os
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from protocol import write

sys.path.insert(0, str(Path(__file__).parents[1]))
SLOW, LARGE = 5.0, 500.0  # seconds, MB


def measure_peak() -> float:
    """Return the most memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(each: str = "1500", seed: str = "0", *names: str) -> None:
    """Change and open, and write what was found."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ZEROSUM_CACHE"] = str(Path(folder, "cache"))
        from tests.property.formats import find_surprise, make_formats

        table: dict[str, Any] = {}
        for kind in make_formats(Path(folder)):
            if names and kind.name not in names:
                continue
            kind.open()
            surprises, slowest, before = [], 0.0, measure_peak()
            for number in range(int(seed) * int(each), (int(seed) + 1) * int(each)):
                began = time.monotonic()
                if found := find_surprise(kind, number):
                    surprises.append(found)
                slowest = max(slowest, time.monotonic() - began)
            grown = measure_peak() - before
            if slowest > SLOW or grown > LARGE:
                surprises.append(f"slowest {slowest:.1f} s, grown by {grown:.0f} MB")
            row = {
                "changed": int(each),
                "surprises": surprises,
                "slowest, s": round(slowest, 2),
                "grown, MB": round(grown),
            }
            table[kind.name] = row
            print(
                kind.name,
                {**row, "surprises": sorted({text.split(": ", 1)[-1][:90] for text in surprises})},
                flush=True,
            )
    write("fuzz", f"{each} changed files of each format, seed {seed}", table)


if __name__ == "__main__":
    main(*sys.argv[1:])
