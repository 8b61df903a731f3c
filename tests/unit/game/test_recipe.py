"""The recipe: any field can be set by its path, and parts that do not go together are refused."""

from dataclasses import replace

import pytest

from tests.conftest import images
from zerosum import recipes
from zerosum.errors import InputError
from zerosum.game.losses import Minimax
from zerosum.game.optimizers import Adam
from zerosum.game.recipe import change
from zerosum.game.regularizers import GradientNorm, MaxNorm, Regularizer, SpectralNorm
from zerosum.networks.mlp import MLP


def test_fields_can_be_set_by_their_paths() -> None:
    recipe = recipes.find("dcgan")
    recipe = change(recipe, "generator_optimizer.lr=1e-4")
    recipe = change(recipe, "game=minimax")
    recipe = change(recipe, "networks.width=16")
    recipe = change(recipe, 'discriminator_optimizer={"name": "adam", "lr": 0.5}')
    assert recipe.generator_optimizer == Adam(lr=1e-4)
    assert recipe.game == Minimax()
    assert recipe.networks.width == 16
    assert recipe.discriminator_optimizer == Adam(lr=0.5)
    assert change(recipe, "networks=mlp").networks == MLP()
    recipe = change(recipe, 'regularizers=["r1", {"name": "r2", "gamma": 3}]')
    expected = GradientNorm(samples="real", gamma=2), GradientNorm(samples="fake", gamma=3)
    assert change(recipe, "regularizers.0.gamma=2").regularizers == expected


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("batch_size", "--set takes field=value"),
        ("=3", "--set takes field=value"),
        ("batchsize=3", "recipe has no field 'batchsize': did you mean 'batch_size'?"),
        ("generator_optimizer.lrr=3", "adam has no field 'lrr': did you mean 'lr'?"),
        (
            "generator_optimizer.lr.x=3",
            "generator_optimizer.lr is 0.0002 and has no fields: --set generator_optimizer.lr=VALUE",
        ),
        ("networks.foo.bar=1", "--set networks.foo.bar: dcgan has no field 'foo': choose one of: binary, "),
        ("regularizers.1.gamma=3", "regularizers has no part '1', but none; the whole list: --set 'regularizers=["),
        ("tricks.0.nope=1", """tricks has no part '0', but none; the whole list: --set 'tricks=["NAME"]'"""),
        ("tricks.replay.capacity=1", "tricks has no part 'replay', but none; the whole list"),
        ("tricks=replay", """tricks: it must be a list, as ["replay"], but it was 'replay'"""),
        ("generator_optimizer.lr=fast", "generator_optimizer.lr: it must be a number"),
        ("generator_optimizer.lr=-1", "generator_optimizer.lr: it must be greater than 0, but it was -1"),
        ("batch_size=0", "batch_size: it must be greater than or equal to 1, but it was 0"),
        ("batch_size=2.5", "batch_size: it must be a whole number"),
        ("game=minmax", "unknown game 'minmax': did you mean 'minimax'?"),
        ('regularizers=["r3"]', "unknown regularizer 'r3': choose one of: dragan"),
        ("game=3", "a game is a name or an object with 'name', not 3"),
        ("networks.prior=poisson", "networks.prior: it must be 'normal' or 'uniform'"),
    ],
)
def test_wrong_assignments_say_what_was_meant(assignment: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        change(recipes.find("dcgan"), assignment)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_part_of_a_list_is_replaced() -> None:
    recipe = change(recipes.find("dcgan"), 'regularizers=["r1", "max-norm"]')
    assert change(recipe, "regularizers.1=r2").regularizers == change(recipe, 'regularizers=["r1", "r2"]').regularizers
    for assignment, expected in (
        ("regularizers.1=r3", "regularizers.1: unknown regularizer 'r3': choose one of: dragan"),
        ("regularizers.1.x=3", "--set regularizers.1.x: max-norm has no field 'x': choose one of: limit"),
        ("regularizers.1.limit=-3", "regularizers.1.limit: it must be greater than 0, but it was -3"),
        ("regularizers.2=r2", "regularizers has no part '2', but 0 (gradient-norm), 1 (max-norm); the whole list"),
    ):
        with pytest.raises(InputError) as caught:
            change(recipe, assignment)
        assert expected in str(caught.value)


@pytest.mark.parametrize("regularizers", [(SpectralNorm(), MaxNorm()), (MaxNorm(), SpectralNorm())], ids=str)
def test_constraints_on_the_same_weights_do_not_go_together(regularizers: tuple[Regularizer, ...]) -> None:
    recipe = replace(recipes.find("dcgan"), regularizers=regularizers)
    with pytest.raises(InputError, match="max-norm and spectral-norm do not go together"):
        recipe.check(images((1, 28, 28)))


def test_r1_and_r2_stand_side_by_side() -> None:
    recipe = change(recipes.find("dcgan"), 'regularizers=["r1", {"name": "r2", "gamma": 3}]')
    recipe.check(images((1, 28, 28)))
    assert [each.roles for each in recipe.regularizers] == [("r1",), ("r2",)]


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ('regularizers=["spectral-norm", "spectral-norm"]', "regularizers: spectral-norm is there twice"),
        ('regularizers=["r1", {"name": "r1", "gamma": 3}]', "regularizers: r1 is there twice"),
        ('regularizers=["gradient-norm", "r1"]', "regularizers: r1 is there twice"),
        ('regularizers=["r2", "gradient-norm"]', "regularizers: r2 is there twice"),
        ('tricks=["replay", {"name": "replay", "capacity": 9}]', "tricks: replay is there twice"),
    ],
)
def test_parts_that_do_the_same_are_there_once(assignment: str, expected: str) -> None:
    recipe = change(recipes.find("dcgan"), assignment)
    with pytest.raises(InputError, match=expected):
        recipe.check(images((1, 28, 28)))
