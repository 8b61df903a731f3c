"""What iterations buy: pictures and scores of the default recipes after 300 to 12,000 iterations, on four sets.

Usage: python benchmarks/iterations.py SETS RUNS INCEPTION.npz [NAME ...]

SETS holds cats96.zip, dogs64.npz, cifar10.npz and the folder mnist; INCEPTION.npz is what `evaluate --weights` takes.
Trains every run of PLAN, or those on the sets called NAME, one on each core with one thread; a run that is finished in
the folder RUNS is only read. Photos are scored in Inception's 768 features, which no player saw, and in
EfficientNet-Lite0's, which the discriminator learned from; digits in a classifier's. Budgets are iterations, not
seconds, so that what else the machine does changes nothing; `zerosum bench` says how many a minute has. Results are
added to results/iterations.json.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

from protocol import COMMAND, last_iteration, read_figures, write

from zerosum.run_folder import RunFolder

COUNT = 1_000  # samples, and at most as many real ones
SCORES = ("frechet-distance", "kernel-distance", "coverage", "precision", "recall", "variety")
PROTOCOL = (
    "one thread on a core of its own for each run, two at a time, other work beside them now and then: seconds are "
    f"upper bounds; one seed unless noted; {COUNT:,} samples of the average generator against as many of the test "
    "split (all, if it is smaller); kernel distances of Inception are as it computes them, not times 1,000"
)


@dataclass(frozen=True)
class Plan:
    """One run: its data, recipe, changes of the recipe, iterations and seed."""

    name: str
    data: str
    recipe: str
    changes: tuple[str, ...]
    iterations: int
    seed: int = 0

    @property
    def setting(self) -> str:
        """The recipe and its changes in one line."""
        return " ".join((self.recipe, *self.changes))

    def folder(self, runs: Path) -> Path:
        """Return where the run lies."""
        words = "-".join(change.split("=")[-1] for change in self.changes)
        return runs / f"{self.name}-{self.recipe}-{words}-{self.iterations}-{self.seed}"


def widths(*numbers: int) -> tuple[tuple[str, ...], ...]:
    """Return the changes of a recipe that set these widths."""
    return tuple((f"networks.width={number}",) for number in numbers)


def plan(name: str, data: str, recipe: str, changes: tuple[tuple[str, ...], ...], *iterations: int) -> list[Plan]:
    """Plan runs of every change and number of iterations, the short ones first."""
    return [Plan(name, data, recipe, change, number) for number in iterations for change in changes]


PLAN = [
    *plan("cats", "cats96.zip", "photos", widths(16), 300, 1_200, 5_000, 12_000),
    *plan("cats", "cats96.zip", "photos", widths(8), 1_200, 5_000),
    *plan("dogs", "dogs64.npz", "photos", widths(16), 300, 1_200, 5_000),
    *plan("cifar10", "cifar10.npz", "photos", widths(16), 300, 1_200, 5_000),
    *plan("mnist", "mnist", "photos", widths(16), 1_200),
    *plan("mnist", "mnist", "compact", widths(16), 1_200),
]


def train(one: Plan, sets: Path, runs: Path, core: int) -> None:
    """Train one run on one core, unless it is there."""
    out = one.folder(runs)
    if (out / "report.html").exists():
        return
    changes = [word for change in one.changes for word in ("--set", change)]
    size = ("--size", "64") if one.data.endswith(".zip") else ()
    call = [COMMAND, "train", sets / one.data, "--recipe", one.recipe, "--steps", one.iterations, "--seed", one.seed]
    subprocess.run(
        ["taskset", "-c", str(core), *map(str, call), "--out", str(out), *size, *changes],
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )


def score(run: Path, *features: str) -> dict[str, float]:
    """Score a run in one set of features; keep the answer beside it."""
    kept = run / f"{features[0]}.json"
    if not kept.exists():
        call = [COMMAND, "evaluate", run, "--count", COUNT, "--features", *features, "--json"]
        call += [word for metric in SCORES for word in ("--metric", metric)]
        done = subprocess.run([*map(str, call)], check=True, capture_output=True, text=True)
        kept.write_text(done.stdout)
    lines = map(json.loads, kept.read_text().splitlines())
    return {line["metric"]: round(line["value"], 4) for line in lines if line["metric"] in SCORES}


def read(one: Plan, runs: Path, weights: str) -> dict[str, Any]:
    """Return what a finished run made of its iterations."""
    run, last = one.folder(runs), last_iteration(one.folder(runs))
    return {
        "setting": one.setting,
        "iterations": one.iterations,
        "seed": one.seed,
        "seconds": round(last.seconds),
        "computed in": RunFolder(run).describe()["precision"],
        **(
            {"classifier": score(run, "classifier")}
            if one.name == "mnist"
            else {
                "inception-768": score(run, "inception:768", "--weights", weights),
                "lite0": score(run, "efficientnet"),
            }
        ),
    }


def main(sets: str, runs: str, weights: str, *names: str) -> None:
    """Train, read, and add to the table."""
    cores: Queue[int] = Queue()
    for core in range(os.cpu_count() or 1):
        cores.put(core)

    def work(one: Plan) -> dict[str, Any]:
        core = cores.get()
        try:
            train(one, Path(sets), Path(runs), core)
            found = read(one, Path(runs), weights)
        finally:
            cores.put(core)
        print(json.dumps({"set": one.name, **found}), flush=True)
        return found

    chosen = [one for one in PLAN if not names or one.name in names]
    with ThreadPoolExecutor(cores.qsize()) as pool:
        found = list(pool.map(work, chosen))
    figures = read_figures("iterations")
    for one, each in zip(chosen, found, strict=True):
        rows = figures.setdefault(one.name, [])
        figures[one.name] = [row for row in rows if _key(row) != _key(each)] + [each]
    write("iterations", PROTOCOL, figures)


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return what tells a row of the table from the others."""
    return row["setting"], row["iterations"], row["seed"]


if __name__ == "__main__":
    main(*sys.argv[1:])
