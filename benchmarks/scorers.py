"""Time `zerosum evaluate`, with an empty cache and again, against pytorch-fid's way of working, on the same PNGs.

Usage: python benchmarks/scorers.py COUNT [ROUNDS [SIDE ...]], e.g. `... 2000 5`, for COUNT real and COUNT generated
images of 32, 64 and 256 pixels. All see the images through one Inception network with the same random weights, up to
its 2,048 features. The other way is written anew from pytorch-fid's documentation: Pillow decodes in a DataLoader's
processes, batches of 50 in float32, features in one array, SciPy's matrix root, nothing kept. Every call is a process
of its own, timed from its start to its figure; the three take turns in each round.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from protocol import write
from scipy import linalg
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from zerosum.metrics.features import inception

SIDES, ROUNDS = (32, 64, 256), 3
BATCH, MOST_WORKERS, EPSILON = 50, 8, 1e-6  # pytorch-fid's
TAP, CLASSES = 2048, 1008
Shapes = Iterator[tuple[str, int, int, tuple[int, int]]]
POINT, THREE, FIVE, ROW, COLUMN = (1, 1), (3, 3), (5, 5), (1, 7), (7, 1)


def main(count: int, rounds: int = ROUNDS, *sides: int) -> None:
    """Measure every side and write the figures down."""
    figures = {f"{side} pixels": compare(side, count, rounds) for side in sides or SIDES}
    protocol = (
        f"{count:,} real and {count:,} generated PNGs, smooth random colours; {rounds} rounds, in each of them first "
        f"pytorch-fid's way ({count_workers()} decoding processes), then evaluate --protocol pytorch-fid with an empty "
        f"cache, then again; {torch.get_num_threads()} threads; whole processes; Inception with random weights, "
        f"{TAP:,} features; smallest, median and largest of the rounds; the interval that evaluate adds is in its time"
    )
    write("scorers", protocol, figures)


def compare(side: int, count: int, rounds: int) -> dict[str, object]:
    """Time all three on images of `side` pixels; their figures must agree."""
    ways = ("theirs", "cold", "warm")
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    peaks: dict[str, list[float]] = {way: [] for way in ways}
    distances = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed, kind in enumerate(("reals", "fakes")):
            draw_folder(folder / kind, count, side, seed)
        for number in range(rounds):
            for way in ways:
                measured = call(way, folder, folder / f"cache {number}")
                seconds[way].append(measured[0])
                peaks[way].append(measured[1])
                distances[way] = measured[2]
    assert distances["cold"] == distances["warm"]
    assert abs(distances["theirs"] / distances["cold"] - 1) < 1e-3, distances
    return {
        "distance": distances,
        "seconds": {way: summarize(seconds[way]) for way in ways},
        "images per second": {way: summarize([2 * count / each for each in seconds[way]]) for way in ways},
        "peak GB of the largest process": {way: round(max(peaks[way]), 2) for way in ways},
        **{
            f"times as fast, {way}": summarize([one / other for one, other in zip(*pair, strict=True)])
            for way, pair in {way: (seconds["theirs"], seconds[way]) for way in ways[1:]}.items()
        },
    }


def call(way: str, folder: Path, cache: Path) -> tuple[float, float, float]:
    """Run one way in a process; return the seconds, the peak memory in GB and the distance."""
    environment = {**os.environ, "ZEROSUM_CACHE": str(cache)}
    out = folder / "out"
    with out.open("w") as file:
        began = time.perf_counter()
        role = "theirs" if way == "theirs" else "ours"
        process = subprocess.Popen([sys.executable, __file__, role, folder], env=environment, stdout=file)
        _, status, usage = os.wait4(process.pid, 0)
        taken = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, way
    return taken, usage.ru_maxrss / 2**20, json.loads(out.read_text().splitlines()[-1])["value"]


def summarize(values: list[float]) -> list[float]:
    """Return the smallest value, the median and the largest."""
    return [float(f"{each:.4g}") for each in (min(values), statistics.median(values), max(values))]


def draw_folder(folder: Path, count: int, side: int, seed: int) -> None:
    """Write PNGs of smooth random colours, whose smoothness depends on the seed."""
    folder.mkdir()
    rng = torch.Generator().manual_seed(seed)
    for number in range(count):
        coarse = torch.rand(1, 3, 6 + 2 * seed, 6 + 2 * seed, generator=rng)
        pixels = F.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1)[0].permute(1, 2, 0)
        Image.fromarray((255 * pixels).byte().numpy()).save(folder / f"{number:06d}.png")


def score_ours(folder: Path) -> None:
    """Run the command, with random weights instead of the file of published ones."""
    from zerosum.cli import main as command

    options = ("--protocol", "pytorch-fid", "--metric", "frechet-distance", "--json", "-")
    weights = folder / "weights"
    weights.touch()
    asked = ["zerosum", "evaluate", folder / "fakes", "--against", folder / "reals", "--weights", weights, *options]
    sys.argv = [str(word) for word in asked]
    with mock.patch.object(inception, "read_weights", return_value=draw_weights()):
        command()


def score_theirs(folder: Path) -> None:
    """Compute the distance in the way of pytorch-fid."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = inception._Network(draw_weights(), TAP).eval().to(device)
    (mean_1, covariance_1), (mean_2, covariance_2) = (
        measure(folder / kind, network, device) for kind in ("fakes", "reals")
    )
    root = linalg.sqrtm(covariance_1 @ covariance_2)
    if not np.isfinite(root).all():
        offset = np.eye(TAP) * EPSILON
        root = linalg.sqrtm((covariance_1 + offset) @ (covariance_2 + offset))
    gap = mean_1 - mean_2
    value = gap @ gap + np.trace(covariance_1) + np.trace(covariance_2) - 2 * np.trace(root).real
    print(json.dumps({"value": float(value)}))


class Pictures(Dataset[Tensor]):
    """Images of a folder, float32 [3, H, W] in [0, 1]."""

    def __init__(self, folder: Path) -> None:
        self._files = sorted(folder.glob("*.png"))

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, number: int) -> Tensor:
        with Image.open(self._files[number]) as image:
            return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float() / 255


@torch.no_grad()
def measure(
    folder: Path, network: torch.nn.Module, device: torch.device
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and covariance of the features of the images in a folder."""
    pictures = Pictures(folder)
    features, first = np.empty((len(pictures), TAP)), 0
    for batch in DataLoader(pictures, BATCH, num_workers=count_workers()):
        large = F.interpolate(batch.to(device), (inception.SIDE,) * 2, mode="bilinear", align_corners=False)
        features[first : first + len(batch)] = network(2 * large - 1).cpu().numpy()
        first += len(batch)
    return features.mean(0), np.cov(features, rowvar=False)


def count_workers() -> int:
    """Return how many processes decode: as many as there are cores, up to eight."""
    return min(len(os.sched_getaffinity(0)), MOST_WORKERS)


def draw_weights() -> dict[str, Tensor]:
    """Draw weights of every convolution of Inception, in the sizes of He et al. 2015, and of its last layer."""
    rng, weights = torch.Generator().manual_seed(0), {"fc.weight": torch.zeros(CLASSES, TAP)}
    for name, inputs, outputs, kernel in list_convolutions():
        drawn = torch.randn(outputs, inputs, *kernel, generator=rng)
        weights[f"{name}.weight"] = drawn * (2 / (inputs * kernel[0] * kernel[1])) ** 0.5
        weights[f"{name}.bias"] = torch.zeros(outputs)
    return weights


def list_convolutions() -> Shapes:
    """List the convolutions of Inception v3 (Szegedy et al. 2016): name, channels in and out, kernel."""
    yield from (("Conv2d_1a_3x3", 3, 32, THREE), ("Conv2d_2a_3x3", 32, 32, THREE), ("Conv2d_2b_3x3", 32, 64, THREE))
    yield from (("Conv2d_3b_1x1", 64, 80, POINT), ("Conv2d_4a_3x3", 80, 192, THREE))
    for block, inputs, pooled in (("5b", 192, 32), ("5c", 256, 64), ("5d", 288, 64)):
        yield from _chain(block, "branch1x1", inputs, ("", 64, POINT))
        yield from _chain(block, "branch5x5_", inputs, ("1", 48, POINT), ("2", 64, FIVE))
        yield from _chain(block, "branch3x3dbl_", inputs, ("1", 64, POINT), ("2", 96, THREE), ("3", 96, THREE))
        yield from _chain(block, "branch_pool", inputs, ("", pooled, POINT))
    yield from _chain("6a", "branch3x3", 288, ("", 384, THREE))
    yield from _chain("6a", "branch3x3dbl_", 288, ("1", 64, POINT), ("2", 96, THREE), ("3", 96, THREE))
    for block, width in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        yield from _chain(block, "branch1x1", 768, ("", 192, POINT))
        yield from _chain(block, "branch7x7_", 768, ("1", width, POINT), ("2", width, ROW), ("3", 192, COLUMN))
        long = ("1", width, POINT), ("2", width, COLUMN), ("3", width, ROW), ("4", width, COLUMN), ("5", 192, ROW)
        yield from _chain(block, "branch7x7dbl_", 768, *long)
        yield from _chain(block, "branch_pool", 768, ("", 192, POINT))
    yield from _chain("7a", "branch3x3_", 768, ("1", 192, POINT), ("2", 320, THREE))
    yield from _chain(
        "7a", "branch7x7x3_", 768, ("1", 192, POINT), ("2", 192, ROW), ("3", 192, COLUMN), ("4", 192, THREE)
    )
    for block, inputs in (("7b", 1280), ("7c", 2048)):
        yield from _chain(block, "branch1x1", inputs, ("", 320, POINT))
        yield from _chain(block, "branch3x3_", inputs, ("1", 384, POINT))
        yield from _chain(block, "branch3x3dbl_", inputs, ("1", 448, POINT), ("2", 384, THREE))
        for branch in ("branch3x3_2", "branch3x3dbl_3"):
            yield from _chain(block, branch, 384, ("a", 384, (1, 3)))
            yield from _chain(block, branch, 384, ("b", 384, (3, 1)))
        yield from _chain(block, "branch_pool", inputs, ("", 192, POINT))


def _chain(block: str, branch: str, inputs: int, *steps: tuple[str, int, tuple[int, int]]) -> Shapes:
    for ending, outputs, kernel in steps:
        yield f"Mixed_{block}.{branch}{ending}", inputs, outputs, kernel
        inputs = outputs


if __name__ == "__main__":
    first, *others = sys.argv[1:]
    if first in ("ours", "theirs"):
        {"ours": score_ours, "theirs": score_theirs}[first](Path(*others))
    else:
        main(int(first), *map(int, others))
