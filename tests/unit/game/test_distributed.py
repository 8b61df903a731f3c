"""What a process knows of the others; that they play one game is tested end to end."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import zerosum
from zerosum.errors import InputError
from zerosum.game.distributed import ALONE, Group, Team, choose_own, join


def test_parts_are_shared_in_order() -> None:
    assert list(ALONE.parts(4)) == [0, 1, 2, 3]
    assert [list(Team(rank, 2).parts(4)) for rank in range(2)] == [[0, 1], [2, 3]]


@given(st.integers(1, 200), st.integers(1, 20), st.integers(1, 9))
def test_shares_are_whole_batches_in_order_and_the_first_process_has_one(count: int, batch: int, size: int) -> None:
    team = Group(0, size)
    shares = [team._share(rank, count, batch) for rank in range(size)]
    assert [each for begin, end in shares for each in range(begin, end)] == list(range(count))
    assert all(begin % batch == 0 for begin, end in shares if begin < end)
    lengths = [-(-(end - begin) // batch) for begin, end in shares]
    assert lengths[0] > 0
    assert max(lengths) - min(lengths) <= 1


def test_a_process_without_others_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert join() is ALONE


def test_processes_do_not_train_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="run in one process, and torchrun started several: use torchrun -m zerosum"):
        zerosum.train("ring", steps=1)


def test_each_process_of_a_machine_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert choose_own("cpu") == "cpu"
    assert choose_own("cuda:0") == "cuda:1"
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(InputError, match="3 or more processes on this machine, and 2 GPUs"):
        choose_own("cuda")
