"""Small players whose every value can be looked at: networks on the line, outside any recipe."""

from torch import nn

from zerosum.optimizers import Optimizer
from zerosum.players import Player


def discriminator(inputs: int, width: int) -> nn.Sequential:
    """Points [N, inputs] to logits [N]; tanh makes it smooth, as the densities are."""
    return nn.Sequential(
        nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1), nn.Flatten(0)
    )


def player(network: nn.Module, settings: Optimizer) -> Player:
    """A player without regularisers."""
    return Player(network, settings.over(network.parameters()), settings)
