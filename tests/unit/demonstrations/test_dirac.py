"""The Dirac-GAN of Mescheder et al. (2018): the norm of (theta, psi) after 500 updates with step 0.2 from (1, 1)."""

import math

import pytest
import torch

from zerosum.demonstrations.dirac import METHODS, STEP, UPDATES, Method, simulate, tabulate_method

ANCHORS = {  # simultaneous, alternating
    "minimax": (3.1, 1.42),
    "non-saturating": (0.64, 0.28),
    "wasserstein, clipped at 1": (1.0, 1.02),
    "wasserstein, gradient penalty": (1.8, 1.2),
    "non-saturating, R1 0.3": (2.6e-6, 2.3e-7),
    "non-saturating, R1 1": (1e-21, 7e-17),
}
BY_NAME = {method.name: method for method in METHODS}
NOISY = BY_NAME["minimax, instance noise 0.7"]


def end(method: Method, *, alternating: bool) -> float:
    return float(simulate(method, alternating=alternating)[-1].norm())


@pytest.mark.parametrize("name", ANCHORS)
def test_which_methods_converge(name: str) -> None:
    """The published dynamics to the order of magnitude (half a decade): only R1 reaches the equilibrium."""
    for expected, in_turn in zip(ANCHORS[name], (False, True), strict=True):
        assert abs(math.log10(end(BY_NAME[name], alternating=in_turn) / expected)) < 0.5


def test_instance_noise_converges_as_fast_as_its_eigenvalue_says() -> None:
    """Half a decade allows for the beginning, where the game is not linear yet."""
    assert NOISY.eigenvalue is not None
    predicted = math.sqrt(2) * abs(1 + STEP * NOISY.eigenvalue) ** UPDATES
    assert abs(math.log10(end(NOISY, alternating=False) / predicted)) < 0.5
    assert end(NOISY, alternating=True) < 1e-4


def test_the_eigenvalues_are_those_of_the_paper() -> None:
    assert BY_NAME["non-saturating"].eigenvalue == 0.5j
    assert BY_NAME["non-saturating, R1 1"].eigenvalue == -0.5  # the critical gamma
    assert BY_NAME["wasserstein, clipped at 1"].eigenvalue is None
    assert NOISY.eigenvalue == pytest.approx(complex(-0.1225, math.sqrt(0.25 - 0.1225**2)))


def test_the_words() -> None:
    """A word for both ways to play, or one for each."""
    near, inside, around, out = (
        torch.stack([torch.linspace(1.4, distance, 501), torch.zeros(501)], dim=1) for distance in (1e-4, 0.6, 1.4, 3.0)
    )
    method = BY_NAME["non-saturating, R1 1"]
    assert tabulate_method(method, near, near) == ("non-saturating, R1 1", pytest.approx(1e-4), pytest.approx(1e-4),
                                            "-0.50", "0.900", "converges")  # fmt: skip
    ends = [tabulate_method(method, near, far)[-1] for far in (inside, around, out)]
    assert ends == ["converges; creeps in", "converges; circles", "converges; spirals out"]


def test_without_regularisation_only_turns_let_the_non_saturating_game_creep_in() -> None:
    """Updated simultaneously it ends on a circle, for the steps are finite."""
    method = BY_NAME["non-saturating"]
    paths = [simulate(method, alternating=in_turn) for in_turn in (False, True)]
    assert tabulate_method(method, *paths)[-1] == "circles; creeps in"
