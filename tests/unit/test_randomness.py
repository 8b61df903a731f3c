import threading
from concurrent.futures import ThreadPoolExecutor

import torch

from zerosum import randomness


def draws(seed: int, step: int, purpose: str, rank: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    with randomness.scope(seed, step, purpose, rank):
        return torch.randn(4), torch.nn.functional.dropout(torch.ones(64), training=True)


def test_a_scope_is_a_function_of_its_arguments() -> None:
    for one, again in zip(draws(1, 2, "a"), draws(1, 2, "a"), strict=True):
        assert torch.equal(one, again)


def test_every_argument_matters() -> None:
    base = draws(1, 2, "a")[0]
    for other in (draws(2, 2, "a"), draws(1, 3, "a"), draws(1, 2, "b"), draws(1, 2, "a", rank=1)):
        assert not torch.equal(base, other[0])


def test_a_scope_neither_reads_nor_changes_the_callers_state() -> None:
    torch.manual_seed(7)
    inside = draws(1, 2, "a")[0]
    after = torch.randn(3)
    torch.manual_seed(7)
    assert torch.equal(after, torch.randn(3))
    torch.manual_seed(8)
    assert torch.equal(inside, draws(1, 2, "a")[0])


def test_the_state_comes_back_after_an_error() -> None:
    torch.manual_seed(7)
    try:
        with randomness.scope(0, 0, "a"):
            raise KeyError
    except KeyError:
        pass
    after = torch.randn(3)
    torch.manual_seed(7)
    assert torch.equal(after, torch.randn(3))


def test_a_thread_waits_until_another_one_has_left_its_scope() -> None:
    inside = threading.Event()

    def draw_beside() -> torch.Tensor:
        with randomness.scope(1, 0, "b"):
            inside.set()
            return torch.randn(3)

    with ThreadPoolExecutor(1) as pool:
        with randomness.scope(0, 0, "a"):
            first = torch.randn(3)
            beside = pool.submit(draw_beside)
            assert not inside.wait(0.05)
            second = torch.randn(3)
        assert torch.equal(beside.result(), draw_beside())
    with randomness.scope(0, 0, "a"):
        assert torch.equal(torch.stack([torch.randn(3), torch.randn(3)]), torch.stack([first, second]))
