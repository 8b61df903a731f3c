"""Networks that are small enough to look at every value, and players that are made of them."""

import torch
from torch import nn

from zerosum.game.engine import Engine
from zerosum.game.optimizers import OptimizerConfig
from zerosum.game.players import Player, Players
from zerosum.game.recipe import Recipe


def build_discriminator(inputs: int, width: int) -> nn.Sequential:
    """Build a network of points [N, inputs] to logits [N]; tanh makes it smooth, as the densities are."""
    return nn.Sequential(
        nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1), nn.Flatten(0)
    )


def build_players(generator: nn.Module, discriminator: nn.Module, recipe: Recipe) -> Players:
    """Make players of these networks, with the optimisers of `recipe`, on the CPU in float32."""

    def build_player(network: nn.Module, config: OptimizerConfig) -> Player:
        return Player(network, config.build(network.parameters()), config)

    return Players(
        build_player(generator, recipe.generator_optimizer),
        build_player(discriminator, recipe.discriminator_optimizer),
        recipe.networks,
        Engine(torch.device("cpu")),
    )
