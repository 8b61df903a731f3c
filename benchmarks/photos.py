"""From photos to samples: time packing against Pillow alone and batches from a pack, and measure the memory of both.

Usage: python benchmarks/photos.py PHOTOS, a folder of photos of all sizes.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from protocol import write

from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source

ROUNDS, SIDE = 7, 64
SMALL_FILES, LARGE_IMAGES = 20_000, 175_000
MEMORY = """
import resource, sys
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
open_source(sys.argv[1], Preparation(size=(32, 32)))
print(before / 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
TRAINING = """
import sys, torch
from pathlib import Path
from zerosum.data import Split
import numpy as np
def anonymous():  # memory of the process's own: the page cache's share of a mapped file is not counted
    return next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith("RssAnon")) / 1024
mapped = np.memmap(sys.argv[1], np.uint8, "c", shape=(int(sys.argv[2]), 3, 64, 64))
split = Split(torch.from_numpy(mapped))
split.minibatch(64, 0, 0)
before = anonymous()
for number in range(len(split) // 64):
    split.minibatch(64, number, 0)
print(before, anonymous())
"""


def decode_with_pillow(file: str) -> bytes:
    """Do what a plain script does: decode at a reduced scale, upright, cut the centre, resize by Lanczos."""
    with Image.open(file) as image:
        scale = 2 * SIDE / min(image.size)
        image.draft("RGB", (round(image.size[0] * scale), round(image.size[1] * scale)))
        upright = ImageOps.exif_transpose(image.convert("RGB"))
        return ImageOps.fit(upright, (SIDE, SIDE), Image.Resampling.LANCZOS).tobytes()


def time_packing(photos: Path) -> dict[str, object]:
    """Time all of packing, interleaved with Pillow alone in two processes that are already running."""
    files = sorted(str(file) for file in photos.rglob("*.jpg"))
    ours, theirs = [], []
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(decode_with_pillow, files[:8]))
        for _ in range(ROUNDS):
            began = time.perf_counter()
            list(pool.map(decode_with_pillow, files, chunksize=8))
            theirs.append(time.perf_counter() - began)
            shutil.rmtree(Path(os.environ["ZEROSUM_CACHE"]) / "packs", ignore_errors=True)
            began = time.perf_counter()
            open_source(str(photos), Preparation(size=(SIDE, SIDE), boxes=False))
            ours.append(time.perf_counter() - began)
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {
        "files": len(files),
        "seconds": summarize(ours),
        "Pillow's seconds": summarize(theirs),
        "ratio": summarize(ratios),
    }


def time_batches() -> dict[str, object]:
    """Time batches of 64 from a pack of real size, and the first batch of a pack that exists already."""
    with tempfile.TemporaryDirectory() as folder:
        write_small_files(Path(folder), 2_000, SIDE)
        open_source(folder, Preparation(size=(SIDE, SIDE)))
        firsts, rates = [], []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            split = open_source(folder, Preparation(size=(SIDE, SIDE))).train
            split.minibatch(64, 0, 0)
            firsts.append(time.perf_counter() - began)
            began = time.perf_counter()
            for number in range(200):
                split.minibatch(64, number, 0)
            rates.append(200 * 64 / (time.perf_counter() - began))
    return {"seconds to the first batch of 2,000 files": summarize(firsts), "images per second": summarize(rates)}


def measure_memory() -> dict[str, object]:
    """Measure peak memory while 20,000 small files are packed, and its growth while a 2 GB pack is read through."""
    with tempfile.TemporaryDirectory() as folder:
        write_small_files(Path(folder), SMALL_FILES, 40)
        before, peak = run_script(MEMORY, folder)
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        row = np.random.default_rng(0).integers(0, 256, (LARGE_IMAGES // 100, 3, SIDE, SIDE), np.uint8).tobytes()
        for _ in range(100):
            file.write(row)
        start, end = run_script(TRAINING, file.name, str(LARGE_IMAGES // 100 * 100))
    return {
        f"packing {SMALL_FILES} files, MB": {"after the imports": before, "peak": peak},
        f"an epoch of a {LARGE_IMAGES * 3 * SIDE**2 / 2**30:.1f} GB pack, MB": {"first batch": start, "end": end},
    }


def run_script(script: str, *arguments: str) -> tuple[float, float]:
    """Run `script` in a new process and return the two figures that it prints, in whole megabytes."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True)
    before, after = (round(float(value)) for value in done.stdout.split())
    return before, after


def write_small_files(folder: Path, count: int, side: int) -> None:
    """Write PNGs of noise in two classes."""
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        (folder / label).mkdir()
    for number in range(count):
        pixels = rng.integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "ab"[number % 2] / f"{number:06d}.png", compress_level=0)


def summarize(values: list[float]) -> str:
    """Return median, smallest and largest value in words."""
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def main(photos: str) -> None:
    """Measure everything, with an empty cache folder."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["ZEROSUM_CACHE"] = cache
        figures = {"packing": time_packing(Path(photos)), "batches": time_batches(), "memory": measure_memory()}
    protocol = (
        f"{ROUNDS} interleaved rounds, median (smallest to largest), {SIDE}x{SIDE}, {torch.get_num_threads()} threads"
    )
    write("photos", protocol, figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
