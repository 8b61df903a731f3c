"""The pilot of a plan: which real samples it draws."""

import pytest
import torch

from zerosum.data import Source, Split
from zerosum.evaluation.pilot import _draw_reals
from zerosum.metrics import Reference
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.features import Request

TRAIN, TEST = torch.arange(40.0)[:, None], torch.arange(100.0, 130.0)[:, None]


@pytest.mark.parametrize(("reference", "where"), [("test", (TEST, TRAIN)), ("train", (TRAIN, TEST)), ("all", ())])
def test_the_real_samples_and_those_of_the_floor_are_others(
    reference: Reference, where: tuple[torch.Tensor, ...]
) -> None:
    source = Source("numbers", Split(TRAIN), Split(TEST))
    evaluation = Evaluation.of(source, Request("coordinates"), reference, made_elsewhere=reference == "all")
    drawn = [set(each.flatten().tolist()) for each in _draw_reals(evaluation, 25, 3)]
    assert [len(each) for each in drawn] == [25, 25]
    assert drawn[0].isdisjoint(drawn[1])
    everything = set(torch.cat([TRAIN, TEST]).flatten().tolist())
    for each, split in zip(drawn, where or (everything,) * 2, strict=True):
        assert each <= (split if isinstance(split, set) else set(split.flatten().tolist()))
    if reference == "all":
        assert all(each & set(split.flatten().tolist()) for each in drawn for split in (TRAIN, TEST))
    assert [set(each.flatten().tolist()) for each in _draw_reals(evaluation, 25, 3)] == drawn
    assert [set(each.flatten().tolist()) for each in _draw_reals(evaluation, 25, 4)] != drawn
