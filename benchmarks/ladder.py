"""Ask every pair of features and figure to put pictures that get worse and worse in order.

Usage: python benchmarks/ladder.py PHOTOS CIFAR10 MNIST RUNS [INCEPTION_WEIGHTS]. PHOTOS are at least 64 pixels wide;
RUNS is a folder with (or for) the runs whose samples are two of the rungs.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from degradations import blur, compress, fog, mush, noise, shuffle_patches
from protocol import AS_IT_WAS, read_figures, run_zerosum, write
from scipy.stats import spearmanr
from torch import Tensor

from zerosum.data import Source, Split
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source
from zerosum.export import pictures
from zerosum.generator.loading import load
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request, open_features
from zerosum.metrics.frechet import FrechetDistance
from zerosum.metrics.inception_score import InceptionScore
from zerosum.metrics.kernel import KernelDistance
from zerosum.metrics.neighbours import Neighbours

COUNT = 500
MOST_PIXELS = 1_024  # of larger images the distances in pixels would take hours
METRICS = FrechetDistance(), KernelDistance(), InceptionScore(), Neighbours()
FIGURES = {  # the sign by which each grows with quality
    "frechet-distance": -1,
    "kernel-distance": -1,
    "classifier-score": 1,
    "precision": 1,
    "recall": 1,
    "density": 1,
    "coverage": 1,
}
STEPS = {"photos": (2_000, 120), "cifar10": (1_200, 120), "mnist": (150, 60)}
PROTOCOL = (
    f"{COUNT:,} samples of each rung (degraded training images, or samples of a generator with seed 1) against "
    f"{COUNT:,} test images; gray and small photos are made of the large ones, and so are their generators' samples; "
    "Spearman's rank correlation over the nine rungs, ties sharing their mean rank; beside them mush with the "
    "pixels' mean and covariance"
)


def train(name: str, data: str, runs: Path, *options: object) -> list[Tensor]:
    """Return samples of two small generators, the longer trained one first; train those that are not in `runs`."""
    found = []
    for steps in STEPS[name]:
        run = runs / f"{name}-{steps}"
        if not run.exists():
            how = ("--recipe", "compact", "--steps", steps, *options)
            how += tuple(word for each in ("networks.width=8", *AS_IT_WAS) for word in ("--set", each))
            run_zerosum("train", data, *how, "--out", run)
        found.append(load(run).sample(COUNT, seed=1))
    return found


def climb_down(real: Tensor, generated: list[Tensor]) -> dict[str, Tensor]:
    """Return the rungs of the ladder, uint8 [N, C, H, W] each, from the best to the worst."""
    return {
        "real": real,
        "light blur": blur(real, 1 / 64),
        "strong blur": blur(real, 1 / 32),
        "JPEG of quality 10": compress(real, 10),
        "shuffled patches": shuffle_patches(real),
        "longer GAN": generated[0],
        "shorter GAN": generated[1],
        "fog": fog(real),
        "noise": noise(real),
    }


def draw(source: Source) -> Source:
    """Return a source of random parts of both splits."""

    def part(split: Split) -> Split:
        chosen = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))[:COUNT]
        labels = None if split.labels is None else split.labels[chosen]
        return Split(split.samples.index_select(0, chosen), labels)

    return replace(source, train=part(source.train), test=part(source.test), digest="", files=None)


def make_gray(images: Tensor) -> Tensor:
    """Turn uint8 [N, 3, H, W] into [N, 1, H, W]."""
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (images.float() * weights).sum(1, keepdim=True).round().to(torch.uint8)


def halve(images: Tensor) -> Tensor:
    """Turn uint8 [N, C, H, W] into [N, C, H / 2, W / 2]."""
    return F.avg_pool2d(images.float(), 2).round().to(torch.uint8)


def measure(evaluation: Evaluation, rungs: Mapping[str, Tensor]) -> dict[str, dict[str, float]]:
    """Return all figures of each rung."""
    metrics = [each for each in METRICS if not each.refusal(evaluation.source, evaluation.features)]
    found = {}
    for name, samples in rungs.items():
        scores = {score.metric: score.value for score in evaluation.scores(samples, 1, metrics, training=True)}
        found[name] = {figure: round(scores[figure], 4) for figure in FIGURES if figure in scores}
    return found


def judge(measured: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the rank correlation of each figure with the order of the rungs."""
    worth = range(len(measured), 0, -1)
    figures = next(iter(measured.values()))
    return {
        name: round(float(spearmanr(worth, [FIGURES[name] * each[name] for each in measured.values()]).statistic), 3)
        for name in figures
    }


def change(source: Source, how: Callable[[Tensor], Tensor]) -> Source:
    """Return `source` with other pictures of the same things."""
    train, test = (replace(split, samples=how(split.samples)) for split in (source.train, source.test))
    return replace(source, train=train, test=test)


def list_requests(source: Source, weights: Path | None) -> dict[str, Request]:
    """Return the features that can be had for `source`, by their names."""
    names = ["efficientnet", "random-convolutions"]
    names += ["pixels"] if source.train.samples[0].numel() <= MOST_PIXELS else []
    names += ["classifier"] if source.train.labels is not None else []
    found = {name: Request(name) for name in names}
    return found if weights is None else found | {"inception:768": Request("inception:768", weights)}


def main() -> None:
    """Measure every set in all features."""
    photos, cifar10, mnist, folder, *weights = sys.argv[1:]
    runs = Path(folder)
    large = draw(open_source(photos, Preparation(size=(64, 64), labels="none")))
    made = train("photos", photos, runs, "--size", 64, "--set", "data.labels=none")
    gray, gray_made = change(large, make_gray), [make_gray(each) for each in made]
    sets = {
        "photos, 64": (large, made),
        "photos, 32": (change(large, halve), [halve(each) for each in made]),
        "gray photos, 64": (gray, gray_made),
        "gray photos, 32": (change(gray, halve), [halve(each) for each in gray_made]),
        "CIFAR-10": (open_source(cifar10), train("cifar10", cifar10, runs)),
        "MNIST": (open_source(mnist), train("mnist", mnist, runs)),
    }
    figures = read_figures("ladder")  # of an earlier call that was stopped
    for name, (whole, generated) in sets.items():
        source = draw(whole)
        rungs = climb_down(source.train.samples, generated)
        sheet = torch.cat([images[:10] for images in rungs.values()])
        (runs / f"{name}.png").write_bytes(pictures.encode(pictures.draw_samples(sheet, columns=10)))
        for network, request in list_requests(source, Path(weights[0]) if weights else None).items():
            if f"{name}: {network}" in figures:
                continue
            evaluation = Evaluation(source, open_features(whole, request))
            measured = measure(evaluation, rungs)
            beside = measure(evaluation, {"Gaussian mush": mush(source.train.samples)})
            figures[f"{name}: {network}"] = {"rank correlation": judge(measured), "rungs": measured | beside}
            write("ladder", PROTOCOL, figures)


if __name__ == "__main__":
    main()
