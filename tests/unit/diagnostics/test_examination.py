"""An examination measures what the players do, and changes nothing."""

import copy
import math

import pytest
import torch

from zerosum import recipes
from zerosum.data.readers import open_source
from zerosum.diagnostics.examination import Examination, examine, measure_step
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe, change


def make(recipe: Recipe, *changes: str) -> Recipe:
    for each in changes:
        recipe = change(recipe, each)
    return recipe


def trained(recipe: Recipe, data: str = "digits", steps: int = 12) -> tuple[Players, Examination]:
    source = open_source(data)
    players = Players.build(recipe, source, Engine(torch.device("cpu")), seed=3)
    for _ in play(players, recipe, source.train, steps=steps, seed=3):
        pass
    return players, examine(players, recipe, source, 3, 0.5, count=96, began=True)


NARROW = make(recipes.find("compact"), "networks.width=4", "batch_size=16")


def test_examining_leaves_the_players_and_the_programs_randomness_alone() -> None:
    source = open_source("digits")
    players = Players.build(NARROW, source, Engine(torch.device("cpu")), seed=3)
    for _ in play(players, NARROW, source.train, steps=3, seed=3):
        pass
    before = copy.deepcopy([players.generator.network.state_dict(), players.discriminator.network.state_dict()])
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = examine(players, NARROW, source, 3, 0.5, count=48)
    assert torch.equal(torch.rand(3), expected)
    after = [players.generator.network.state_dict(), players.discriminator.network.state_dict()]
    for old, new in zip(before, after, strict=True):
        assert all(torch.equal(old[name], new[name]) for name in old)
    assert all(each.grad is None for each in players.generator.parameters + players.discriminator.parameters)
    again = examine(players, NARROW, source, 3, 0.5, count=48)
    assert torch.equal(first.trained_logits, again.trained_logits)


def test_a_step_is_as_long_as_the_optimizer_makes_it() -> None:
    recipe = make(NARROW, "generator_optimizer.decay_from=1.0")
    players, _ = trained(recipe)
    player = players.generator
    before = [each.detach().clone() for each in player.parameters]
    length = math.sqrt(sum(float(each.square().sum()) for each in before))
    source = open_source("digits")
    for _ in play(players, recipe, source.train, steps=13, seed=3, start=12):
        pass
    moved = math.sqrt(
        sum(float((new.detach() - old).square().sum()) for new, old in zip(player.parameters, before, strict=True))
    )
    now = math.sqrt(sum(float(each.detach().square().sum()) for each in player.parameters))
    assert measure_step(player) == pytest.approx(moved / length, rel=0.02 + abs(now / length - 1))


def test_untrained_players_have_no_step_and_have_not_moved() -> None:
    source = open_source("digits")
    players = Players.build(NARROW, source, Engine(torch.device("cpu")), seed=3)
    found = examine(players, NARROW, source, 3, 0.0, count=32, began=True)
    assert all(math.isnan(size) for size in found.step_sizes.values())
    assert found.moved == {"generator": 0.0, "discriminator": 0.0}


def test_weights_that_moved_are_as_far_as_they_moved() -> None:
    source = open_source("ring")
    recipe = make(recipes.find("toy"), "networks.width=8")
    players = Players.build(recipe, source, Engine(torch.device("cpu")), seed=5)
    with torch.no_grad():
        for each in players.generator.parameters:
            each.mul_(1.5)
    found = examine(players, recipe, source, 5, 0.0, count=128, began=True)
    assert found.moved["generator"] == pytest.approx(0.5, rel=1e-4)
    assert found.moved["discriminator"] == 0.0


def test_dead_units_are_counted() -> None:
    source = open_source("ring")
    recipe = make(recipes.find("toy"), "networks.width=16", "networks.depth=2")
    players = Players.build(recipe, source, Engine(torch.device("cpu")), seed=5)
    layers = [each for each in players.generator.network.modules() if isinstance(each, torch.nn.Linear)]
    with torch.no_grad():
        layers[0].bias[:8] = -1e6
    found = examine(players, recipe, source, 5, 0.0, count=128)
    units = sum(each.out_features for each in layers[:-1])
    assert found.dead["generator"] >= 8 / units
    assert found.dead["generator"] < 0.5


def test_a_batch_that_is_shared_with_fakes_changes_the_logits() -> None:
    _, apart = trained(NARROW)
    _, mixed = trained(make(NARROW, "networks.mixed_batches=true"))
    assert torch.equal(apart.alone_logits, apart.together_logits)
    assert not torch.allclose(mixed.alone_logits, mixed.together_logits, atol=1e-3)


def test_the_gradient_reaches_every_layer_of_the_generator() -> None:
    _, found = trained(NARROW)
    assert len(found.gradients) >= 3
    assert all(norm > 0 for norm in found.gradients.values())
