"""Images that are in both sets are counted and said."""

from pathlib import Path

import numpy as np
import pytest
import torch

import zerosum

QUICK = {"features": "random-convolutions", "metrics": ["frechet-distance"]}


@pytest.mark.parametrize(
    ("shared", "words"),
    [
        (0, ""),
        (3, "3 of 20 images are also in real, pixel by pixel: copies look good in every figure"),
        (20, "all 20 images are also in real, pixel by pixel: real data are scored here, or copies of them"),
    ],
)
def test_images_in_both_sets_are_counted(tmp_path: Path, shared: int, words: str) -> None:
    images = torch.randint(0, 256, (60, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    np.save(tmp_path / "real.npy", images[:40].numpy())
    fakes = torch.cat([images[40 - shared : 40], images[40 : 60 - shared]])
    (scores,) = zerosum.evaluate(fakes, tmp_path / "real.npy", **QUICK).scores.values()
    assert ("are also in" in scores[0].warning) == bool(words)
    assert words in scores[0].warning
