"""What an iteration adds to the losses of the game."""

import pytest
import torch

from tests.conftest import images
from zerosum import randomness, recipes
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.predictions import DiscriminatorPass, GeneratorPass
from zerosum.game.recipe import change
from zerosum.game.regularizers import total_penalty

SOURCE = images((1, 8, 8), classes=3)
RECIPE = change(change(recipes.find("compact"), "networks.condition=auxiliary"), "batch_size=6")


def test_both_players_want_the_class_to_be_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """AC-GAN's L_C is in both losses (Odena et al. 2017, eq. 3): D's on real and fake samples, G's on fakes."""
    players = Players.build(RECIPE, SOURCE, Engine(torch.device("cpu")), seed=0)
    real, labels = SOURCE.train.minibatch(6, 0, 0)
    with randomness.scope(0, 0, "test"):
        fake = players.generate(labels, 6)
    (_, of_real), (of_fake_logits, of_fake) = (players.discriminator.network(each, labels) for each in (real, fake))
    out = players.discriminate(real, fake, labels, 0.0)
    torch.testing.assert_close((out.real_class_loss, out.fake_class_loss), (of_real.mean(), of_fake.mean()))
    torch.testing.assert_close(out.class_loss, of_real.mean() + of_fake.mean())
    torch.testing.assert_close(RECIPE.penalty(out, 0), total_penalty(RECIPE.regularizers, out, 0) + out.class_loss)
    answer = players.discriminate_fakes(real, fake, labels, 0.0, relativistic=RECIPE.game.relativistic)
    torch.testing.assert_close((answer.fake_logits, answer.class_loss), (of_fake_logits, of_fake.mean()))

    answers: list[GeneratorPass] = []
    discriminate_fakes = Players.discriminate_fakes

    def watched(*arguments: object, **options: object) -> GeneratorPass:
        answers.append(discriminate_fakes(*arguments, **options))  # type: ignore[arg-type]
        return answers[-1]

    monkeypatch.setattr(Players, "discriminate_fakes", watched)
    (iteration,) = play(players, RECIPE, SOURCE.train, steps=1, seed=0)
    (answer,) = answers
    expected = RECIPE.game.generator_loss(answer.real_logits, answer.fake_logits) + answer.class_loss
    torch.testing.assert_close(iteration.generator_loss, expected.detach())
    assert answer.class_loss > 0.1


def test_samples_are_differentiated_only_when_a_penalty_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = change(RECIPE, 'regularizers=[{"name":"r1","every":3},{"name":"weight-clipping"}]')
    players = Players.build(recipe, SOURCE, Engine(torch.device("cpu")), seed=0)
    passes: list[DiscriminatorPass] = []
    discriminate = Players.discriminate

    def watched(*arguments: object, **options: object) -> DiscriminatorPass:
        passes.append(discriminate(*arguments, **options))  # type: ignore[arg-type]
        return passes[-1]

    monkeypatch.setattr(Players, "discriminate", watched)
    penalties = [float(each.penalty) for each in play(players, recipe, SOURCE.train, steps=5, seed=0)]
    assert [each.real.requires_grad for each in passes] == [True, False, False, True, False]
    assert [each.fake.requires_grad for each in passes] == [True, False, False, True, False]
    assert all(penalties)
