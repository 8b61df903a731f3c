"""`zerosum.Scorer`: what comes in batches scores as what lies in files, in one process and in two."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import zerosum
from zerosum.data import to_float
from zerosum.errors import InputError
from zerosum.evaluation.pixels import PixelReader

FEATURES = "random-convolutions"
METRICS = ("frechet-distance", "kernel-distance", "neighbours")


def noise(count: int, seed: int, most: int = 256) -> torch.Tensor:
    return torch.randint(0, most, (count, 3, 12, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


REAL, FAKE = noise(150, 1), noise(90, 2, 240)


def test_batches_score_as_the_same_images_in_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "real.npy", REAL.numpy())
    scorer = zerosum.Scorer(metrics=METRICS, features=FEATURES)
    for batch in torch.split(REAL, 40):
        scorer.update(real=batch)
    for batch in torch.split(FAKE.flip(0), 32):  # the order does not matter
        scorer.update(fake=batch)
    table = scorer.compute()
    result = zerosum.evaluate(FAKE, tmp_path / "real.npy", metrics=METRICS, features=FEATURES, seed=1)
    (expected,) = result.scores.values()
    assert [score.metric for score in expected] == list(table)
    for score in expected:
        assert (table[score.metric].value, table[score.metric].interval) == (score.value, (score.low, score.high))
        assert table[score.metric].real == pytest.approx(score.real, rel=1e-9)
    assert table.to_dict() == {score.metric: score.value for score in expected}
    assert [json.loads(json.dumps(each))["value"] for each in table.to_records()] == [each.value for each in expected]
    assert "90 generated samples against 150 real ones" in table["frechet-distance"].protocol
    with pytest.raises(KeyError):
        table["fid"]


def test_the_same_loop_goes_on_after_compute_and_begins_again_after_reset() -> None:
    scorer = zerosum.Scorer(metrics=["frechet-distance"], features=FEATURES)
    scorer.update(real=REAL, fake=FAKE[:40])
    half = scorer.compute()["frechet-distance"]
    scorer.update(fake=FAKE[40:])
    whole = scorer.compute()["frechet-distance"]
    assert (half.samples, whole.samples) == (40, 90)
    scorer.reset(real=False)
    scorer.update(fake=FAKE[:40])
    assert scorer.compute()["frechet-distance"] == half
    scorer.reset()
    with pytest.raises(InputError, match="0 generated images have come: at least 2 are needed"):
        scorer.compute()


def test_all_metrics_that_features_suffice_for_are_measured_by_default() -> None:
    scorer = zerosum.Scorer(features=FEATURES)
    scorer.update(real=REAL, fake=FAKE)
    found = list(scorer.compute())
    assert found[:2] == ["frechet-distance", "kernel-distance"]
    assert {"precision", "coverage", "variety", "nearer-than-real"} <= set(found)


def test_statistics_stand_for_real_images(tmp_path: Path) -> None:
    np.save(tmp_path / "real.npy", REAL.numpy())
    zerosum.save_reference(tmp_path / "real.npy", tmp_path / "ref.npz", features=FEATURES)
    scorer = zerosum.Scorer(tmp_path / "ref.npz")
    scorer.update(fake=FAKE)
    (score,) = scorer.compute().values()
    ((expected,),) = zerosum.evaluate(FAKE, tmp_path / "ref.npz").scores.values()
    assert score.value == expected.value
    with pytest.raises(InputError, match="real images have no place here"):
        scorer.update(real=REAL)


@pytest.mark.parametrize(("scale", "said"), [("unit", "0..1"), ("signed", "-1..1"), ("bytes", "0..255")])
def test_fractions_score_as_the_bytes_that_they_are_and_the_guess_is_said(scale: str, said: str) -> None:
    fractions = {"unit": FAKE / 255, "signed": to_float(FAKE), "bytes": FAKE.float() + 0.25}[scale]
    values = []
    for fake in (FAKE, fractions):
        scorer = zerosum.Scorer(metrics=["frechet-distance"], features=FEATURES)
        scorer.update(real=REAL, fake=fake)
        values.append(scorer.compute()["frechet-distance"])
    assert values[0].value == values[1].value
    assert "fractions" not in values[0].protocol
    assert f"Generated images were fractions of {said}, guessed from their values" in values[1].protocol
    assert "Real images were" not in values[1].protocol


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([torch.full((2, 3, 8, 8), 0.1)], "one value tells nothing"),
        ([torch.rand(2, 3, 8, 8) * 0.1], "two readings are possible"),
        ([torch.rand(2, 3, 8, 8) * 1.2 - 0.1], "two readings are possible"),
        ([torch.rand(2, 3, 8, 8) * 900 - 500], "they fit no range that images have"),
        ([torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8) * 2 - 1], "outside 0..1, as it was guessed from the first"),
        ([torch.full((2, 3, 8, 8), float("nan"))], "384 values are NaN"),
        ([torch.zeros(2, 3, 8, 8, dtype=torch.int64)], "bytes .uint8. or fractions are wanted"),
        ([torch.zeros(3, 8, 8)], "the shape .3, 8, 8.: .N, C, H, W. is wanted"),
        ([torch.zeros(2, 4, 8, 8)], "with 1 or 3 channels"),
        ([np.zeros((2, 3, 8, 3), np.uint8)], "the channels may come first or last"),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused(batches: list[torch.Tensor | NDArray[np.uint8]], message: str) -> None:
    torch.manual_seed(0)
    reader = PixelReader("real images")
    *before, last = batches
    for batch in before:
        reader.read(batch)
    with pytest.raises(InputError, match=message):
        reader.read(last)


def test_a_range_that_is_said_is_not_guessed() -> None:
    dark = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.1
    reader = PixelReader("real images", (0, 1))
    assert int(reader.read(dark).max()) == round(float(dark.max()) * 255)
    assert reader.note == "real images were fractions of 0..1, as was said, and rounded to bytes"
    with pytest.raises(InputError, match=r"outside 0\.\.1, as was said"):
        reader.read(dark - 1)
    with pytest.raises(InputError, match="the ranges of images are"):
        PixelReader("real images", (0, 2))


def test_arrays_may_have_their_channels_last() -> None:
    pixels = noise(4, 0)
    read = PixelReader("real images").read(pixels.permute(0, 2, 3, 1).numpy())
    assert torch.equal(read, pixels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": "mifid"}, "metrics"),
        ({"metric": ["mifid"]}, "did you mean 'metrics'"),
        (
            {"metrics": ["sliced-wasserstein"]},
            "looks at the patches of Laplacian pyramids, and a Scorer",
        ),
        ({"count": 3}, "count has no meaning for a Scorer"),
        ({"reference": "test"}, "reference have no meaning"),
    ],
)
def test_options_without_a_meaning_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        zerosum.Scorer(**options)  # type: ignore[arg-type]


def test_images_of_another_size_are_refused() -> None:
    scorer = zerosum.Scorer(features=FEATURES)
    scorer.update(real=REAL)
    with pytest.raises(InputError, match=r"images of shape \[3, 8, 8\] came after some of \[3, 12, 12\]"):
        scorer.update(fake=FAKE[:, :, :8, :8])
    with pytest.raises(InputError, match="update takes real=IMAGES, fake=IMAGES, or both"):
        scorer.update()


PROGRAM = """
import sys, torch, zerosum
from torch import distributed
from tests.unit.evaluation.test_scorer import SMALL_FAKE, SMALL_REAL, score
torch.set_num_threads(1)
rank = int(sys.argv[1])
distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{sys.argv[2]}", rank=rank, world_size=2)
real, fake = (SMALL_REAL[:100], SMALL_REAL[100:])[rank], (SMALL_FAKE[:33], SMALL_FAKE[33:])[rank]
print(score(real, fake / 255))
try:
    score(real, fake / (255, 1.0)[rank])
except zerosum.errors.InputError as error:
    print(error)
"""
SMALL_REAL, SMALL_FAKE = REAL[:, :, :4, :4], FAKE[:, :, :4, :4]


def score(real: torch.Tensor, fake: torch.Tensor) -> str:
    scorer = zerosum.Scorer(metrics=["frechet-distance", "neighbours"], features="pixels")
    scorer.update(real=real, fake=fake)
    return str([(each.value, each.low, each.high) for each in scorer.compute().values()])


def test_two_processes_score_as_one_bit_for_bit_and_refuse_other_guesses() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(rank), str(port)],
            cwd=Path(__file__).parents[3],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    alone = score(SMALL_REAL, SMALL_FAKE / 255)
    torch.set_num_threads(threads)
    first, second = (process.communicate(timeout=120)[0].splitlines() for process in processes)
    assert first == second
    assert first[0] == alone
    assert first[1].startswith("processes guessed other ranges for fake images, (0.0, 1.0) and (0.0, 255.0)")
