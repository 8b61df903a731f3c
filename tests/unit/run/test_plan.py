"""A plan is refused before work, or not at all; and it takes over from the data how they were read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.unit.run.small import SOURCE
from zerosum import recipes
from zerosum.data import Source
from zerosum.data.readers import open_source
from zerosum.errors import InputError
from zerosum.game.engine import Engine
from zerosum.game.recipe import Recipe, change
from zerosum.networks.compact import Compact
from zerosum.recipes.auto import ENOUGH, PATIENCE
from zerosum.run import plan
from zerosum.run.length import TRAINING_SHARE
from zerosum.run.plan import Plan, check_words, open_for_recipe
from zerosum.run.probe import Probe


@pytest.mark.parametrize("suffix", ["npy", "idx"])
def test_the_recipe_keeps_the_range_of_arrays(suffix: str, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 21, (60, 8, 8), np.uint8)
    file = tmp_path / f"a.{suffix}"
    if suffix == "npy":
        np.save(file, pixels)
    else:
        file.write_bytes(b"\0\0\x08\x03" + np.array(pixels.shape, ">u4").tobytes() + pixels.tobytes())
    source, recipe = open_for_recipe(str(file), "auto", ["data.range=0..20"])
    assert recipe.data.range == (0, 20)
    assert set(source.train.samples.unique().tolist()) == {round(value * 255 / 20) for value in range(21)}
    assert open_source(str(file), recipe.data).fingerprint == source.fingerprint


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
    """And not because anything does: with one more change, of a field that no recipe has, they are refused."""
    check_words("auto", changes)
    with pytest.raises(InputError, match="has no field"):
        check_words("auto", [*changes, "networks.nothing=3"])


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


def test_the_width_follows_from_the_minutes_and_from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where iterations are given, the recipe is not touched, and nothing is measured."""
    engines = []

    class Timed:
        def __init__(self, recipe: Recipe, source: Source, engine: Engine) -> None:
            engines.append(engine)
            assert isinstance(recipe.networks, Compact)
            self.seconds = 0.001 * recipe.networks.width

        def settle(self) -> "Timed":
            return self

    chosen = Engine.choose("cpu", "bfloat16", 1)
    monkeypatch.setattr(plan, "probe", lambda *_: Probe(chosen, 1.0))
    monkeypatch.setattr(plan, "Trial", Timed)
    compact = recipes.find("compact")
    assert Plan(steps=10**6).fit(compact, SOURCE) is compact
    assert Plan(minutes=0.01).fit(compact, SOURCE, ["batch_size=8", " networks.latent=9"]) is compact
    assert not engines
    minutes = 0.001 * 16 * ENOUGH / 60 / TRAINING_SHARE
    assert Plan(minutes=minutes + 0.01).fit(compact, SOURCE) == change(compact, "networks.width=16")
    assert set(engines) == {chosen}
    widest = max(width for width in (8, 12, 16, 24, 32) if 0.001 * width * 60_000 <= PATIENCE)
    assert widest == 24
    assert Plan().fit(replace(compact, steps=60_000), SOURCE) == replace(
        change(compact, f"networks.width={widest}"), steps=60_000
    )
