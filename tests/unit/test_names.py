"""Names that are read from the source are those that exist."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterable
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

    def passing(check: Callable[[str], None], words: Iterable[str]) -> list[str]:
        found = []
        for word in words:
            with contextlib.suppress(InputError):
                check(word)
                found.append(word)
        return found

    data = ["digits", "builtin:ring", "mine", "./mine", "hub:owner/name", "stacked:mnist", "stacked:nowhere"]
    assert passing(names.check_data, [*data, "yours", "builtin:mine", "./yours"]) == data
    given = ["dcgan", "mine", "nowhere.json", str(tmp_path / "mine")]
    assert passing(names.check_recipe, [*given, "yours", "dcgam"]) == given
    fields = ["game=x", " batch_size = 3", "networks.width=4", "tricks.0.policy=1", "data.crop=fit", "data={}"]
    fields += ["=3", "steps"]
    assert passing(lambda field: names.check_fields([field]), [*fields, "batch=3", "data.nothing=1"]) == fields
