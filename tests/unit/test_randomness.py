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


def test_threads_do_not_meet_in_their_scopes() -> None:
    def many(seed: int) -> list[torch.Tensor]:
        found = []
        for step in range(200):
            with randomness.scope(seed, step, "a"):
                found += [torch.randn(3) for _ in range(3)]
        return found

    alone = [torch.stack(many(seed)) for seed in range(2)]
    with ThreadPoolExecutor(2) as pool:
        together = [torch.stack(found) for found in pool.map(many, range(2))]
    assert torch.equal(torch.stack(together), torch.stack(alone))
