"""A small game that takes a moment: what the tests of this folder train."""

from dataclasses import replace

import torch

from tests.conftest import images
from zerosum import recipes
from zerosum.game.ema import EMA
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe, change

SOURCE = images((1, 8, 8))
ENGINE = Engine(torch.device("cpu"))
RECIPE = replace(change(recipes.find("compact"), "networks.width=4"), batch_size=8, discriminator_steps=2)


def build(recipe: Recipe = RECIPE, seed: int = 0) -> tuple[Players, EMA]:
    """Initialise the players and the moving average."""
    players = Players.build(recipe, SOURCE, ENGINE, seed)
    return players, EMA(players.generator.network, recipe.ema_decay)
