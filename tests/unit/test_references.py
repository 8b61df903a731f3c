"""Every component names where it comes from, and what it names can be cited."""

import re

import pytest

from zerosum import catalog, recipes, references
from zerosum.game.losses import Game
from zerosum.game.optimizers import OptimizerConfig
from zerosum.game.recipe import Recipe, change
from zerosum.game.regularizers import Regularizer
from zerosum.game.tricks import Trick
from zerosum.networks import Networks

BASES = (Game, Networks, OptimizerConfig, Regularizer, Trick)
COMPONENTS = [cls for base in BASES for cls in catalog.choices(base).values()]  # type: ignore[type-abstract]


@pytest.mark.parametrize("component", COMPONENTS, ids=catalog.name_of)
def test_a_component_can_be_cited(component: type) -> None:
    known = {reference.name for reference in references.load_references()}
    assert references.find_names(component.paper)
    assert set(references.find_names(component.paper)) <= known


@pytest.mark.parametrize("recipe", recipes.recipes().values(), ids=lambda recipe: recipe.name)
def test_whatever_a_recipe_names_is_cited(recipe: Recipe) -> None:
    text = "\n".join(recipe.papers)
    assert {reference.name for reference in references.find_references(text)} == set(references.find_names(text))


def test_what_is_used_around_a_family_is_cited() -> None:
    recipe = change(recipes.find("dcgan"), "networks.condition=auxiliary")
    recipe = change(recipe, 'tricks=["adaptive-augment"]')
    keys = {reference.key for reference in references.find_references("\n".join(recipe.papers))}
    assert {"odena2017conditional", "karras2020training", "radford2016unsupervised", "kingma2015adam"} <= keys


def test_the_entries_are_well_formed() -> None:
    entries = references.load_references()
    assert len({entry.key for entry in entries}) == len({entry.name for entry in entries}) == len(entries)
    for entry in entries:
        assert re.match(r"@\w+\{[a-z]+\d{4}[a-z]+,\n", entry.bibtex)
        assert entry.bibtex.count("{") == entry.bibtex.count("}")
        assert entry.bibtex.endswith("\n}")
