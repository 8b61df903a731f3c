"""What the page sets is what `zerosum train` gets."""

import shlex
from functools import reduce
from itertools import pairwise
from typing import Any

import pytest

import zerosum
from zerosum.errors import InputError
from zerosum.explore.settings import Settings, choices, recipe_names
from zerosum.game.recipe import Recipe, change

ALL = Settings("grid", "toy", "hinge", "r1", 1e-3, 2e-3, 2, 16, 10**30)


def test_the_page_gets_back_what_it_sent() -> None:
    assert Settings.read(ALL.as_json()) == ALL
    assert ALL.as_json()["seed"] == "1" + "0" * 30
    assert Settings.read({}) == Settings()


def test_every_choice_makes_a_recipe() -> None:
    for field, words in choices(recipe_names()).items():
        for word in words:
            Settings.read({field: word}).make_recipe()
    assert Settings(regularizer="none", recipe="toy").make_recipe().regularizers == ()
    assert "dcgan" not in recipe_names()


def test_command_and_python_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(ALL.command())
    assert words[:5] == ["zerosum", "train", "grid", "--recipe", "toy"]
    assert words[-2:] == ["--seed", str(10**30)]
    changes = [after for before, after in pairwise(words) if before == "--set"]
    assert reduce(change, changes, zerosum.recipe("toy")) == ALL.make_recipe()
    called = dict[str, Any]()

    def train(data: str, recipe: Recipe, seed: int) -> None:
        called.update(data=data, recipe=recipe, seed=seed)

    monkeypatch.setattr(zerosum, "train", train)
    for settings in (ALL, Settings()):
        exec(settings.python(), {})  # noqa: S102
        assert called == {"data": settings.data, "recipe": settings.make_recipe(), "seed": settings.seed}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"seed": "-1"}, "the seed must be a whole number of at most 40 digits, but it was '-1'"),
        ({"seed": "1" * 41}, "the seed must be a whole number"),
        ({"seed": "1e30"}, "the seed must be a whole number"),
        ({"data": "digits"}, "unknown 'digits'"),
        ({"recipe": "dcgan"}, "unknown 'dcgan'"),
        ({"recipe": "/etc/passwd"}, "unknown '/etc/passwd'"),
        ({"k": 0}, "k: "),
        ({"k": 1.5}, "k: "),
        ({"width": 10**6}, "width: "),
        ({"generator_lr": -1}, "generator_lr: "),
        ({"nope": 1}, "has no field 'nope'"),
        ([], "settings are an object"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(values: object, words: str) -> None:
    with pytest.raises(InputError) as refused:
        Settings.read(values)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_wrong_game_is_refused_where_the_recipe_is_made() -> None:
    with pytest.raises(InputError, match="unknown game 'hinje'"):
        Settings.read({"game": "hinje"}).make_recipe()
