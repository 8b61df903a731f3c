"""`auto`: the recipe for people who have not chosen one; it looks at the data, and at the time there is."""

import math
from collections.abc import Callable
from dataclasses import replace

from zerosum.data import Source
from zerosum.game.recipe import Recipe
from zerosum.networks.compact import Compact
from zerosum.recipes.modern import COMPACT, COMPACT_CONDITIONAL, PHOTOS
from zerosum.recipes.toy import POINTS

CHOICES = (COMPACT, COMPACT_CONDITIONAL, PHOTOS, POINTS)
COLOURS = 3  # channels
PER_CLASS = 1_000  # a cautious bound: it helps at MNIST's 6,000 images per class, fewer were not measured
WIDTHS = (8, 12, 16, 24, 32)
ENOUGH, ENOUGH_SEEING = 20_000, 1_200  # iterations that a width should get; with heads on features: docs/measured.md
SMALL_VIEW = 64  # pixels that the frozen network is shown where there is no time for more: docs/budget.md
BEFORE = "1,500 iterations of width 16, before the recipe smoothed images, made"
# What runs of `photos` gave, by how many photos there were to train on: docs/photos.md, docs/budget.md. Coverage is of
# photos that no player saw, in the features that D saw.
FEW = {
    20: f"{BEFORE} two of the 20, blended: copies, no new cats (coverage .19)",
    207: f"{BEFORE} shapes with ears and eyes, much as 8,371 photos gave (coverage .29, not .35)",
    2_010: f"{BEFORE} shapes with ears and eyes, as 8,371 photos gave (coverage .34)",
    9_985: "1,200 iterations of width 16 (thirteen minutes of a core) made coats, bodies and grounds (coverage .65), "
    "3,000 (33 minutes) cats (.74)",
}
PATIENCE = 1_800.0  # seconds that a training should take at most if nobody says how long


def choose(source: Source) -> Recipe:
    """Choose the recipe for `source` if nothing speaks for another."""
    if not source.is_images:
        return POINTS
    labelled = source.classes > 1 and len(source.train) >= PER_CLASS * source.classes
    if labelled:
        return COMPACT_CONDITIONAL
    in_colour = source.shape[0] == COLOURS and source.stacked_from is None
    return PHOTOS if in_colour else COMPACT


def expect(recipe: Recipe, source: Source) -> str:
    """Say what a short training by `recipe` made of about as many photos as `source` has; empty if that is unknown."""
    if recipe.name != PHOTOS.name or not source.is_images or source.shape[0] != COLOURS:
        return ""
    count = len(source.train)
    nearest = min(FEW, key=lambda each: abs(math.log(each / count)))
    return (
        f"{count:,} images to train on: of {nearest:,} photos of cats, {FEW[nearest]}; fewer iterations make textures"
    )


def expect_of_iterations(recipe: Recipe, steps: int) -> str:
    """Say that `steps` iterations are too few for the recipe `photos`; empty if they are enough, or unmeasured."""
    if recipe.name != PHOTOS.name or steps >= ENOUGH_SEEING:
        return ""
    return f"{steps:,} iterations are few: shapes came after about {ENOUGH_SEEING:,}; more --minutes, better pictures"


def enough(recipe: Recipe) -> int:
    """Return how many iterations the networks of `recipe` should get, whatever their width."""
    return ENOUGH if recipe.networks.features == "none" else ENOUGH_SEEING


def fit(recipe: Recipe, seconds: float, iterations: int, measure: Callable[[Recipe], float]) -> Recipe:
    """Return `recipe` with the widest networks that get so many iterations in `seconds`; it is never widened.

    If even the narrowest get fewer, the frozen network behind heads on features is shown smaller images.

    Args:
        recipe: what `choose` gave, perhaps changed.
        seconds: the time for the training.
        iterations: that it should have, e.g. `enough`.
        measure: how many seconds an iteration of a recipe takes here.
    """
    networks = recipe.networks
    if not isinstance(networks, Compact):
        return recipe
    widths = sorted({*(width for width in WIDTHS if width < networks.width), networks.width})
    candidates = [replace(recipe, networks=replace(networks, width=width)) for width in widths]
    best = candidates[0]
    if networks.features != "none" and networks.feature_size > SMALL_VIEW and measure(best) * iterations > seconds:
        return fit(replace(recipe, networks=replace(networks, feature_size=SMALL_VIEW)), seconds, iterations, measure)
    for wider in candidates[1:]:
        if measure(wider) * iterations > seconds:
            break
        best = wider
    return best
