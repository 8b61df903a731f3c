"""Where recipes are found, and which one `auto` chooses."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import images, points
from zerosum import recipes
from zerosum.errors import InputError
from zerosum.game.recipe import Recipe, change, from_json
from zerosum.networks.compact import Compact
from zerosum.recipes.auto import ENOUGH, ENOUGH_SEEING, FEW, choose, enough, expect, expect_of_iterations, fit
from zerosum.recipes.modern import COMPACT, PHOTOS
from zerosum.run_folder import FORMAT, RunFolder

ABOUT = {
    "format": FORMAT,
    "data": "ring",
    "steps": 1,
    "seed": 0,
    "fingerprint": "",
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
}


@pytest.mark.parametrize("recipe", recipes.recipes().values(), ids=lambda recipe: recipe.name)
def test_a_recipe_reads_back_equal(recipe: Recipe, tmp_path: Path) -> None:
    assert from_json(json.loads(json.dumps(recipe.as_json()))) == recipe
    (tmp_path / "r.json").write_text(json.dumps(recipe.as_json()))
    assert recipes.find(str(tmp_path / "r.json")) == recipe


def test_a_path_is_not_taken_for_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy").mkdir()
    recipe = change(recipes.find("toy"), "batch_size=32")
    about = {**ABOUT, "recipe": recipe.as_json()}
    RunFolder(tmp_path / "toy").description.write_text(json.dumps(about))
    assert recipes.find("./toy") == recipes.find(str(tmp_path / "toy")) == replace(recipe, steps=1)  # as the run had
    assert recipes.find("toy").batch_size == 128


def test_unknown_recipes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown recipe 'dcgn': did you mean 'dcgan'"):
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
    recipe, folder = change(recipes.find("points"), "batch_size=32"), RunFolder(tmp_path)
    about = {**ABOUT, "recipe": recipe.as_json()}
    folder.description.write_text(json.dumps(about))
    of_run = replace(recipe, steps=1)  # as many as it had, not what its recipe says by itself
    assert recipes.find(str(tmp_path)) == recipes.find(str(folder.description)) == of_run
    folder.description.write_text(json.dumps({**about, "recipe": {"name": "x", "game": "minmax"}}))
    with pytest.raises(InputError, match=r"run\.json: recipe: game: unknown game 'minmax'"):
        recipes.find(str(tmp_path))


def test_auto_looks_at_the_data() -> None:
    assert choose(images((3, 16, 16))).networks.check((3, 16, 16)) is None
    assert choose(points(2)).name == "points"
    chosen = [choose(images((1, 8, 8), count=n, classes=2)).name for n in (64, 2_000)]
    assert chosen == ["compact", "compact-conditional"]
    photos = images((3, 16, 16))
    assert choose(photos).name == "photos"
    assert choose(replace(photos, stacked_from=images((1, 16, 16)))).name == "compact"


@pytest.mark.parametrize(("seconds", "width"), [(1e9, 32), (32.1, 32), (31.9, 24), (12.5, 12), (8.5, 8), (0.001, 8)])
def test_networks_are_as_wide_as_the_time_can_train(seconds: float, width: int) -> None:
    """An iteration of width w takes w / 1,000 seconds here."""
    measured = []

    def measure(recipe: Recipe) -> float:
        assert isinstance(recipe.networks, Compact)
        measured.append(recipe.networks.width)
        return recipe.networks.width / ENOUGH

    recipe = change(recipes.find("compact"), "batch_size=16")
    assert fit(recipe, seconds, ENOUGH, measure) == change(recipe, f"networks.width={width}")
    assert measured == [each for each in (12, 16, 24, 32) if each <= 1.5 * width]  # nothing slower is tried


def test_networks_are_never_widened_nor_changed_in_kind() -> None:
    narrow = change(recipes.find("compact"), "networks.width=6")
    assert fit(narrow, 1e9, 1, lambda recipe: 1e-9) == narrow
    for name in ("points", "dcgan"):
        assert fit(recipes.find(name), 0.001, 1, lambda recipe: 1.0) == recipes.find(name)


@pytest.mark.parametrize(
    ("seconds", "size", "width"), [(1e9, 128, 32), (20.5, 128, 8), (19.5, 64, 12), (13.5, 64, 8), (0.001, 64, 8)]
)
def test_without_time_the_frozen_network_sees_smaller_images(seconds: float, size: int, width: int) -> None:
    """At 128 pixels an iteration takes 12 / ENOUGH_SEEING seconds more here than the networks of pixels, at 64 5."""

    def measure(recipe: Recipe) -> float:
        assert isinstance(recipe.networks, Compact)
        return (recipe.networks.width + {128: 12, 64: 5}[recipe.networks.feature_size]) / enough(recipe)

    photos = recipes.find("photos")
    expected = change(change(photos, f"networks.feature_size={size}"), f"networks.width={width}")
    assert fit(photos, seconds, enough(photos), measure) == expected


def test_networks_with_heads_on_features_need_fewer_iterations() -> None:
    assert enough(recipes.find("compact")) == ENOUGH
    assert enough(recipes.find("photos")) < ENOUGH
    assert enough(change(recipes.find("photos"), "networks.features=none")) == ENOUGH


@pytest.mark.parametrize(("count", "row"), [(4, 20), (60, 20), (70, 207), (200, 207), (5_000, 9_985), (60_000, 9_985)])
def test_what_photos_gave_is_told_of_the_nearest_number(count: int, row: int) -> None:
    told = expect(recipes.find("photos"), images((3, 8, 8), count=count))
    assert told.startswith(f"{count:,} images to train on: of {row:,} photos of cats, {FEW[row]}; ")
    assert expect(recipes.find("photos"), images((1, 8, 8), count=count)) == ""
    assert expect(recipes.find("compact"), images((3, 8, 8), count=count)) == ""


def test_too_few_iterations_for_photos_are_told() -> None:
    assert expect_of_iterations(PHOTOS, 300).startswith("300 iterations are few: shapes came after about 1,200")
    assert expect_of_iterations(PHOTOS, ENOUGH_SEEING) == ""
    assert expect_of_iterations(COMPACT, 300) == ""
