import pytest
import torch
from torch import nn

from zerosum.game.optimizers import SGD, Adam


def rates(config: Adam | SGD, steps: int, at: list[int]) -> list[tuple[float, float | None]]:
    optimizer = config.build([nn.Parameter(torch.zeros(1))])
    found = []
    for step in at:
        config.schedule(optimizer, step, steps)
        group = optimizer.param_groups[0]
        found.append((group["lr"], group.get("momentum")))
    return found


def test_adam_is_constant_unless_told_otherwise() -> None:
    assert [lr for lr, _ in rates(Adam(lr=0.1), 100, [0, 50, 99])] == [0.1, 0.1, 0.1]


def test_adam_falls_linearly_to_zero_from_a_fraction_on() -> None:
    found = [lr for lr, _ in rates(Adam(lr=0.1, decay_from=0.5), 100, [0, 50, 75, 99])]
    assert found == pytest.approx([0.1, 0.1, 0.05, 0.002])


def test_sgd_follows_the_released_schedule() -> None:
    at = [0, 62_500, 125_000, 200_000, 4_000_000]
    found = rates(SGD(), 1_000_000, at)
    assert [momentum for _, momentum in found] == pytest.approx([0.5, 0.6, 0.7, 0.7, 0.7])
    assert [lr for lr, _ in found] == pytest.approx([max(1e-6, 0.1 / 1.000004**step) for step in at])
    assert found[-1][0] == 1e-6


def test_a_steep_decay_ends_at_the_floor() -> None:
    assert rates(SGD(decay=1.01, lr_floor=1e-6), 100_000, [99_999]) == [
        (1e-6, pytest.approx(0.5 + 0.2 * 99_999 / 125_000))
    ]
    assert rates(SGD(decay=10.0, lr_floor=0.0), 100_000, [99_999])[0][0] == 0.0


@pytest.mark.parametrize("wrong", [{"lr": 0}, {"lr": -1}, {"beta1": 1.0}, {"decay_from": 2}])
def test_impossible_values_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Input should be"):
        Adam(**wrong)
