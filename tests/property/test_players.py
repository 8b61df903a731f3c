"""Rule 6, for every recipe that exists: an update of one player leaves every bit of the other alone."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from tests.conftest import images
from zerosum import randomness, recipes
from zerosum.errors import InputError
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.losses import NonSaturating
from zerosum.game.players import Player, Players
from zerosum.game.predictions import GeneratorPass
from zerosum.game.recipe import Recipe, change
from zerosum.game.tricks import Replay

SOURCE = images((1, 16, 16), classes=3)
RECIPES = list(recipes.recipes().values())
every_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
ENGINE = Engine(torch.device("cpu"))


def small(recipe: Recipe) -> Recipe:
    fields = recipe.as_json()["networks"]
    for name in ("width", "generator_units", "discriminator_units"):
        if name in fields:
            recipe = change(recipe, f"networks.{name}=16")
    return change(recipe, "batch_size=6")


def bits(player: Player) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in player.network.state_dict().items()}


def is_logit_bias(name: str, discriminator: Player) -> bool:
    (bias,) = (bias for bias, tensor in discriminator.network.named_parameters() if tensor.shape == (1,))
    return name == bias


@every_recipe
@pytest.mark.parametrize("engine", [ENGINE, Engine(torch.device("cpu"), bfloat16=True)], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("simultaneous", [False, True], ids=["in turns", "at once"])
def test_each_update_moves_its_own_player_only(
    recipe: Recipe, engine: Engine, simultaneous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = small(recipe)
    players = Players.build(recipe, SOURCE, engine, seed=0)
    moved: list[str] = []
    apply_gradients = Player.apply_gradients

    def watched(self: Player, step: int, steps: int) -> None:
        mine, other = (players.generator, players.discriminator)[:: 1 if self is players.generator else -1]
        before = bits(mine), bits(other)
        apply_gradients(self, step, steps)
        changed = [not torch.equal(before[0][name], tensor) for name, tensor in bits(mine).items()]
        assert any(changed)
        assert all(torch.equal(before[1][name], tensor) for name, tensor in bits(other).items())
        moved.append("G" if self is players.generator else "D")

    monkeypatch.setattr(Player, "apply_gradients", watched)
    before = bits(players.generator), bits(players.discriminator)
    recipe = replace(recipe, simultaneous=simultaneous, discriminator_steps=1 if simultaneous else 2, same_fakes=False)
    iterations = list(play(players, recipe, SOURCE.train, steps=2, seed=0))
    assert moved == (["G", "D"] if simultaneous else ["D", "D", "G"]) * 2
    assert all(i.discriminator_loss.isfinite() and i.generator_loss.isfinite() for i in iterations)
    for then, player in zip(before, (players.generator, players.discriminator), strict=True):
        assert all(tensor.isfinite().all() for tensor in bits(player).values())
        still = [name for name, tensor in player.network.named_parameters() if torch.equal(then[name], tensor)]
        # Every parameter has learned something, also those that fix-up keeps back at first; but the bias of D's logit,
        # whose gradients of real samples and of fakes cancel in some games, exactly or but for rounding.
        assert all(player is players.discriminator and is_logit_bias(name, player) for name in still)


@every_recipe
def test_forward_passes_of_one_update_change_nothing_in_either_player(recipe: Recipe) -> None:
    """Also buffers: what a player computes may depend on its parameters only."""
    recipe = small(recipe)
    players = Players.build(recipe, SOURCE, ENGINE, seed=0)
    before = bits(players.generator), bits(players.discriminator)
    real, labels = SOURCE.train.minibatch(6, 0, 0, device=ENGINE.device, labelled=recipe.networks.conditional)
    fake = players.generate(labels, 6)
    players.discriminate(real, fake, labels, 0.0)
    players.discriminate_fakes(real, fake, labels, 0.0, relativistic=recipe.game.relativistic)
    for then, player in zip(before, (players.generator, players.discriminator), strict=True):
        assert all(torch.equal(then[name], tensor) for name, tensor in bits(player).items())


@every_recipe
def test_a_game_is_a_function_of_its_seed(recipe: Recipe) -> None:
    recipe = small(recipe)

    def losses(seed: int, noise: int) -> list[float]:
        torch.manual_seed(noise)
        players = Players.build(recipe, SOURCE, ENGINE, seed)
        iterations = play(players, recipe, SOURCE.train, steps=3, seed=seed)
        return [float(iteration.generator_loss) for iteration in iterations]

    assert losses(0, noise=1) == losses(0, noise=2)
    assert losses(0, noise=1) != losses(1, noise=1)


def test_one_pass_over_both_batches_is_the_same_where_d_has_no_batch_norm() -> None:
    for norm in (False, True):
        recipe = change(small(recipes.find("dcgan")), f"networks.discriminator_norm={str(norm).lower()}")
        players = Players.build(recipe, SOURCE, ENGINE, seed=0)
        real, fake = SOURCE.train.minibatch(6, 0, 0).samples, players.generate(None, 6).detach()
        out = players.discriminate(real, fake, None, 0.0)
        loss = recipe.game.discriminator_loss(out.real_logits, out.fake_logits)
        apart = players.discriminator.network(real), players.discriminator.network(fake)
        together = players.discriminator.network(torch.cat([real, fake])).chunk(2)
        torch.testing.assert_close(loss, recipe.game.discriminator_loss(*apart), rtol=1e-4, atol=1e-5)
        difference = recipe.game.discriminator_loss(*together) - loss
        assert (difference.abs() > 1e-4) == norm


@every_recipe
def test_simultaneous_updates_answer_the_other_player_as_it_was(recipe: Recipe) -> None:
    """D moves as if it went first; G as if it did, against the same fakes and by the same pass of D."""
    recipe = replace(small(recipe), discriminator_steps=1, same_fakes=False)

    def after_one_iteration(*, simultaneous: bool) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        players = Players.build(recipe, SOURCE, ENGINE, seed=0)
        list(play(players, replace(recipe, simultaneous=simultaneous), SOURCE.train, steps=1, seed=0))
        return bits(players.discriminator), bits(players.generator)

    alternating, simultaneous = (after_one_iteration(simultaneous=each) for each in (False, True))
    assert all(torch.equal(alternating[0][name], tensor) for name, tensor in simultaneous[0].items())
    assert not all(torch.equal(alternating[1][name], tensor) for name, tensor in simultaneous[1].items())

    players = Players.build(recipe, SOURCE, ENGINE, seed=0)
    with randomness.scope(0, 0, "discriminator update 0"):
        real, labels = SOURCE.train.minibatch(6, 0, 0, device=ENGINE.device, labelled=recipe.networks.conditional)
        latents = players.networks.sample_latents(6, None, labels, players.classes)
        predict = partial(players.predict, done=0.0)
        of_real, of_fake = players.predict_pair(predict, real, players.generator.network(latents), labels)
        heads = of_real.head_logits, of_fake.head_logits
        loss = recipe.generator_loss(GeneratorPass(of_real.logits, of_fake.logits, of_fake.class_loss, *heads))
        players.generator.step(loss, 0, 1)
    for name, tensor in bits(players.generator).items():
        assert torch.equal(tensor, simultaneous[1][name])


class Forgetful(NonSaturating, name="forgetful"):
    """Its generator looks at real samples, and nobody was told."""

    def generator_loss(self, real_logits: torch.Tensor, fake_logits: torch.Tensor) -> torch.Tensor:
        return (real_logits - fake_logits).mean()


def test_a_game_that_does_not_say_that_it_is_relativistic_has_no_loss() -> None:
    recipe = small(recipes.find("dcgan"))
    players = Players.build(recipe, SOURCE, ENGINE, seed=0)
    real, fake = SOURCE.train.minibatch(6, 0, 0).samples, players.generate(None, 6)
    for game, defined in ((Forgetful(), False), (NonSaturating(), True)):
        answer = players.discriminate_fakes(real, fake, None, 0.0, relativistic=game.relativistic)
        loss = game.generator_loss(answer.real_logits, answer.fake_logits) + answer.class_loss
        assert loss.isfinite().item() == defined


def test_simultaneous_updates_leave_the_replayed_fakes_to_those_who_take_turns() -> None:
    recipe = replace(small(recipes.find("dcgan")), simultaneous=True, tricks=(Replay(),))
    with pytest.raises(InputError, match="the trick replay and simultaneous do not go together"):
        Players.build(recipe, SOURCE, ENGINE, seed=0)


def test_simultaneous_updates_and_several_of_the_discriminator_do_not_go_together() -> None:
    recipe = replace(small(recipes.find("dcgan")), simultaneous=True, discriminator_steps=2)
    with pytest.raises(InputError, match="simultaneous and discriminator_steps=2"):
        Players.build(recipe, SOURCE, ENGINE, seed=0)


def test_simultaneous_updates_share_their_fakes_already() -> None:
    recipe = replace(small(recipes.find("dcgan")), simultaneous=True, same_fakes=True)
    with pytest.raises(InputError, match="simultaneous and same_fakes do not go together"):
        Players.build(recipe, SOURCE, ENGINE, seed=0)
