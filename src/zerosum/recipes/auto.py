"""`auto`: the recipe for people who have not chosen one; it looks at the data."""

from zerosum.data import Source
from zerosum.game.recipe import Recipe
from zerosum.recipes.modern import COMPACT, COMPACT_CONDITIONAL
from zerosum.recipes.toy import POINTS

CHOICES = (COMPACT, COMPACT_CONDITIONAL, POINTS)
PER_CLASS = 1_000  # a cautious bound: it helps at MNIST's 6,000 images per class, fewer were not measured


def choose(source: Source) -> Recipe:
    """Choose the recipe for `source` if nothing speaks for another."""
    if not source.is_images:
        return POINTS
    labelled = source.classes > 1 and len(source.train) >= PER_CLASS * source.classes
    return COMPACT_CONDITIONAL if labelled else COMPACT
