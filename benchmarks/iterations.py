"""What iterations buy: pictures and scores of recipes after 300 to 12,000 iterations, on four sets.

Usage: python benchmarks/iterations.py SETS OUT INCEPTION.npz [NAME ...]

SETS holds cats96.zip, dogs64.npz, cifar10.npz and the folder mnist; INCEPTION.npz is what `evaluate --weights` takes.
Plays every run of PLAN, or those on the sets called NAME, one on each core with one thread, as a run in float32 does,
but without the scores in between; a run whose answer lies in OUT is only read. The averaged generator's samples are
drawn to OUT, and scored in Inception's 768 features, which no player saw, and in EfficientNet-Lite0's, which the
discriminator of `photos` learns from (gray digits: in those of a classifier). Iterations are given, not minutes, as
what else the machine does changes nothing; `zerosum bench` says how many a minute has. Results are added to
results/iterations.json.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Queue
from typing import Any

import torch
from PIL import Image
from protocol import AS_IT_WAS, read_figures, write
from torch import Tensor

from zerosum import recipes
from zerosum.data import Source
from zerosum.data.readers import open_source
from zerosum.export import pictures
from zerosum.game.algorithm import play
from zerosum.game.ema import EMA
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import change
from zerosum.generator import TrainedGenerator
from zerosum.metrics.features import Request, open_features
from zerosum.metrics.kernel import squared_discrepancy
from zerosum.metrics.neighbours import overlap

COUNT, NEIGHBOURS, SHOWN, COLUMNS = 1_000, 5, 32, 8
CPU = torch.device("cpu")
PROTOCOL = (
    "float32, one thread on a core of its own for each run, two at a time, other work beside them: seconds are of "
    f"process time, for playing alone; one seed unless noted; {COUNT:,} samples of the average generator against the "
    f"first {COUNT:,} of the test split (all, if it is smaller); coverage and precision with k = {NEIGHBOURS}; kernel "
    "distances are the unbiased estimate of all of them"
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

    @property
    def key(self) -> str:
        """A name for its files."""
        words = "-".join(change.split("=")[-1] for change in self.changes)
        return f"{self.name}-{self.recipe}-{words}-{self.iterations}-{self.seed}"

    def play(self, source: Source) -> tuple[TrainedGenerator, float]:
        """Play it; return the average generator, and the seconds of process time that it took."""
        recipe = recipes.find(self.recipe)
        for each in self.changes:
            recipe = change(recipe, each)
        engine = Engine(CPU, threads=1)
        players = Players.build(recipe, source, engine, self.seed)
        average = EMA(players.generator.network, recipe.ema_decay)
        began = time.process_time()
        for iteration in play(players, recipe, source.train, steps=self.iterations, seed=self.seed):
            average.update(iteration.step + 1)
        took = time.process_time() - began
        network = average.calibrated(recipe.networks, [], CPU)
        return TrainedGenerator(network, recipe.networks, source.shape, {}, engine, {}), took

    def open(self, sets: Path) -> Source:
        """Open its data; archives of photos are brought to 64x64."""
        size = (64, 64) if self.data.endswith(".zip") else None
        return open_source(str(sets / self.data), replace(recipes.find(self.recipe).data, size=size))


def widths(*numbers: int) -> tuple[tuple[str, ...], ...]:
    """Return the changes of a recipe that set these widths."""
    return tuple((f"networks.width={number}",) for number in numbers)


def plan(
    name: str, data: str, recipe: str, changes: tuple[tuple[str, ...], ...], *iterations: int, seeds: int = 1
) -> list[Plan]:
    """Plan runs of every change and number of iterations, the short ones first, with seeds from 0 on."""
    return [
        Plan(name, data, recipe, change, number, seed)
        for number in iterations
        for change in changes
        for seed in range(seeds)
    ]


def without_smoothing(upsampling: str, size: int) -> tuple[tuple[str, ...], ...]:
    """Return the changes that undo what the recipe `photos` has against hatching, or one of them."""
    return (("networks.width=16", f"networks.upsampling={upsampling}", f"networks.feature_size={size}"),)


NARROW = ("networks.width=8", "networks.feature_size=64")
TRIED = {  # changes of `photos` as it is where there is little time, and as many iterations as take about as long
    (): 1_200,
    ("ema_decay=0.99",): 1_200,
    ("batch_size=8",): 2_000,
    ("generator_optimizer.lr=1e-3", "discriminator_optimizer.lr=1e-3"): 1_200,
    ("generator_optimizer.lr=2.5e-4", "discriminator_optimizer.lr=2.5e-4"): 1_200,
    ("networks.feature_size=96",): 1_550,
    ("networks.feature_size=128",): 990,
}

PLAN = [
    *plan("cats", "cats96.zip", "photos", widths(16), 3_000),
    *plan("cats", "cats96.zip", "photos", widths(16), 300),
    *plan("cats", "cats96.zip", "photos", widths(16), 1_200, seeds=2),
    *plan("cats", "cats96.zip", "photos", without_smoothing("nearest", 64), 12_000, 300, 1_200, 5_000),
    *plan("cats", "cats96.zip", "photos", without_smoothing("nearest", 96), 1_200),
    *plan("cats", "cats96.zip", "photos", without_smoothing("nearest", 128), 1_200),
    *plan("cats", "cats96.zip", "photos", without_smoothing("smooth", 96), 1_200),
    *plan("cats", "cats96.zip", "photos", without_smoothing("smooth", 64), 2_400),
    *plan("cats", "cats96.zip", "compact", (("networks.width=32", *AS_IT_WAS),), 528),
    *plan("dogs", "dogs64.npz", "photos", widths(16), 1_200),
    *plan("mnist", "mnist", "photos", widths(8), 1_200),
    *plan("mnist", "mnist", "compact", (("networks.width=8", *AS_IT_WAS),), 2_000),
    *plan("cifar10", "cifar10.npz", "photos", widths(16), 1_200),
    *(Plan("tried", "cats96.zip", "photos", (*NARROW, *changes), number) for changes, number in TRIED.items()),
]


def judge(samples: Tensor, source: Source, features: Request, kept: Path) -> dict[str, float]:
    """Score samples against held-out images; the features of these are kept in a file."""
    extractor = open_features(source, features)
    if not kept.exists():
        torch.save(extractor(source.test.samples[:COUNT]), kept)
    fake, real = extractor(samples), torch.load(kept, weights_only=True)
    fewest = min(len(fake), len(real))
    shares = overlap(fake.numpy(), real.numpy(), NEIGHBOURS)
    return {
        "kernel distance": float(squared_discrepancy(real[:fewest].double(), fake[:fewest].double())),
        **{name: round(float(shares[name].mean()), 3) for name in ("coverage", "precision")},
    }


def work(number: int, sets: Path, out: Path, weights: Path) -> None:
    """Play and judge one run of the plan in this process, and write the answer."""
    torch.set_num_threads(1)
    one = PLAN[number]
    source = one.open(sets)
    generator, seconds = one.play(source)
    samples = generator.sample(COUNT, seed=1)
    (out / f"{one.key}.png").write_bytes(pictures.encode(pictures.draw_samples(samples[:SHOWN], columns=COLUMNS)))
    answer = {"setting": one.setting, "iterations": one.iterations, "seed": one.seed}
    answer |= {"seconds": round(seconds)}
    judges = {"lite0": Request("efficientnet")}
    judges |= (
        {"classifier": Request("classifier")}
        if one.name == "mnist"
        else {"inception-768": Request("inception:768", weights)}
    )
    for name, request in judges.items():
        answer[name] = judge(samples, source, request, out / f"real-{one.name}-{name}.pt")
    (out / f"{one.key}.json").write_text(json.dumps(answer))


def draw(chosen: list[Plan], out: Path, picture: Path) -> None:
    """Draw the first row of each run's samples, one run below the other."""
    rows = [Image.open(out / f"{one.key}.png").convert("RGB") for one in chosen]
    rows = [each.crop((0, 0, each.width, round(each.width / COLUMNS))) for each in rows]
    sheet = Image.new("RGB", (rows[0].width, sum(each.height for each in rows)), "white")
    top = 0
    for each in rows:
        sheet.paste(each, (0, top))
        top += each.height
    sheet.save(picture)


def main(sets: str, out: str, weights: str, *names: str) -> None:
    """Play, judge, and add to the table; with a number, do only that run of the plan, in this process."""
    if names and names[0].isdigit():
        work(int(names[0]), Path(sets), Path(out), Path(weights))
        return
    cores: Queue[int] = Queue()
    for core in range(os.cpu_count() or 1):
        cores.put(core)

    def start(number: int) -> dict[str, Any]:
        answer, core = Path(out) / f"{PLAN[number].key}.json", cores.get()
        call = ["taskset", "-c", str(core), sys.executable, __file__, sets, out, weights, str(number)]
        if not answer.exists():
            subprocess.run(call, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        cores.put(core)
        print(answer.read_text(), flush=True)
        return dict(json.loads(answer.read_text()))

    chosen = [number for number, one in enumerate(PLAN) if not names or one.name in names]
    with ThreadPoolExecutor(cores.qsize()) as pool:
        found = list(pool.map(start, chosen))
    figures = read_figures("iterations")
    for number, row in zip(chosen, found, strict=True):
        others = [each for each in figures.get(PLAN[number].name, []) if _key(each) != _key(row)]
        figures[PLAN[number].name] = [*others, row]
    for name in {PLAN[number].name for number in chosen}:
        drawn = [one for one in PLAN if one.name == name and (Path(out) / f"{one.key}.png").exists()]
        draw(sorted(drawn, key=lambda one: (one.setting, one.iterations)), Path(out), Path(out) / f"{name}.png")
    write("iterations", PROTOCOL, figures)


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return what tells a row of the table from the others."""
    return row["setting"], row["iterations"], row["seed"]


if __name__ == "__main__":
    main(*sys.argv[1:])
