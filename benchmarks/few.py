"""What few photos give: the recipe `photos` on 20 to 8,371 photos, and dogs from a generator of cats.

Usage: python benchmarks/few.py PHOTOS.zip OTHERS.npz RUNS [COUNT ...]

Takes 2,000 photos of the archive, drawn with seed 0, to test with, and the first 25, 250, 2,500 and 10,500 of the
others to train on (a fifth of which `train` keeps). Trains on each the same iterations; then on OTHERS from scratch,
from the run on all photos, and from it with the first layers of the discriminator frozen. A run that is finished in the
folder RUNS is only read. With COUNTs, only these of the first runs are played. Results are added to results/few.json.
"""

import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from protocol import COMMAND, read_figures, write

from zerosum import records
from zerosum.records import ScoreRecord
from zerosum.run_folder import RunFolder

COUNTS, TESTING = (25, 250, 2_500, 10_500), 2_000
ITERATIONS, FINE_TUNING = 1_200, 800
SETTINGS = ("--recipe", "photos", "--set", "networks.width=16", "--set", "precision=bfloat16")
SCORES = ("frechet-distance", "kernel-distance", "precision", "coverage", "variety")
PROTOCOL = (
    f"recipe photos of width 16 at 64x64, bfloat16, one thread, one seed, {ITERATIONS:,} iterations ({FINE_TUNING} for "
    "fine-tuning); scores in EfficientNet-Lite0's features, which the discriminator learned from: of cats against "
    "2,000 photos that no run saw, of dogs against their test split; what is called `before` was played with 1,500 "
    "iterations of the recipe before it smoothed images and had them seen at 128 pixels, on an AMD EPYC"
)


def divide(archive: Path, folder: Path) -> None:
    """Write the photos to test with, and the first of the others, to folders of their own."""
    with zipfile.ZipFile(archive) as photos:
        names = sorted(name for name in photos.namelist() if name.lower().endswith(".jpg"))
        random.Random(0).shuffle(names)  # noqa: S311  # the same photos each time
        parts = {"test": names[:TESTING]} | {f"cats{count}": names[TESTING:][:count] for count in COUNTS}
        for part, members in parts.items():
            (folder / part).mkdir(parents=True, exist_ok=True)
            for name in members:
                (folder / part / Path(name).name).write_bytes(photos.read(name))


def train(data: Path, out: Path, *options: object) -> None:
    """Train on one thread, unless the run is there."""
    if (out / "report.html").exists():
        return
    size = ("--size", "64") if data.is_dir() else ()
    call = [COMMAND, "train", data, *SETTINGS, *size, "--out", out, *options]
    subprocess.run([*map(str, call)], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def score(run: Path, against: Path, reference: str) -> dict[str, Any]:
    """Score a run against photos that it did not see."""
    call = [COMMAND, "evaluate", run, "--against", against, "--reference", reference, "--features", "efficientnet"]
    done = subprocess.run([*map(str, call), "--json", "-"], check=True, capture_output=True, text=True)
    lines = map(json.loads, done.stdout.splitlines())
    own = {each.score.metric: each.score.value for each in records.read(RunFolder(run), ScoreRecord)}
    copied = {"nearer-than-real, against its own photos": round(own["nearer-than-real"], 3)}
    return {each["metric"]: round(each["value"], 3) for each in lines if each["metric"] in SCORES} | copied


def main(archive: str, others: str, runs: str, *counts: str) -> None:
    """Train, score, and add to the table."""
    folder = Path(runs)
    divide(Path(archive), folder / "photos")
    table = read_figures("few")
    for count in [int(each) for each in counts] or COUNTS:
        run = folder / f"cats{count}"
        train(folder / "photos" / f"cats{count}", run, "--steps", ITERATIONS)
        table[f"{count:,} photos"] = score(run, folder / "photos" / "test", "all")
    if counts:
        write("few", PROTOCOL, table)
        return
    start = folder / f"cats{COUNTS[-1]}"
    ways: dict[str, tuple[object, ...]] = {
        "scratch": (),
        "from": ("--from", start),
        "freeze2": ("--from", start, "--freeze", 2),
    }
    for way, options in ways.items():
        train(Path(others), folder / f"dogs-{way}", "--steps", FINE_TUNING, *options)
        table[f"dogs, {way}"] = score(folder / f"dogs-{way}", Path(others), "test")
    write("few", PROTOCOL, table)


if __name__ == "__main__":
    main(*sys.argv[1:])
