"""The features of photos see what people see; `benchmarks/ladder.py` measures it of all features and sets."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from zerosum.data import Source, Split
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
from zerosum.metrics.neighbours import Neighbours

FILE = Path(__file__).parents[3] / "benchmarks" / "degradations.py"
COUNT = 200


@pytest.fixture(scope="module")
def degradations() -> ModuleType:
    spec = importlib.util.spec_from_file_location("degradations", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def photos(shared: Path) -> Source:
    """As many photos of dogs and cats to train with as to test with, 64x64."""
    with np.load(shared / "pets" / "pets64-oxford.npz") as arrays:
        images = torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2).contiguous()
    chosen = images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))]
    return Source("photos", Split(chosen[:COUNT]), Split(chosen[COUNT : 2 * COUNT]))


def overlap(source: Source, features: str, samples: Tensor) -> dict[str, float]:
    scores = Evaluation.of(source, Request(features)).scores(samples, 0, [Neighbours()], training=True)
    return {score.metric: score.value for score in scores}


def test_mush_is_no_photo_by_its_coverage_and_recall(photos: Source, degradations: ModuleType) -> None:
    """Mush with the colours and spots of the photos. Precision and density are fooled by it, in all features."""
    mush = degradations.mush(photos.train.samples)
    seeing, blind = (overlap(photos, features, mush) for features in ("efficientnet", "random-convolutions"))
    assert overlap(photos, "efficientnet", photos.train.samples)["coverage"] > 0.9
    assert seeing["coverage"] < 0.2
    assert seeing["recall"] < 0.1
    assert blind["coverage"] > 0.9
    assert blind["recall"] > 0.7


def test_random_convolutions_take_shuffled_patches_for_photos(photos: Source, degradations: ModuleType) -> None:
    """So they are no default, and say so."""
    shuffled = degradations.shuffle_patches(photos.train.samples)
    blind, seeing = (overlap(photos, name, shuffled)["coverage"] for name in ("random-convolutions", "efficientnet"))
    assert blind > 0.7
    assert seeing < 0.5


def test_coverage_falls_from_rung_to_rung(photos: Source, degradations: ModuleType) -> None:
    real = photos.train.samples
    rungs = [real, degradations.blur(real, 1 / 64), degradations.blur(real, 1 / 32), degradations.fog(real)]
    found = [overlap(photos, "efficientnet", rung)["coverage"] for rung in rungs]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found)
