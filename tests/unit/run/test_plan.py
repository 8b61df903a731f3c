"""A plan is refused before work, or not at all."""

from pathlib import Path

import pytest

from zerosum.errors import InputError
from zerosum.game.recipe import Recipe
from zerosum.run.plan import Plan, check_words


def test_runs_that_are_there_keep_no_new_one_from_a_free_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "new").mkdir(parents=True)
    (tmp_path / "runs" / "new" / "run.json").touch()
    Plan().check()
    with pytest.raises(InputError, match="exists already: continue it with 'zerosum resume"):
        Plan(out=tmp_path / "runs" / "new").check()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "runs").touch()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="cannot write to runs: Not a directory"):
        Plan().check()


@pytest.mark.parametrize(
    "changes",
    [
        ["networks.condition=projection"],
        ["networks.frequencies=3"],  # of points only
        ['tricks=["diff-augment"]'],
        ["game=hinge", "regularizers=[]"],
    ],
)
def test_changes_that_fit_one_recipe_of_auto_pass(changes: list[str]) -> None:
    check_words("auto", changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["game=hinge", "networks.nothing=3"], "has no field 'nothing'"),
        (["networks.frequencies=-1"], "networks.frequencies: it must be greater"),
        (["steps=many"], "steps: it must be a whole number"),
    ],
)
def test_changes_that_fit_none_are_refused_with_the_words_that_say_most(changes: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_words("auto", changes)


def test_a_given_recipe_has_to_fit_by_itself() -> None:
    check_words(Recipe("mine"), ["batch_size=8"])
    with pytest.raises(InputError, match="'frequencies'"):
        check_words(Recipe("mine"), ["networks.frequencies=3"])
