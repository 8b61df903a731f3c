"""`zerosum.evaluate`: the same scores as an Evaluation gives, of whatever can be scored."""

from pathlib import Path

import numpy as np
import pytest
import torch

import zerosum
from zerosum.data import Source
from zerosum.errors import InputError
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request
from zerosum.metrics.frechet import FrechetDistance


def test_samples_in_memory_and_in_a_file_score_alike(digits: Source, tmp_path: Path) -> None:
    images = digits.train.samples[:200]
    np.save(tmp_path / "made.npy", images.numpy())
    result = zerosum.evaluate(
        [images, tmp_path / "made.npy"], "digits", metrics=["frechet-distance"], features="pixels", seed=3
    )
    assert list(result.scores) == ["samples 1", str(tmp_path / "made.npy")]
    in_memory, in_file = (scores[0] for scores in result.scores.values())
    expected = Evaluation.of(digits, Request("pixels"), "all").scores(images, 3, [FrechetDistance()])[0]
    assert in_memory.value == expected.value
    assert in_file.value == pytest.approx(expected.value, rel=1e-9)
    assert result.pairs is None


def test_pairs_are_the_samples_nearest_to_training_images(digits: Source) -> None:
    images = digits.train.samples[:40]
    result = zerosum.evaluate(images, "digits", metrics=["frechet-distance"], features="pixels", pairs=4)
    assert result.pairs is not None
    assert result.pairs.shape == (8, 1, 8, 8)
    assert torch.equal(result.pairs[0::2], result.pairs[1::2])  # copies


@pytest.mark.parametrize(
    ("what", "options", "message"),
    [
        ([], {}, "nothing to evaluate"),
        (["a", "a"], {"against": "digits"}, "the same name is given twice"),
        (["a", "b"], {"pairs": 4}, "--pairs is for one thing at a time"),
        ("a", {"reference": "tset"}, "choose one of: auto, test, train, all"),
        ("a", {"metrics": ["frechet"]}, "unknown metric 'frechet'"),
        ("a", {"metrics": ["fid"]}, "fid is the Fréchet distance in Inception's features"),
        ("nowhere", {}, "no run and no images at nowhere"),
        (torch.zeros(4, 1, 8, 8, dtype=torch.uint8), {}, "say which real data to compare with"),
        (torch.zeros(4, 1, 9, 9, dtype=torch.uint8), {"against": "digits"}, "cannot be compared"),
    ],
)
def test_what_cannot_be_scored_is_refused(what: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        zerosum.evaluate(what, **options)  # type: ignore[arg-type]
