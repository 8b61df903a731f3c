"""Every component names where it comes from, and what it names can be cited."""

import re

import pytest

from zerosum import catalog, recipes, references
from zerosum.games import Game
from zerosum.networks import Networks
from zerosum.optimizers import Optimizer
from zerosum.regularizers import Regularizer
from zerosum.tricks import Trick

BASES = (Game, Networks, Optimizer, Regularizer, Trick)
COMPONENTS = [cls for base in BASES for cls in catalog.choices(base).values()]  # type: ignore[type-abstract]


@pytest.mark.parametrize("component", COMPONENTS, ids=catalog.name_of)
def test_a_component_can_be_cited(component: type) -> None:
    known = {reference.name for reference in references.references()}
    assert references.names(component.paper)
    assert set(references.names(component.paper)) <= known


@pytest.mark.parametrize("recipe", recipes.recipes().values(), ids=lambda recipe: recipe.name)
def test_whatever_a_recipe_names_is_cited(recipe: recipes.Recipe) -> None:
    text = "\n".join(recipe.papers)
    assert {reference.name for reference in references.mentioned(text)} == set(references.names(text))


def test_what_is_used_around_a_family_is_cited() -> None:
    recipe = recipes.change(recipes.find("dcgan"), "networks.condition=auxiliary")
    recipe = recipes.change(recipe, 'tricks=["adaptive-augment"]')
    keys = {reference.key for reference in references.mentioned("\n".join(recipe.papers))}
    assert {"odena2017conditional", "karras2020training", "radford2016unsupervised", "kingma2015adam"} <= keys


def test_the_entries_are_well_formed() -> None:
    entries = references.references()
    assert len({entry.key for entry in entries}) == len({entry.name for entry in entries}) == len(entries)
    for entry in entries:
        assert re.match(r"@\w+\{[a-z]+\d{4}[a-z]+,\n", entry.bibtex)
        assert entry.bibtex.count("{") == entry.bibtex.count("}")
        assert entry.bibtex.endswith("\n}")
