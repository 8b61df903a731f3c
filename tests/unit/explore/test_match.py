"""The game of the page is that of `game/algorithm.py`, bit for bit, however it is watched."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import nn

import zerosum
from zerosum.errors import InputError
from zerosum.explore.frames import pack
from zerosum.explore.match import Match, open_toy
from zerosum.explore.settings import Settings
from zerosum.explore.view import COUNTED, PUSHED, SHOWN, View
from zerosum.explore.watching import Line
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.players import Players

SMALL = {"width": 8, "seed": 3}
GAMES = [
    Settings("ring", "toy-vanilla", k=2, **SMALL),
    Settings("ring", "points", **SMALL),
    Settings("gaussian", "toy", "wasserstein", "gradient-penalty", **SMALL),
]


def weights(*networks: nn.Module) -> list[torch.Tensor]:
    return [tensor.clone() for network in networks for tensor in network.state_dict().values()]


def unwatched(settings: Settings, steps: int) -> list[torch.Tensor]:
    recipe, source = settings.make_recipe(), open_toy(settings.data)
    players = Players.build(recipe, source, Engine.choose("cpu", "float32", 1), settings.seed)
    for _ in islice(play(players, recipe, source.train, steps=recipe.steps, seed=settings.seed), steps):
        pass
    return weights(players.generator.network, players.discriminator.network)


@pytest.mark.parametrize("settings", GAMES, ids=lambda each: each.recipe)
def test_watching_changes_no_bit(settings: Settings) -> None:
    match = Match(settings)
    view, lines = View(match), list[Line]()
    match.notice = lambda line: (lines.append(line), view.look(line))[0]
    for _ in range(3):
        match.advance()
        view.look(Line.DONE)
    watched = weights(match.players.generator.network, match.players.discriminator.network)
    assert all(map(torch.equal, watched, unwatched(settings, 3)))
    k = match.recipe.discriminator_steps
    assert lines == 3 * [*k * [Line.D_SAMPLES, Line.D_UPDATED], Line.G_SAMPLES, Line.G_UPDATED]
    assert (match.step, match.last is not None) == (3, True)


@pytest.mark.parametrize("settings", GAMES, ids=lambda each: each.recipe)
def test_the_same_settings_give_the_same_film(settings: Settings) -> None:
    films = []
    for _ in range(2):
        match = Match(settings)
        view, film = View(match), list[bytes]()
        match.notice = lambda line, view=view, film=film: film.append(pack(*view.look(line)))  # type: ignore[misc]
        match.advance()
        films.append([*film, pack(*view.look(Line.DONE))])
    assert films[0] == films[1]
    assert len(set(films[0])) == len(films[0])


def test_what_a_frame_has() -> None:
    match = Match(GAMES[0])
    about, arrays = View(match).look(Line.START)
    assert about["caption"] == "Both networks as they were drawn: nobody has moved yet."
    assert (about["step"], about["generator-loss"], about["modes-in-all"]) == (0, None, 8)
    assert {name: list(each.shape) for name, each in arrays.items()} == {
        "real": [SHOWN, 2],
        "fake": [SHOWN, 2],
        "push": [PUSHED, 2],
        "d": [4096],
        "best": [4096],
        "seen": [4096],
    }
    match.advance()
    about, arrays = View(match).look(Line.D_SAMPLES)
    assert arrays["drawn-real"].shape == arrays["drawn-fake"].shape == (128, 2)
    assert about["value"] < 0
    assert "m = 128 examples" in about["caption"]


def test_a_fake_is_pushed_along_the_gradient_of_the_generators_loss() -> None:
    match = Match(GAMES[0])
    view = View(match)
    match.advance()
    _, arrays = view.look(Line.DONE)
    network, loss = match.players.discriminator.network, match.recipe.game.generator_loss
    for number, axis in ((5, 1), (7, 0)):
        ahead, behind = (arrays["fake"][number].clone()[None] for _ in range(2))
        ahead[0, axis] += 0.01
        behind[0, axis] -= 0.01
        slope = (loss(network(ahead), network(ahead)) - loss(network(behind), network(behind))) / 0.02
        assert torch.isclose(arrays["push"][number, axis], -slope, rtol=0.02, atol=1e-4)


def test_answers_that_are_no_probabilities_are_shown_between_the_means_of_both_kinds() -> None:
    match = Match(GAMES[2])
    for _ in range(3):
        match.advance()
    view = View(match)
    _, arrays = view.look(Line.DONE)
    with torch.no_grad():
        real, fake, everywhere = map(
            match.players.discriminator.network, (arrays["real"], arrays["fake"], view.cells.centres())
        )
    expected = (
        4 * (everywhere - fake.mean()) / (real.mean() - fake.mean()).abs() - 2 * (real.mean() - fake.mean()).sign()
    ).sigmoid()
    assert torch.allclose(arrays["d"], expected, atol=1e-4)


def test_real_samples_in_place_of_fakes_are_at_the_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    match = Match(Settings("gaussian", width=8))
    view = View(match)
    real = match.source.test.samples[COUNTED : 2 * COUNTED]
    monkeypatch.setattr(Engine, "generate", lambda *_: real)
    about, arrays = view.look(Line.DONE)
    assert about["divergence"] < 0.01
    assert about["high-quality"] > 0.99
    middle = arrays["p-data"] > 0.1
    assert (arrays["best"][middle] - 0.5).abs().max() < 0.1


def test_no_toy_of_that_name() -> None:
    with pytest.raises(InputError):
        open_toy("digits")


def test_a_run_that_is_played_again_ends_with_its_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.metrics.evaluation.sample_count", lambda *_: 100)  # few, as scores are not tested here
    monkeypatch.setattr("zerosum.metrics.evaluation.REPLICATES", 8)
    recipe = replace(Settings(game="hinge", regularizer="r1", width=8).make_recipe(), ema_decay=0.0, steps=6)
    generator = zerosum.train("gaussian", recipe, seed=7, out=tmp_path / "run")
    match = Match(Settings("gaussian", recipe=str(tmp_path / "run"), seed=7))
    assert match.steps == 6
    for _ in range(6):
        match.advance()
    assert all(map(torch.equal, weights(match.players.generator.network), weights(generator.network)))
