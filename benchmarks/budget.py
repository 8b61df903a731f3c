"""What a number of minutes of one core buys: quality against width, penalties and the rest, at equal seconds.

Usage: python benchmarks/budget.py DATA MINUTES SEEDS RUNS SETTING [SETTING ...]

Trains on DATA for MINUTES with each SETTING, changes of the recipe separated by spaces ("" is the default as it is; the
first word may be `recipe=NAME`), and each of the SEEDS ("0,1,2"). Each run has a core and a thread of its own, as many
at a time as there are cores; runs lie in the folder RUNS, and one that is finished there is only read. Scores are those
at the end of each run. Results are added to results/budget.json.
"""

import hashlib
import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any

from protocol import COMMAND, last_iteration, read_figures, write

from zerosum import records
from zerosum.records import ScoreRecord
from zerosum.run_folder import RunFolder

SCORES = ("frechet-distance", "kernel-distance", "precision", "recall", "coverage", "variety", "nearer-than-real")
PROTOCOL = (
    "one thread on a core of its own for each run, two at a time on two cores, nothing beside them; --minutes counts "
    "preparation, training and scores; scores are those printed at the end of the run"
)


def train(data: str, minutes: float, seed: int, setting: str, runs: Path, core: int) -> Path:
    """Train one run on one core, unless it is there; return its folder."""
    words = setting.split()
    recipe = words.pop(0).removeprefix("recipe=") if setting.startswith("recipe=") else "auto"
    digest = hashlib.blake2b(f"{data} {minutes} {seed} {setting}".encode(), digest_size=5).hexdigest()
    out = runs / f"{Path(data).stem}-{minutes:g}-{seed}-{digest}"
    if (out / "report.html").exists():
        return out
    changes = [word for change in words for word in ("--set", change)]
    size = ["--size", "64"] if Path(data).suffix == ".zip" or Path(data).is_dir() else []
    call = [str(COMMAND), "train", data, "--recipe", recipe, "--minutes", f"{minutes:g}", "--seed", str(seed)]
    subprocess.run(
        ["taskset", "-c", str(core), *call, "--out", str(out), *size, *changes],
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    return out


def read(run: Path) -> dict[str, Any]:
    """Return what a finished run made of its minutes."""
    folder, last = RunFolder(run), last_iteration(run)
    about = folder.describe()
    scores = {
        each.score.metric: round(each.score.value, 3)
        for each in records.read(folder, ScoreRecord)
        if each.step == about["steps"] and each.score.metric in SCORES
    }
    return {
        "iterations": about["steps"],
        "seconds": round(last.seconds),
        "computed in": about["precision"],
        "pair accuracy": round(last.pair_accuracy, 3),
        **scores,
    }


def main(data: str, minutes: str, seeds: str, runs: str, *settings: str) -> None:
    """Train, read, and add to the table."""
    cores: Queue[int] = Queue()
    for core in range(os.cpu_count() or 1):
        cores.put(core)

    def work(task: tuple[str, str]) -> dict[str, Any]:
        core = cores.get()
        try:
            run = train(data, float(minutes), int(task[0]), task[1], Path(runs), core)
        finally:
            cores.put(core)
        found = read(run)
        print(json.dumps({"setting": task[1], "seed": task[0], **found}), flush=True)
        return found

    tasks = list(itertools.product(seeds.split(","), settings))
    with ThreadPoolExecutor(cores.qsize()) as pool:
        found = list(pool.map(work, tasks))
    figures = read_figures("budget")
    table = figures.setdefault(f"{Path(data).stem}, {float(minutes):g} minutes", {})
    for (seed, setting), each in zip(tasks, found, strict=True):
        table.setdefault(setting or "default", {})[seed] = each
    write("budget", PROTOCOL, figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
