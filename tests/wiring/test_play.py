"""`play` against the game written out: the same weights after the same steps, and the same figures on the way."""

from itertools import islice

import pytest
import torch
from torch import Tensor

from tests.wiring.cases import CASES
from tests.wiring.reference import Case, Measured, Reference
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.players import Players

STEPS, SEED = 7, 3
ENGINE = Engine(torch.device("cpu"))


def assert_same(found: Tensor, expected: Tensor, tolerance: float, what: str) -> None:
    if tolerance == 0:
        assert torch.equal(found, expected), what
    torch.testing.assert_close(found, expected.detach(), rtol=0, atol=tolerance, msg=what)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_play_ends_with_the_weights_of_the_game_written_out(case: Case) -> None:
    """Played in two parts, so that the second has to take up the counts where the first left them."""
    players, written_out = Players.build(case.recipe, case.source, ENGINE, SEED), Reference(case, SEED)
    iterations = list(islice(play(players, case.recipe, case.source.train, steps=STEPS, seed=SEED), 3))
    iterations += play(players, case.recipe, case.source.train, steps=STEPS, seed=SEED, start=3)
    for iteration, measured in zip(iterations, written_out.play(STEPS), strict=True):
        for name in Measured._fields:
            found, expected = (torch.as_tensor(getattr(each, name)) for each in (iteration, measured))
            assert_same(found, expected, case.tolerance, f"{name} of step {measured.step}")
    networks = (
        (players.generator.network, written_out.generator),
        (players.discriminator.network, written_out.discriminator),
    )
    for played, expected_network in networks:
        for name, expected in expected_network.state_dict().items():
            assert_same(played.state_dict()[name], expected, case.tolerance, name)
