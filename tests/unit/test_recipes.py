import json
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic.dataclasses import dataclass
from torch import Tensor

from tests.conftest import images, points
from zerosum import catalog, recipes
from zerosum.errors import InputError
from zerosum.games import Game, Minimax
from zerosum.networks.mlp import MLP
from zerosum.optimizers import Adam
from zerosum.recipes.auto import choose
from zerosum.record import RunFolder
from zerosum.regularizers import R1, R2, MaxNorm, SpectralNorm


@pytest.mark.parametrize("recipe", recipes.recipes().values(), ids=lambda recipe: recipe.name)
def test_a_recipe_reads_back_equal(recipe: recipes.Recipe, tmp_path: Path) -> None:
    assert recipes.from_json(json.loads(json.dumps(recipe.as_json()))) == recipe
    (tmp_path / "r.json").write_text(json.dumps(recipe.as_json()))
    assert recipes.find(str(tmp_path / "r.json")) == recipe


def test_a_game_from_elsewhere_reads_back_and_is_not_listed() -> None:
    @dataclass(frozen=True)
    class Elsewhere(Minimax):
        """A researcher's own."""

        power: float = 2.0

    recipe = replace(recipes.find("dcgan"), game=Elsewhere(power=3.0))
    assert recipes.from_json(json.loads(json.dumps(recipe.as_json()))) == recipe
    assert "elsewhere" not in catalog.choices(Game)  # type: ignore[type-abstract]


def test_a_part_that_its_name_does_not_lead_back_to_is_refused() -> None:
    @dataclass(frozen=True)
    class Hinge(Minimax):
        """Called like one of the package's."""

    class Plain(Attempt):
        """No dataclass."""

    dcgan = recipes.find("dcgan")
    with pytest.raises(ValueError, match="another game is called 'hinge' too: give Hinge another name"):
        replace(dcgan, game=Hinge())
    with pytest.raises(ValueError, match="Plain has to be a dataclass"):
        replace(dcgan, game=Plain())


def test_of_two_definitions_the_newer_one_counts() -> None:
    """As in a notebook whose cell is run again."""

    def define() -> type[Minimax]:
        @dataclass(frozen=True)
        class Twice(Minimax):
            """Mine."""

        return Twice

    older, newer = define(), define()
    assert catalog.lookup(Game, "twice") is newer  # type: ignore[type-abstract]
    with pytest.raises(ValueError, match="another game is called 'twice' too"):
        replace(recipes.find("dcgan"), game=older())


class Attempt(Game):
    """A researcher's first attempt."""

    paper: ClassVar[str] = ""

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        raise NotImplementedError

    generator_loss = discriminator_loss

    def optimal_logit(self, log_ratio: Tensor) -> Tensor | None:
        raise NotImplementedError


def test_fields_can_be_set_by_their_paths() -> None:
    recipe = recipes.find("dcgan")
    recipe = recipes.change(recipe, "generator.lr=1e-4")
    recipe = recipes.change(recipe, "game=minimax")
    recipe = recipes.change(recipe, "networks.width=16")
    recipe = recipes.change(recipe, 'discriminator={"name": "adam", "lr": 0.5}')
    assert recipe.generator == Adam(lr=1e-4)
    assert recipe.game == Minimax()
    assert recipe.networks.width == 16
    assert recipe.discriminator == Adam(lr=0.5)
    assert recipes.change(recipe, "networks=mlp").networks == MLP()
    recipe = recipes.change(recipe, 'regularizers=["r1", {"name": "r2", "gamma": 3}]')
    assert recipes.change(recipe, "regularizers.0.gamma=2").regularizers == (R1(gamma=2), R2(gamma=3))


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("batch_size", "--set takes field=value"),
        ("=3", "--set takes field=value"),
        ("batchsize=3", "recipe has no field 'batchsize': did you mean 'batch_size'?"),
        ("generator.lrr=3", "adam has no field 'lrr': did you mean 'lr'?"),
        ("generator.lr.x=3", "'x' is not a field"),
        ("generator.lr=fast", "generator.lr: it must be a number"),
        ("generator.lr=-1", "generator.lr: it must be greater than 0, but it was -1"),
        ("batch_size=0", "batch_size: it must be greater than or equal to 1, but it was 0"),
        ("batch_size=2.5", "batch_size: it must be a whole number"),
        ("game=minmax", "no game is called 'minmax': did you mean 'minimax'?"),
        ('regularizers=["r3"]', "no regularizer is called 'r3': choose one of: dragan"),
        ("game=3", "a game is a name or an object with 'name', not 3"),
        ("networks.prior=poisson", "networks.prior: it must be 'normal' or 'uniform'"),
    ],
)
def test_wrong_assignments_say_what_was_meant(assignment: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        recipes.change(recipes.find("dcgan"), assignment)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_constraints_on_the_same_weights_do_not_go_together() -> None:
    recipe = replace(recipes.find("dcgan"), regularizers=(SpectralNorm(), MaxNorm()))
    with pytest.raises(InputError, match="max-norm and spectral-norm do not go together"):
        recipe.check(images((1, 28, 28)))


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ('regularizers=["spectral-norm", "spectral-norm"]', "regularizers: spectral-norm is there twice"),
        ('tricks=["replay", {"name": "replay", "capacity": 9}]', "tricks: replay is there twice"),
    ],
)
def test_parts_that_share_what_they_remember_are_there_once(assignment: str, expected: str) -> None:
    recipe = recipes.change(recipes.find("dcgan"), assignment)
    with pytest.raises(InputError, match=expected):
        recipe.check(images((1, 28, 28)))


def test_a_path_is_not_taken_for_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy").mkdir()
    recipe = recipes.change(recipes.find("toy"), "batch_size=32")
    about = {"data": "ring", "steps": 1, "seed": 0, "fingerprint": "", "device": "cpu", "precision": "float32"}
    RunFolder(tmp_path / "toy").description.write_text(json.dumps({**about, "threads": 1, "recipe": recipe.as_json()}))
    assert recipes.find("./toy") == recipes.find(str(tmp_path / "toy")) == replace(recipe, steps=1)  # as the run had
    assert recipes.find("toy").batch_size == 128


def test_unknown_recipes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no recipe is called 'dcgn': did you mean 'dcgan'"):
        recipes.find("dcgn")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        recipes.find(Path("missing.json"))
    for content, expected in (
        ("{", "is not JSON"),
        ("3", "a recipe is a JSON object"),
        ('{"nam": 1}', "did you mean 'name'"),
    ):
        (tmp_path / "r.json").write_text(content)
        with pytest.raises(InputError, match=expected):
            recipes.find(str(tmp_path / "r.json"))


def test_the_recipe_of_a_run(tmp_path: Path) -> None:
    recipe, folder = recipes.change(recipes.find("points"), "batch_size=32"), RunFolder(tmp_path)
    about = {"data": "ring", "steps": 1, "seed": 0, "fingerprint": "", "device": "cpu", "precision": "float32"}
    folder.description.write_text(json.dumps({**about, "threads": 1, "recipe": recipe.as_json()}))
    of_run = replace(recipe, steps=1)  # as many as it had, not what its recipe says by itself
    assert recipes.find(str(tmp_path)) == recipes.find(str(folder.description)) == of_run
    folder.description.write_text(json.dumps({**about, "threads": 1, "recipe": {"name": "x", "game": "minmax"}}))
    with pytest.raises(InputError, match=r"run\.json: recipe: game: no game is called 'minmax'"):
        recipes.find(str(tmp_path))


def test_auto_looks_at_the_data() -> None:
    assert choose(images((3, 16, 16))).networks.check((3, 16, 16)) is None
    assert choose(points(2)).name == "points"
    chosen = [choose(images((1, 8, 8), count=n, classes=2)).name for n in (64, 2_000)]
    assert chosen == ["compact", "compact-conditional"]
