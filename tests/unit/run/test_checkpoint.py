"""Checkpoints: what is restored goes on bit for bit, and what is damaged is refused."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch

from tests.unit.run.small import RECIPE, SOURCE, build
from zerosum import recipes
from zerosum.errors import InputError
from zerosum.game.algorithm import play
from zerosum.game.ema import EMA
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe, change
from zerosum.run import checkpoint

METADATA = {"metrics_bytes": 0, "best": None}
PAPER = replace(recipes.find("paper-mnist"), batch_size=8)
REMEMBERING = change(RECIPE, 'tricks=[{"name": "replay", "capacity": 20}, {"name": "adaptive-augment", "ramp": 99}]')


def advance(recipe: Recipe, players: Players, ema: EMA, start: int, stop: int) -> None:
    """Play the iterations from `start` to `stop` of 20."""
    for iteration in islice(play(players, recipe, SOURCE.train, steps=20, seed=0, start=start), stop - start):
        ema.update(iteration.step + 1)


def same(one: tuple[Players, EMA], other: tuple[Players, EMA]) -> bool:
    """Whether every parameter, buffer and optimiser state has the same bits."""
    here, there = (checkpoint._tensors(*each) for each in (one, other))
    return here.keys() == there.keys() and all(torch.equal(here[name], there[name]) for name in here)


@pytest.mark.parametrize("recipe", [RECIPE, PAPER, REMEMBERING], ids=["compact", "paper", "tricks"])
def test_a_restored_game_goes_on_bit_for_bit(tmp_path: Path, recipe: Recipe) -> None:
    whole, parts, other = build(recipe), build(recipe), build(recipe, seed=5)
    advance(recipe, *whole, 0, 8)
    advance(recipe, *parts, 0, 3)
    checkpoint.save(tmp_path, 3, *parts, METADATA)
    checkpoint.restore(checkpoint.load_latest(tmp_path), *other)
    assert bool(other[0].memory) == bool(recipe.tricks)
    advance(recipe, *other, 3, 8)
    assert same(whole, other)
    assert not same(whole, parts)


def test_only_the_last_two_are_kept(tmp_path: Path) -> None:
    game = build()
    for step in (1, 2, 3, 4, 5):
        checkpoint.save(tmp_path, step, *game, METADATA)
    assert checkpoint.steps(tmp_path) == [4, 5]
    assert len(list(tmp_path.iterdir())) == 4


def test_damaged_checkpoints_that_were_skipped_do_not_displace_sound_ones(tmp_path: Path) -> None:
    game = build()
    for step in (900, 1000):
        checkpoint.save(tmp_path, step, *game, METADATA)
    (tmp_path / "001000.safetensors").write_bytes(b"")
    assert checkpoint.load_latest(tmp_path).step == 900
    checkpoint.save(tmp_path, 950, *game, METADATA)
    assert checkpoint.steps(tmp_path) == [900, 950]


def test_what_a_kill_left_of_a_checkpoint_is_removed(tmp_path: Path) -> None:
    game = build()
    for step in (1, 2):
        checkpoint.save(tmp_path, step, *game, {})
    (tmp_path / "000000.safetensors").write_bytes(b"its other half was deleted")
    checkpoint.save(tmp_path, 3, *game, {})
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {f"00000{step}.{kind}" for step in (2, 3) for kind in ("json", "safetensors")}


def test_a_damaged_checkpoint_is_refused_and_the_one_before_it_taken(tmp_path: Path) -> None:
    game = build()
    for step in (1, 2):
        checkpoint.save(tmp_path, step, *game, METADATA)
    file = tmp_path / "000002.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"000002.safetensors is damaged: its digest"):
        checkpoint.load(tmp_path, 2)
    older = checkpoint.load_latest(tmp_path)
    assert older.step == 1
    assert "000002.safetensors is damaged" in " ".join(older.skipped)
    (tmp_path / "000001.json").write_text("{")
    with pytest.raises(InputError, match=r"000001.json is damaged: it does not describe a checkpoint"):
        checkpoint.load(tmp_path, 1)
    with pytest.raises(InputError, match=r"000002.safetensors is damaged: its digest"):  # of the newest
        checkpoint.load_latest(tmp_path)
    (tmp_path / "000002.safetensors").unlink()
    with pytest.raises(InputError, match=r"000002.safetensors cannot be read"):
        checkpoint.load(tmp_path, 2)


@pytest.mark.parametrize("content", ["[]", "3", "{}", "[" * 100_000, "\xff"])
def test_other_json_beside_a_checkpoint_is_skipped(tmp_path: Path, content: str) -> None:
    checkpoint.save(tmp_path, 1, *build(), METADATA)
    (tmp_path / "000002.json").write_text(content, encoding="latin-1")
    (tmp_path / "000002.safetensors").write_bytes(b"")
    older = checkpoint.load_latest(tmp_path)
    assert older.step == 1
    assert older.metadata["best"] is None
    assert "000002.json is damaged: it does not describe a checkpoint" in " ".join(older.skipped)


def test_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no checkpoint to resume from"):
        checkpoint.load_latest(tmp_path)


def test_a_checkpoint_of_other_networks_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 1, *build(), METADATA)
    with pytest.raises(InputError, match=r"of step 1 is of other networks .* size mismatch for") as caught:
        checkpoint.restore(checkpoint.load_latest(tmp_path), *build(change(RECIPE, "networks.width=5")))
    assert "\n" not in str(caught.value)
