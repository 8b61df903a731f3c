"""Names that are read from the source are those that exist."""

import dataclasses
from pathlib import Path

import pytest

from zerosum import catalog, names, recipes
from zerosum.data.distributions import DISTRIBUTIONS
from zerosum.data.preparation import Preparation
from zerosum.data.readers import reader_names
from zerosum.data.readers.standard import STANDARD_SETS, Standard
from zerosum.data.readers.toy import Toy
from zerosum.demonstrations import Demonstration
from zerosum.errors import InputError
from zerosum.game.recipe import Recipe


def test_the_source_tells_what_exists() -> None:
    assert names.recipe_names() == set(recipes.recipes())
    assert names.data_names() == set(reader_names())
    assert set(Toy.names) == set(DISTRIBUTIONS)
    assert set(Standard.names) == set(STANDARD_SETS)
    for part, cls in (("", Recipe), ("data", Preparation)):
        assert names.field_names(part) == [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for name in catalog.choices(Demonstration):
        names.check_demonstration(name)
    with pytest.raises(InputError, match="unknown demonstration 'none'"):
        names.check_demonstration("none")


def test_what_may_be_right_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    for data in ("digits", "builtin:ring", "mine", "./mine", "hub:owner/name", "stacked:mnist", "stacked:nowhere"):
        names.check_data(data)
    for recipe in ("dcgan", "mine", "nowhere.json", tmp_path / "mine"):
        names.check_recipe(recipe)
    names.check_fields(
        ["game=x", " batch_size = 3", "networks.width=4", "tricks.0.policy=1", "data.crop=fit", "data={}"]
    )
    names.check_fields(["=3", "steps"])
