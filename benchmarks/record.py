"""Records: what generators are worth that trained for so many minutes by the clock on one core; one file each.

Usage: python benchmarks/record.py SETS OUT INCEPTION.npz TASK:ENTRANT...

SETS holds the data of the tasks: the folder mnist, cifar10.npz, cats96.zip. INCEPTION.npz is what `evaluate --weights`
takes. Tasks and entrants are those below, e.g. `mnist-5min:auto cats-15min:example`. First the cache is filled with
what is the same for all seeds: data that are read, and their features. Then three seeds each are trained, as many at
once as there are cores, each on a core of its own; nothing else may run beside them. Then all are judged, and written
to records/TASK-ENTRANT.json, with a picture in docs/records/; `make docs` makes RECORDS.md of these. What OUT holds is
not done again.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import torch
from protocol import COMMAND, describe_hardware, last_iteration
from rivals import draw_batches, sampler
from torch import Tensor

import zerosum
from zerosum import recipes
from zerosum.data import Source
from zerosum.data.readers import open_source
from zerosum.export import pictures
from zerosum.metrics import Metric
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
from zerosum.metrics.frechet import FrechetDistance
from zerosum.metrics.kernel import KernelDistance
from zerosum.metrics.neighbours import Neighbours
from zerosum.run.pace import Pace
from zerosum.run.plan import open_for_recipe
from zerosum.run.speed import play_textbook

RECORDS = Path(__file__).with_name("records")
PICTURES = Path(__file__).parents[1] / "docs" / "records"
SEEDS, SHOWN, COLUMNS = (0, 1, 2), 32, 16


@dataclass(frozen=True)
class Task:
    """What is to be done, and how it is judged.

    Attributes:
        data: its name in SETS, or one that `zerosum train` knows.
        minutes: by the clock, of one core.
        samples: how many are judged, against all images of the test split; against as many where features are slow.
        metrics: by which they are judged, that by which records are compared first.
        told: whether entrants may know the labels.
        unseen: whether the judge is a network that no entrant may use, Inception up to its 768 features; else it is
            what `zerosum evaluate` takes by itself.
        side: to which photos are brought; 0 leaves images as they are.
    """

    data: str
    minutes: float
    samples: int
    metrics: tuple[Metric, ...]
    told: bool = True
    unseen: bool = False
    side: int = 0

    def open(self, sets: Path) -> Source:
        """Open its data as the judge sees them."""
        place = sets / self.data
        size = (self.side, self.side) if self.side else None
        return open_source(str(place) if place.exists() else self.data, replace(recipes.find("photos").data, size=size))

    def warm(self, data: str) -> None:
        """Fill the cache with what a training looks at and does not make."""
        size = [f"data.size={self.side}"] if self.side else []
        source, _ = open_for_recipe(data, "auto", size)
        evaluation = Evaluation.of(source, most=Pace(60 * self.minutes).most_scored)
        evaluation.prepare()
        _ = evaluation.train

    def show(self, sets: Path, folder: Path) -> str:
        """Return the data as entrants may see them: where labels are not told, an array without them."""
        place = sets / self.data
        if self.told:
            return str(place) if place.exists() else self.data
        untold = folder / f"{self.data}.npz"
        if not untold.exists():
            source = self.open(sets)
            np.savez(untold, train_images=source.train.samples.numpy(), test_images=source.test.samples.numpy())
        return str(untold)


OF_DISTANCE, OF_PHOTOS = (FrechetDistance(), Neighbours()), (KernelDistance(), Neighbours())
TASKS = {
    "digits-2min": Task("digits", 2, 5_000, OF_DISTANCE),
    "mnist-5min": Task("mnist", 5, 10_000, OF_DISTANCE),
    "mnist-untold-5min": Task("mnist", 5, 10_000, OF_DISTANCE, told=False),
    "cifar10-part-5min": Task("cifar10.npz", 5, 1_000, OF_PHOTOS, unseen=True),
    "cats-15min": Task("cats96.zip", 15, 1_000, OF_PHOTOS, unseen=True, side=64),
}


def train(task: Task, data: str, seed: int, run: Path) -> list[str]:
    """Return the command that trains by what zerosum chooses by itself."""
    size = ["--size", str(task.side)] if task.side else []
    length = ["--minutes", f"{task.minutes:g}", "--seed", str(seed)]
    return [str(COMMAND), "train", data, *size, *length, "--out", str(run)]


def play_example(name: str, sets: Path, seed: int, out: Path) -> None:
    """Train PyTorch's DCGAN example until the time is over, and write its samples; its images lie in memory.

    Opening the data is not counted, which favours it.
    """
    task = TASKS[name]
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    source, networks = task.open(sets), recipes.find("dcgan").networks
    generator, discriminator = networks.build_pair(source.shape, 0, 0)
    iterations, end = 0, time.monotonic() + 60 * task.minutes
    loop = play_textbook(generator, discriminator, networks.latent, draw_batches(source, 64))
    while time.monotonic() < end:
        next(loop)
        iterations += 1
    samples = sampler(generator, networks.latent, by_batches=True)(task.samples)
    out.mkdir()
    np.save(out / "samples.npy", samples.numpy())
    (out / "iterations.json").write_text(json.dumps(iterations))


@dataclass(frozen=True)
class Entry:
    """One training: of a task, by an entrant, with a seed."""

    task: str
    entrant: str
    seed: int
    sets: Path
    folder: Path

    @property
    def out(self) -> Path:
        """Where it leaves its run, or its samples."""
        return self.folder / f"{self.task}-{self.entrant}-{self.seed}"

    @property
    def command(self) -> list[str]:
        """What trains it."""
        task = TASKS[self.task]
        if self.entrant == "auto":
            return train(task, task.show(self.sets, self.folder), self.seed, self.out)
        return [sys.executable, __file__, "play", self.task, str(self.sets), str(self.seed), str(self.out)]

    def play(self, cores: "Queue[int]") -> None:
        """Train it on the first core that is free, and note how long that took by the clock."""
        noted = self.out.with_suffix(".seconds")
        if noted.exists():
            return
        core, began = cores.get(), time.monotonic()
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        log = self.out.with_suffix(".log")
        with log.open("w") as file:
            subprocess.run(["taskset", "-c", str(core), *self.command], check=True, env=environment, stdout=file)
        noted.write_text(f"{time.monotonic() - began:.1f}")
        cores.put(core)
        print(f"{self.out.name}: {noted.read_text()} s", flush=True)

    @property
    def version(self) -> str:
        """The commit of zerosum that made it."""
        about = self.out / "run.json"
        return str(json.loads(about.read_text())["commit"]) if about.exists() else ""

    def draw(self) -> tuple[Tensor, dict[str, object]]:
        """Return its samples, uint8 [N, C, H, W], and what there is to say about its training."""
        words: dict[str, object] = {"seed": self.seed, "seconds": float(self.out.with_suffix(".seconds").read_text())}
        if self.entrant == "auto":
            recipe = json.loads((self.out / "run.json").read_text())["recipe"]
            words |= {"iterations": last_iteration(self.out).step, "recipe": recipe["name"]}
            words |= {"width": recipe["networks"]["width"]}
            return zerosum.load(self.out).sample(TASKS[self.task].samples, seed=1), words
        words["iterations"] = json.loads((self.out / "iterations.json").read_text())
        return torch.from_numpy(np.load(self.out / "samples.npy")), words


def judge(name: str, entrant: str, entries: list[Entry], weights: Path) -> None:
    """Judge the seeds of a task by an entrant, and write the record with its picture."""
    task = TASKS[name]
    source = task.open(entries[0].sets)
    request = Request("inception:768", weights) if task.unseen else None
    evaluation = Evaluation.of(source, request, most=task.samples)
    found: list[dict[str, Any]] = []
    for entry in entries:
        samples, words = entry.draw()
        scores = evaluation.scores(samples, 0, task.metrics)
        found.append({**words, "scores": [_keep(asdict(score)) for score in scores]})
        if entry is entries[0]:
            sheet = pictures.encode(pictures.draw_samples(samples[:SHOWN], columns=COLUMNS))
            (PICTURES / f"{name}-{entrant}.png").write_bytes(sheet)
    record = {
        "task": name,
        "entrant": entrant,
        "minutes": task.minutes,
        "data": f"{source.name}, {len(source.train):,} images of {'x'.join(map(str, source.shape))} to train on",
        "told": task.told and source.classes > 0,
        "protocol": scores[0].protocol,
        "date": datetime.now(UTC).date().isoformat(),
        "zerosum": entries[0].version,
        "hardware": describe_hardware(),
        "seeds": found,
    }
    (RECORDS / f"{name}-{entrant}.json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def _keep(score: dict[str, Any]) -> dict[str, Any]:
    """Keep of a score what differs from seed to seed."""
    return {key: score[key] for key in ("metric", "value", "low", "high", "real")}


def main(sets: str, out: str, weights: str, *wanted: str) -> None:
    """Train all that is wanted, then judge it."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    RECORDS.mkdir(exist_ok=True)
    PICTURES.mkdir(exist_ok=True)
    cores: Queue[int] = Queue()
    for core in range(os.cpu_count() or 1):
        cores.put(core)
    pairs = [(task, entrant) for task, _, entrant in (each.partition(":") for each in wanted)]
    entries = {pair: [Entry(*pair, seed, Path(sets), folder) for seed in SEEDS] for pair in pairs}
    for task in {task for task, entrant in pairs if entrant == "auto"}:
        TASKS[task].warm(TASKS[task].show(Path(sets), folder))
    with ThreadPoolExecutor(cores.qsize()) as pool:
        list(pool.map(lambda entry: entry.play(cores), (entry for group in entries.values() for entry in group)))
    for pair, group in entries.items():
        judge(*pair, group, Path(weights))


if __name__ == "__main__":
    if sys.argv[1:2] == ["play"]:
        play_example(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
    else:
        main(*sys.argv[1:])
