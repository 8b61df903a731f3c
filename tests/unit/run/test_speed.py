"""What an iteration costs: the parts are those of the iteration, and the operations are counted right."""

import time
from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.unit.run.small import RECIPE, SOURCE
from zerosum.game.engine import Engine
from zerosum.game.regularizers import GradientNorm
from zerosum.networks.compact import Compact
from zerosum.run.speed import PARTS, Stopwatch, measure_peak, measure_speed, play_textbook, time_textbook

ENGINE = Engine(torch.device("cpu"), threads=1)


def test_an_iteration_is_divided_into_parts() -> None:
    speed = measure_speed(replace(RECIPE, batch_size=16), SOURCE, ENGINE, 0.2)
    assert list(speed.parts) == list(PARTS)
    assert all(seconds > 0 for seconds in speed.parts.values())
    assert speed.batch_size == 32  # two updates of D
    assert speed.images_per_second == pytest.approx(32 / speed.seconds)
    assert 0 < speed.outside < 1
    assert 0 < speed.share_of_peak < 1


def test_a_slow_part_is_seen_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    step = torch.optim.Adam.step

    def slow(self: torch.optim.Adam, closure: None = None) -> None:
        time.sleep(0.05)
        step(self, closure)

    monkeypatch.setattr(torch.optim.Adam, "step", slow)
    parts = measure_speed(RECIPE, SOURCE, ENGINE, 0.3).parts
    assert parts["discriminator optimizer"] >= 0.1  # two updates of D, one of G
    assert 0.1 > parts["generator optimizer"] >= 0.05
    assert max(parts[name] for name in PARTS if not name.endswith("optimizer")) < 0.05


def test_operations_are_those_of_both_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: of a product of m x k by k x n there are 2 m k n, and as many for each gradient of it."""
    latent, hidden, batch = 3, 8 * 8, 4

    def build_pair(*_: object) -> tuple[nn.Module, nn.Module]:
        generator = nn.Sequential(nn.Linear(latent, hidden), nn.Unflatten(1, (1, 8, 8)))
        return generator, nn.Sequential(nn.Flatten(), nn.Linear(hidden, 1), nn.Flatten(0))

    monkeypatch.setattr(Compact, "build_pair", build_pair)
    networks = Compact(latent=latent)
    recipe = replace(RECIPE, networks=networks, batch_size=batch, discriminator_steps=1, regularizers=())
    generate, predict = 2 * batch * latent * hidden, 2 * batch * hidden
    d_update = generate + 2 * predict + 2 * predict  # fakes; real and fake; the weights' gradient
    g_update = generate + predict + predict + generate  # and on to the samples, and to the weights of G
    assert measure_speed(recipe, SOURCE, ENGINE, 0.01).flops == d_update + g_update


def test_penalties_are_counted_as_often_as_they_come() -> None:
    """They differentiate D twice, which PyTorch's own counter of operations does not survive."""
    recipe = replace(RECIPE, discriminator_steps=1, regularizers=())
    plain, always, rarely = (
        measure_speed(replace(recipe, regularizers=regularizers), SOURCE, ENGINE, 0.01).flops
        for regularizers in ((), (GradientNorm(samples="real"),), (GradientNorm(samples="real", every=4),))
    )
    assert always > 1.2 * plain
    assert rarely - plain == pytest.approx((always - plain) / 4, rel=1e-6)


def test_the_peak_is_no_slower_than_a_product() -> None:
    one = torch.randn(1024, 1024)
    torch.set_num_threads(1)
    stopwatch = Stopwatch(ENGINE.device)
    began = stopwatch.now()
    one @ one
    assert measure_peak(ENGINE) >= 0.5 * 2 * 1024**3 / (stopwatch.now() - began)


def test_the_tutorial_s_loop_trains_both() -> None:
    generator, discriminator = RECIPE.networks.build_pair(SOURCE.shape, 0, 0)
    before = [each.clone() for network in (generator, discriminator) for each in network.parameters()]
    losses = list(play_textbook(generator, discriminator, RECIPE.networks.latent, iter([torch.rand(8, 1, 8, 8)] * 2)))
    after = [each for network in (generator, discriminator) for each in network.parameters()]
    assert len(losses) == 2
    assert sum(not torch.equal(a, b) for a, b in zip(before, after, strict=True)) > len(after) / 2
    assert time_textbook(RECIPE, SOURCE, 1, 0.05) > 0
