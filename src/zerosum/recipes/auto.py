"""`auto`: the recipe for people who have not chosen one; it looks at the data."""

from dataclasses import replace

from zerosum.data import Source
from zerosum.networks.mlp import MLP
from zerosum.recipes import Recipe
from zerosum.recipes.modern import COMPACT


def choose(source: Source) -> Recipe:
    """The recipe that `source` should be trained with if nothing speaks for another."""
    if source.is_images:
        return COMPACT
    return replace(COMPACT, name="points", networks=MLP(latent=32))
