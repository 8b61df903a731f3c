"""Kill runs with -9 at random moments, resume them, and look whether anything was lost.

Usage: python benchmarks/soak.py [KILLS [SEED]]

A folder of PNG files is packed and trained on, with a checkpoint every fifth of a second. Each process is killed after
a random time, in whatever it does then, and `zerosum resume` (or, where there was no run yet, `zerosum train`) goes on,
until the run is finished; then the next run begins, with an empty cache, until there were so many KILLS. After each
kill every file that is there must be whole; at each run's end its weights and metrics must be those of a run that
nobody killed, with each step once. Results: results/soak.json.
"""

import collections
import hashlib
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import safetensors.torch
from PIL import Image
from protocol import read_figures, write

KILLS = 8  # of a run; then it is let go on to its end
STEPS, IMAGES, SIDE, LONGEST = 400, 600, 16, 25.0  # seconds until a kill, at most
OFTEN = "import zerosum.run.trainer as t; t.CHECKPOINT_SECONDS = 0.2; from zerosum.cli import main; main()"
WORDS = ("--steps", str(STEPS), "--recipe", "dcgan", "--set", "networks.width=8", "--set", "batch_size=16")
WORDS += ("--set", "threads=1", "--set", "precision=float32", "--out", "run")


def write_images(folder: Path) -> None:
    """Write blobs of different places and sizes."""
    rng, (rows, columns) = np.random.default_rng(0), np.mgrid[:SIDE, :SIDE]
    folder.mkdir()
    for number in range(IMAGES):
        row, column, width = rng.uniform(4, 12, 3)
        blob = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / width)
        Image.fromarray((255 * blob).astype(np.uint8)).save(folder / f"{number:04d}.png")


def start(place: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start the command."""
    environment = {**os.environ, "ZEROSUM_CACHE": str(place / "cache"), "OMP_NUM_THREADS": "1"}
    with (place / "output.txt").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-c", OFTEN, *words], cwd=place, env=environment, stdout=output, stderr=output
        )


def begin_or_resume(place: Path) -> subprocess.Popen[bytes]:
    """Train, or go on where there is a run with a checkpoint."""
    if any((place / "run" / "checkpoints").glob("*.json")):
        return start(place, "resume", "run")
    for file in (place / "run").rglob("*"):  # what a user would do with a run that has not begun
        if file.is_file():
            file.unlink()
    return start(place, "train", "../images", *WORDS)


def name_phase(place: Path) -> str:
    """Tell from the files what the process was doing."""
    run = place / "run"
    if not any(place.glob("cache/packs/*/pack.json")):
        return "imports or packing"
    if not any((run / "checkpoints").glob("*.json")):
        return "before the first checkpoint"
    if not (run / "generator.safetensors").exists():
        return "training, with pictures, checkpoints and scores"
    return "scores at the end, or the report"


def find_damage(run: Path) -> list[str]:
    """List what is not whole among the files that can be seen."""
    damage = []
    for file in run.rglob("*"):
        if file.name.startswith(".") or not file.is_file():
            continue
        try:
            if file.suffix == ".json":
                json.loads(file.read_bytes())
            elif file.suffix == ".safetensors":
                safetensors.torch.load(file.read_bytes())
            elif file.suffix == ".png":
                Image.open(file).load()
            elif file.suffix == ".html" and not file.read_text().rstrip().endswith("</html>"):
                damage.append(f"{file.name} ends early")
        except Exception as error:  # whatever it is, the file is not whole
            damage.append(f"{file.name}: {type(error).__name__}")
    for file in (run / "checkpoints").glob("*.json"):
        tensors = file.with_suffix(".safetensors").read_bytes()
        if hashlib.sha256(tensors).hexdigest() != json.loads(file.read_bytes())["sha256"]:
            damage.append(f"{file.stem}: another digest")
    return damage


def summarize(run: Path) -> tuple[str, list[dict[str, object]]]:
    """Return a digest of the final weights, and the metrics without their seconds."""
    final = run / "checkpoints" / f"{STEPS:06d}.safetensors"
    weights = hashlib.sha256(final.read_bytes() + (run / "generator.safetensors").read_bytes()).hexdigest()
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return weights, [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def main(kills: str = "200", seed: str = "0") -> None:
    """Kill so often, and write what was found."""
    draw, phases = random.Random(int(seed)), collections.Counter[str]()  # noqa: S311
    problems, runs, began = list[str](), 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder, "images"))
        whole = Path(folder, "whole")
        whole.mkdir()
        assert start(whole, "train", "../images", *WORDS).wait() == 0, (whole / "output.txt").read_text()
        expected = summarize(whole / "run")
        while sum(phases.values()) < int(kills):
            place = Path(folder, f"killed-{runs}")
            place.mkdir()
            for number in itertools.count():
                process, patience = begin_or_resume(place), draw.uniform(0, LONGEST)
                try:
                    done = number >= KILLS or sum(phases.values()) >= int(kills)
                    code = process.wait(timeout=None if done else patience)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    phases[name_phase(place)] += 1
                    problems += find_damage(place / "run")
                    print(f"{runs} {dict(phases)} {problems}", file=sys.stderr, flush=True)
                    continue
                last = (place / "output.txt").read_text().splitlines()[-1]
                if code and "is finished after" not in last:  # killed when its last file was written
                    problems.append(f"exit {code}: {last}")
                break
            runs += 1
            if not problems and summarize(place / "run") != expected:
                problems.append(f"run {runs} ended otherwise")
            print(runs, dict(phases), problems, flush=True)
    found = {
        "kills": dict(phases),
        "runs": runs,
        "problems": problems,
        "minutes": round((time.monotonic() - began) / 60),
    }
    figures = read_figures("soak") | {f"seed {seed}": found}
    write("soak", f"{STEPS} iterations on {IMAGES} images; kill -9 after 0 to {LONGEST:g} s", figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
