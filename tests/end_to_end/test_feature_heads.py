"""A discriminator with heads on features: trained by the command, interrupted and resumed, scored with a warning."""

from functools import reduce

import pytest

import zerosum
from tests.end_to_end.conftest import Command
from tests.photos import fill
from zerosum.game.recipe import change
from zerosum.metrics.evaluation import FLATTERED
from zerosum.records import Record

SMALL = (
    "networks.features=efficientnet",
    "networks.feature_size=64",
    "networks.width=4",
    "batch_size=4",
    "data.size=16",
    "precision=float32",
)


def test_a_run_with_heads_on_features_resumes_to_the_same_bits_and_its_scores_warn(in_process: Command) -> None:
    fill(in_process.folder / "photos", 20)
    options = [word for each in SMALL for word in ("--set", each)]
    command = ("train", "photos", "--recipe", "photos", "--device", "cpu", "--steps", 4, *options)
    code, out, err = in_process(*command, "--out", "whole")
    assert (code, err) == (0, "")
    assert FLATTERED in " ".join(out.split())

    def interrupt(record: Record) -> None:
        if record.step == 2:
            raise KeyboardInterrupt

    recipe = reduce(change, SMALL, zerosum.recipe("photos"))
    with pytest.raises(KeyboardInterrupt):
        zerosum.train("photos", recipe, steps=4, device="cpu", out="parts", observe=interrupt)
    zerosum.resume("parts")
    one, other = (in_process.folder / name / "checkpoints" / "000004.safetensors" for name in ("whole", "parts"))
    assert one.read_bytes() == other.read_bytes()

    code, out, _ = in_process("evaluate", "whole", "--features", "pixels", "--count", 20)
    assert code == 0
    assert FLATTERED not in " ".join(out.split())
    code, out, _ = in_process("evaluate", "whole", "--count", 20)
    assert FLATTERED in " ".join(out.split())
