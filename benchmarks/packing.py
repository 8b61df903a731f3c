"""How fast `zerosum pack` packs many small files, and whether its memory grows with their number.

Usage: python benchmarks/packing.py [FILES]

Makes so many JPEG files of 96x96 pixels (200,000 by default) in a temporary folder, packs a quarter of them and then
all to 64x64 by the installed command, each from the start of the process to its end. Memory is what the command and
its processes hold together at their peak, looked at ten times a second: that of their own, and with the pages of files
that are mapped, which the system may take back. Linux only. Results are written to results/packing.json.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from protocol import COMMAND, write

FILES, SIDE, SIZE, QUALITY = 200_000, 96, 64, 90
COARSE = 12  # pixels of which a picture is enlarged; no two pictures are alike
EVERY = 0.1  # seconds between two looks at the memory
FIELDS = {"RssAnon": "MB at most, their own", "VmRSS": "MB at most, with mapped files"}


def make_files(folder: Path, begin: int, end: int) -> None:
    """Write the pictures with these numbers."""
    folder.mkdir(exist_ok=True)
    for number in range(begin, end):
        coarse = np.random.default_rng(number).integers(0, 256, (COARSE, COARSE, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number:06d}.jpg", quality=QUALITY)


def list_family(process: int) -> list[int]:
    """List a process and all that it started and what these started, as far as they still run."""
    try:
        started = [each.read_text() for each in Path(f"/proc/{process}/task").glob("*/children")]
    except OSError:
        return []
    return [process, *(each for child in " ".join(started).split() for each in list_family(int(child)))]


def read_memory(process: int) -> dict[str, float]:
    """Return the megabytes that a process holds; none of one that has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return {}
    values = dict(line.split(":", 1) for line in lines)
    return {field: int(values[field].split()[0]) / 1024 for field in FIELDS if field in values}


def pack(folder: Path, out: Path, count: int) -> dict[str, float]:
    """Pack the folder, and return how fast and in how much memory."""
    began, peak = time.monotonic(), dict.fromkeys(FIELDS, 0.0)
    process = subprocess.Popen([str(COMMAND), "pack", str(folder), "--size", str(SIZE), "--out", str(out)])
    while process.poll() is None:
        held = [read_memory(each) for each in list_family(process.pid)]
        for field in FIELDS:
            peak[field] = max(peak[field], sum(each.get(field, 0.0) for each in held))
        time.sleep(EVERY)
    seconds = time.monotonic() - began
    assert process.returncode == 0
    memory = {words: round(peak[field]) for field, words in FIELDS.items()}
    return {"seconds": round(seconds, 1), "files a second": round(count / seconds), **memory}


def main(files: str = str(FILES)) -> None:
    """Pack a quarter of the files, and all."""
    table, made = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        for count in (int(files) // 4, int(files)):
            make_files(Path(folder, "files"), made, count)
            made = count
            table[f"{count:,} files"] = pack(Path(folder, "files"), Path(folder, f"pack-{count}"), count)
    protocol = (
        f"JPEG files of {SIDE}x{SIDE} (quality {QUALITY}) just written, so in memory, packed to {SIZE}x{SIZE}; once"
    )
    write("packing", protocol, table)


if __name__ == "__main__":
    main(*sys.argv[1:])
