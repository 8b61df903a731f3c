"""Labels: are the classes of few images worth telling? MNIST's first ones of each class, told and not told.

Usage: python benchmarks/labels.py MNIST [ITERATIONS]

`compact` and `compact-conditional` of width 8, in float32 on one thread each, as many at once as there are cores;
iterations are given, so what else the machine does changes nothing. 10,000 samples of the average generator against the
10,000 test images, in the features of a classifier that learned from all 60,000 training images.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import torch
from iterations import Plan
from mnist import judge
from protocol import write

from zerosum.data import Source, Split
from zerosum.data.readers import open_source
from zerosum.metrics.evaluation import Evaluation

COUNTS, SEEDS, SAMPLES = (50, 200, 500, 1_000), (0, 1), 10_000
RECIPES = {"not told": "compact", "told": "compact-conditional"}


@dataclass(frozen=True)
class Case:
    """One training: on so many images of each class, told the classes or not, with a seed."""

    data: str
    iterations: int
    count: int
    words: str
    seed: int

    def play(self) -> dict[str, Any]:
        """Train and judge it."""
        torch.set_num_threads(1)
        whole = open_source(self.data)
        generator, seconds = Plan(
            "mnist", "mnist", RECIPES[self.words], ("networks.width=8",), self.iterations, self.seed
        ).play(take_first(whole, self.count))
        found = judge(Evaluation.of(whole), generator.sample(SAMPLES, seed=1))
        answer = {"images a class": self.count, "classes": self.words, "seed": self.seed, "seconds": round(seconds)}
        return answer | {"scores": found}


def take_first(source: Source, count: int) -> Source:
    """Keep the first `count` training images of each class."""
    labels = source.train.labels
    assert labels is not None
    rows = torch.cat([(labels == label).nonzero()[:count, 0] for label in range(source.classes)]).sort()[0]
    return replace(source, train=Split(source.train.samples[rows], labels[rows]), digest="")


def main(data: str, iterations: str = "4000") -> None:
    """Play all cases."""
    Evaluation.of(open_source(data)).prepare()  # the classifier, once
    cases = [Case(data, int(iterations), count, words, seed) for count in COUNTS for words in RECIPES for seed in SEEDS]
    figures = []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for answer in pool.map(Case.play, cases):
            figures.append(answer)
            print(answer, flush=True)
    write("labels", f"{iterations} iterations of batches of 16; seconds are of process time", figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
