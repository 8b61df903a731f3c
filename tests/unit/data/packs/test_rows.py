"""Samples of a mirror as a tensor: whoever looks sees what is there, only that is fetched, and nobody sees a hole."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from zerosum.data import Split
from zerosum.data.packs.rows import MirroredRows

TRAIN, TEST = 40, 10
PIXELS = torch.randint(1, 256, (TRAIN + TEST, 3, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


class Holes:
    """A mirror of which nothing is there before it is needed."""

    is_complete = False

    def __init__(self) -> None:
        self.samples, self.needed, self.told = torch.zeros_like(PIXELS), set[int](), False

    def need(self, rows: Any, *, told: bool = False) -> None:
        new = torch.tensor(sorted(set(rows.tolist()) - self.needed), dtype=torch.int64)
        self.samples[new] = PIXELS[new]
        self.needed |= set(new.tolist())
        self.told |= told


def look_into(mirror: Holes, first: int = 0, end: int = TRAIN) -> Tensor:
    return MirroredRows.of(mirror, first, end)  # type: ignore[arg-type]


LOOKS: dict[str, Callable[[Tensor], Any]] = {
    "index_select": lambda rows: rows.index_select(0, torch.tensor([3, 30, 3])),
    "index_select by name": lambda rows: rows.index_select(dim=0, index=torch.tensor([3, 30])),
    "index_select of columns": lambda rows: rows.index_select(2, torch.tensor([3])),
    "torch.index_select": lambda rows: torch.index_select(rows, 0, torch.tensor([7])),
    "a row": lambda rows: rows[5],
    "the last": lambda rows: rows[-1],
    "a slice": lambda rows: rows[4:9],
    "every third, backwards": lambda rows: rows[torch.arange(39, 0, -3)],
    "negative places": lambda rows: rows[torch.tensor([-1, -40])],
    "a mask": lambda rows: rows[torch.arange(TRAIN) % 7 == 0],
    "a tuple": lambda rows: rows[2:6, 0],
    "a tuple of tensors": lambda rows: rows[torch.tensor([1, 2]), torch.tensor([0, 1])],
    "no key": lambda rows: rows[...],
    "a new axis": lambda rows: rows[None],
    "a list": lambda rows: rows[[1, 38]],
    "a mask of all": lambda rows: rows[rows > 9],
    "in another's place": lambda rows: PIXELS[rows[:, 0, 0, 0].long() % 50],
    "cat": lambda rows: torch.cat([rows[:1], rows]),
    "cat by name": lambda rows: torch.cat(tensors=(rows, rows)),
    "split": lambda rows: torch.cat(torch.split(rows, 7)),
    "iteration": lambda rows: torch.stack(list(rows)),
    "numpy": lambda rows: rows.numpy(),
    "asarray": lambda rows: np.asarray(rows),
    "floats": lambda rows: rows.float(),
    "a view": lambda rows: rows.view(TRAIN, -1).flatten(1),
    "comparison": lambda rows: rows == PIXELS[:TRAIN],
    "comparison on the right": lambda rows: PIXELS[:TRAIN] == rows,
    "sum": lambda rows: rows.sum(0),
    "list": lambda rows: rows.tolist(),
    "dlpack": lambda rows: torch.from_dlpack(rows),
    "a copy": lambda rows: torch.empty_like(rows).copy_(rows),
    "clone": lambda rows: rows.clone(),
    "detached": lambda rows: rows.detach(),
    "data": lambda rows: rows.data,
    "changed": lambda rows: rows.fill_(7),
    "one changed": lambda rows: (rows.__setitem__(3, 0), rows.clone())[1],
    "unbound": lambda rows: torch.stack(rows.unbind()),
}


@pytest.mark.parametrize("look", LOOKS)
def test_whoever_looks_sees_the_samples_and_no_hole(look: str) -> None:
    found, expected = LOOKS[look](look_into(Holes())), LOOKS[look](PIXELS[:TRAIN].clone())
    assert not isinstance(found, MirroredRows)
    if isinstance(expected, Tensor):
        assert torch.equal(found, expected)
    else:
        np.testing.assert_array_equal(np.array(found), np.array(expected))


@pytest.mark.parametrize(
    "look", [torch.vmap(lambda row: row.float().sum()), lambda rows: rows.as_subclass(Tensor).float()]
)
def test_what_would_see_holes_is_refused(look: Callable[[Tensor], Any]) -> None:
    with pytest.raises((TypeError, RuntimeError)):
        look(look_into(Holes()))


numbers = st.integers(-TRAIN, TRAIN - 1)
slices = st.slices(TRAIN).filter(lambda key: key.step is None or key.step > 0)  # PyTorch has no others
places = st.lists(numbers, max_size=9).map(lambda chosen: torch.tensor(chosen, dtype=torch.int64))
masks = st.lists(st.booleans(), min_size=TRAIN, max_size=TRAIN).map(torch.tensor)
keys = numbers | slices | places | masks


@given(keys, st.booleans())
def test_only_the_rows_that_are_looked_at_are_fetched(key: Any, alone: bool) -> None:
    mirror = Holes()
    found = look_into(mirror)[key if alone else (key, 0)]
    assert torch.equal(found, PIXELS[:TRAIN][key if alone else (key, 0)])
    assert mirror.needed == set(torch.arange(TRAIN)[key].flatten().tolist())
    assert not mirror.told


def test_shape_and_type_need_no_sample() -> None:
    mirror = Holes()
    rows = look_into(mirror)
    assert (len(rows), rows.shape, rows.size(1), rows.dim(), rows.ndim) == (TRAIN, (TRAIN, 3, 4, 4), 3, 4, 4)
    assert (rows.numel(), rows.dtype, rows.device.type) == (48 * TRAIN, torch.uint8, "cpu")
    assert len(rows.new_empty(2, 3)) == 2
    assert mirror.needed == set()


def test_the_rows_of_one_split_are_not_those_of_the_other() -> None:
    mirror = Holes()
    train, test = look_into(mirror), look_into(mirror, TRAIN, TRAIN + TEST)
    assert torch.equal(test[2:4], PIXELS[TRAIN + 2 : TRAIN + 4])
    assert mirror.needed == {TRAIN + 2, TRAIN + 3}
    assert torch.equal(test.float(), PIXELS[TRAIN:].float())
    assert mirror.needed == set(range(TRAIN, TRAIN + TEST))
    assert mirror.told
    assert torch.equal(torch.cat([test, train]), torch.cat([PIXELS[TRAIN:], PIXELS[:TRAIN]]))


@pytest.mark.parametrize("flip", [False, True])
def test_minibatches_are_those_of_a_plain_split(flip: bool) -> None:
    mirror = Holes()
    found, expected = Split(look_into(mirror), flip=flip), Split(PIXELS[:TRAIN], flip=flip)
    for number in (0, 1, 7):
        assert torch.equal(found.minibatch(4, number, 3).samples, expected.minibatch(4, number, 3).samples)
    assert len(mirror.needed) <= 12
    assert not mirror.told


def test_samples_that_are_all_there_are_a_plain_tensor() -> None:
    mirror = Holes()
    mirror.is_complete = True
    assert type(look_into(mirror)) is Tensor
