"""Compare what `evaluate --plan` forecasts with what scores of as many samples say.

Usage: python benchmarks/plan.py PHOTOS.zip MNIST_FOLDER

PHOTOS.zip are 12,500 photos of cats of 96x96 pixels. Writes benchmarks/results/plan.json.
"""

import io
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from protocol import write

import zerosum
from zerosum.data.readers import open_source
from zerosum.evaluation.pilot import plan_evaluation

SEEDS, COUNTS = (1, 2, 3), (1_000, 2_000, 5_000)
METRICS = ("frechet-distance", "kernel-distance", "neighbours")
CATS_BLUR, DIGITS_BLUR, HALF, DIGITS = 1.0, 0.6, 6_250, 6_000
PROTOCOL = (
    f"pilots of 500 samples with seeds {SEEDS[0]} to {SEEDS[-1]}, and their forecasts; beside them `zerosum.evaluate` "
    f"with seed 1 and as many samples as forecast. Cats: {HALF:,} photos at 96x96, as they are or blurred by a "
    f"Gaussian of {CATS_BLUR:g} pixels, against all of the other {HALF:,}, in EfficientNet-Lite0's 432 features. "
    f"MNIST: the first {DIGITS:,} training images, blurred by {DIGITS_BLUR:g} pixels, against the test split, in the "
    "classifier's 128 features. Seconds: of one thread beside other work"
)


def main(photos: str, mnist: str) -> None:
    """Measure each set and write all."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, samples, against, reference in list_sets(photos, mnist, Path(folder)):
            figures[name] = compare(samples, against, reference)
    write("plan", PROTOCOL, figures)


def list_sets(photos: str, mnist: str, folder: Path) -> Iterator[tuple[str, torch.Tensor, str, str]]:
    """Yield a name, samples, the real data and the reference of each set."""
    with zipfile.ZipFile(photos) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        names = [names[place] for place in np.random.default_rng(0).permutation(len(names))]
        pictures = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]
    np.save(folder / "cats.npy", np.stack([np.asarray(each) for each in pictures[:HALF]]))
    against = str(folder / "cats.npy")
    others = pictures[HALF:]
    yield "cats, blurred", stack([np.asarray(blur(each, CATS_BLUR)) for each in others]), against, "all"
    yield "cats", stack([np.asarray(each) for each in others]), against, "all"
    digits = open_source(mnist).train.samples[:DIGITS, 0].numpy()
    blurred = stack([np.asarray(blur(Image.fromarray(each), DIGITS_BLUR))[..., None] for each in digits])
    yield "MNIST, blurred", blurred, mnist, "test"


def blur(image: Image.Image, radius: float) -> Image.Image:
    """Blur by a Gaussian of so many pixels."""
    return image.filter(ImageFilter.GaussianBlur(radius))


def stack(pictures: list[NDArray[np.uint8]]) -> torch.Tensor:
    """Stack pictures [H, W, C] into samples [N, C, H, W]."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


def compare(samples: torch.Tensor, against: str, reference: str) -> dict[str, Any]:
    """Forecast with each seed, then measure; return both by figure and number of samples."""
    plans = [plan_evaluation(samples, against, metrics=METRICS, reference=reference, seed=seed) for seed in SEEDS]
    found: dict[str, Any] = {}
    for count in COUNTS:
        began = time.monotonic()
        scores = zerosum.evaluate(samples, against, metrics=METRICS, reference=reference, count=count).scores
        seconds = time.monotonic() - began
        found.setdefault("seconds", {})[count] = [seconds, [plan.seconds(count) for plan in plans]]
        for place, score in enumerate(next(iter(scores.values()))):
            forecasts = [plan.forecasts[place] for plan in plans]
            found.setdefault(score.metric, {})[count] = {
                "value": score.value,
                "half width": score.half_width,
                "real": score.real,
                "forecast values": [each.value(count) for each in forecasts],
                "forecast half widths": [each.half_width(count) for each in forecasts],
                "clear": [each.is_clear for each in forecasts],
            }
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
