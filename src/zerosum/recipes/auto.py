"""`auto`: the recipe for people who have not chosen one; it looks at the data."""

from zerosum.data import Source
from zerosum.recipes import Recipe
from zerosum.recipes.modern import COMPACT
from zerosum.recipes.toy import TOY


def choose(source: Source) -> Recipe:
    """The recipe that `source` should be trained with if nothing speaks for another."""
    return COMPACT if source.is_images else TOY
