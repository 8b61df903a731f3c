"""An examination: what is measured on the players themselves, on a few batches of what they learned from and have not.

Nothing is changed: networks act as in training, no optimiser moves, and all randomness is of a scope of its own.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.data import Source, Split
from zerosum.game.players import Player, Players
from zerosum.game.recipe import Recipe
from zerosum.networks.layers import freeze, list_learning

COUNT = 512
Active = dict[tuple[int, int], Tensor]
PURPOSE = "examination"


@dataclass(frozen=True, eq=False)
class Examination:
    """What was measured on the players.

    Attributes:
        trained_logits: D's logits for real samples that it learned from, [N] (of packs, if it sees these).
        unseen_logits: for real samples that it has not seen, [M].
        fake_logits: for fakes, [N].
        alone_logits: for the first real samples again, without fakes in their batches; as `together_logits`, with them.
        together_logits: see there; both are empty if D's answer for a sample cannot depend on its batch.
        fakes: some of them, as rows, [N, d].
        reals: as many of the unseen samples at most, as rows, [M, d].
        gradients: the norm of G's gradient by layer, from the latents to the samples.
        step_sizes: of each player at its first learning rate: the length of an update over that of the weights.
        moved: of each player: how far its weights are from the first ones, over the length of these; NaN if they are
            not known.
        dead: the share of hidden units of each player that were 0 for every sample.
    """

    trained_logits: Tensor
    unseen_logits: Tensor
    fake_logits: Tensor
    alone_logits: Tensor
    together_logits: Tensor
    fakes: Tensor
    reals: Tensor
    gradients: dict[str, float]
    step_sizes: dict[str, float]
    moved: dict[str, float]
    dead: dict[str, float]


def examine(
    players: Players, recipe: Recipe, source: Source, seed: int, done: float, *, count: int = COUNT, began: bool = False
) -> Examination:
    """Examine the players of `recipe`.

    Args:
        players: both.
        recipe: what they play.
        source: on which data.
        seed: of the run.
        done: the share of the training that is done.
        count: of samples of each kind, at most.
        began: whether the first weights were those that `seed` draws, which are drawn again to see how far it is to
            them.
    """
    size = recipe.batch_size
    with players.random(seed, 0, PURPOSE), watch_rectifiers(players) as active:
        trained, labels = _draw(players, source.train, count, size)
        unseen, unseen_labels = _draw(players, source.test, count, size)
        with torch.no_grad():
            fakes = torch.cat(
                [players.generate(_part(labels, rows), len(rows)) for rows in _batches(len(trained), size)]
            )
        predict = partial(_predict, players, size=size)
        logits = predict(trained, labels), predict(unseen, unseen_labels), predict(fakes, labels)
        alone, together = _compare_batches(players, trained[:size], fakes[:size], _part(labels, range(size)))
        gradients = _measure_gradients(players, recipe, trained[:size], _part(labels, range(size)), done)
    both = {"generator": players.generator, "discriminator": players.discriminator}
    return Examination(
        trained_logits=logits[0].cpu(),
        unseen_logits=logits[1].cpu(),
        fake_logits=logits[2].cpu(),
        alone_logits=alone.cpu(),
        together_logits=together.cpu(),
        fakes=fakes.flatten(1).float().cpu(),
        reals=unseen.flatten(1).float().cpu(),
        gradients=gradients,
        step_sizes={name: measure_step(player) for name, player in both.items()},
        moved=_measure_moved(players, recipe, source, seed) if began else dict.fromkeys(both, math.nan),
        dead={name: _share_dead(active[name]) for name in both},
    )


def _draw(players: Players, split: Split, count: int, size: int) -> tuple[Tensor, Tensor | None]:
    """Draw up to `count` samples of a split, whole batches of `size` if there is one."""
    several = min(count, len(split))
    several = several // size * size or several // players.networks.packing * players.networks.packing
    return players.real_batch(split, max(several, 1), 0, 0)


def _batches(count: int, size: int) -> list[range]:
    return [range(first, min(first + size, count)) for first in range(0, count, size)]


def _part(labels: Tensor | None, rows: range) -> Tensor | None:
    return None if labels is None else labels[rows.start : rows.stop]


@torch.no_grad()
def _predict(players: Players, samples: Tensor, labels: Tensor | None, *, size: int) -> Tensor:
    """Let D predict samples in batches of the size that it learned from, without tricks."""
    network = players.discriminator.network
    return torch.cat(
        [
            players.engine.predict(network, samples[rows.start : rows.stop], _part(labels, rows)).logits
            for rows in _batches(len(samples), size)
        ]
    )


@torch.no_grad()
def _compare_batches(players: Players, real: Tensor, fake: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return D's logits for real samples without fakes in their batch, and as it is played; empty if they are equal."""
    networks = players.networks
    if not (networks.normalises_batches or networks.minibatch != "none"):
        return torch.empty(0), torch.empty(0)
    predict = partial(players.engine.predict, players.discriminator.network)
    together, _ = players.predict_pair(predict, real, fake, labels)
    return predict(real, labels).logits, together.logits


def _measure_gradients(
    players: Players, recipe: Recipe, real: Tensor, labels: Tensor | None, done: float
) -> dict[str, float]:
    """Measure the norm of the gradient that G would follow, by layer."""
    fake = players.generate(labels, len(real))
    answer = players.discriminate_fakes(real, fake, labels, done, relativistic=recipe.game.relativistic)
    named = [(name, each) for name, each in players.generator.network.named_parameters() if each.requires_grad]
    found = torch.autograd.grad(recipe.generator_loss(answer), [each for _, each in named], materialize_grads=True)
    squares: dict[str, float] = {}
    for (name, _), gradient in zip(named, found, strict=True):
        layer = name.rpartition(".")[0]
        squares[layer] = squares.get(layer, 0.0) + float(gradient.float().square().sum())
    return {layer: math.sqrt(square) for layer, square in squares.items()}


def measure_step(player: Player) -> float:
    """Return the length of an Adam update at the first learning rate over that of the weights; NaN if it is none."""
    states = [player.optimizer.state.get(each, {}) for each in player.parameters]
    rate = player.optimizer_config.rate(0, 1)
    if not all("exp_avg_sq" in state and float(state["step"]) > 0 for state in states):
        return math.nan
    group = player.optimizer.param_groups[0]
    beta1, beta2 = group["betas"]
    square = 0.0
    for state in states:
        steps = float(state["step"])
        mean, variance = state["exp_avg"] / (1 - beta1**steps), state["exp_avg_sq"] / (1 - beta2**steps)
        square += float((mean / (variance.sqrt() + group["eps"])).square().sum())
    return rate * math.sqrt(square) / max(_length(player.parameters), 1e-12)


def _length(parameters: list[nn.Parameter]) -> float:
    return math.sqrt(sum(float(each.detach().float().square().sum()) for each in parameters))


def _measure_moved(players: Players, recipe: Recipe, source: Source, seed: int) -> dict[str, float]:
    """Return how far each player's weights are from those that `seed` draws, over the length of these."""
    first = recipe.build_networks(source, seed)
    recipe.networks.fit_to_data(*first, source.train.samples)
    freeze(first[1], recipe.frozen_layers)
    moved = {}
    for name, player, network in zip(
        ("generator", "discriminator"), (players.generator, players.discriminator), first, strict=True
    ):
        before = list_learning(network)
        pairs = zip(player.parameters, before, strict=True)
        square = sum(float((now.detach().cpu().float() - then.detach().float()).square().sum()) for now, then in pairs)
        moved[name] = math.sqrt(square) / max(_length(before), 1e-12)
    return moved


@contextmanager
def watch_rectifiers(players: Players) -> Iterator[dict[str, Active]]:
    """Note for each player which units of its rectifiers are above 0 for some sample."""
    active: dict[str, Active] = {"generator": {}, "discriminator": {}}
    handles = []
    for name, player in (("generator", players.generator), ("discriminator", players.discriminator)):
        for module in player.network.modules():
            if isinstance(module, nn.ReLU):
                handles.append(module.register_forward_hook(partial(_note_active, active[name])))  # noqa: PERF401
    try:
        yield active
    finally:
        for handle in handles:
            handle.remove()


def _note_active(active: Active, module: nn.Module, inputs: Any, output: Tensor) -> None:
    """Note which channels [C] of `output` [N, C, ...] are above 0 anywhere."""
    above = (output.detach() > 0).flatten(2).any(2).any(0) if output.ndim > 2 else (output.detach() > 0).any(0)
    place = id(module), len(above)  # one rectifier may stand after layers of several widths
    active[place] = active.get(place, above) | above


def _share_dead(active: Active) -> float:
    """Return the share of units that were never above 0; 0 if there are no rectifiers."""
    units = torch.cat([each.cpu() for each in active.values()]) if active else torch.ones(1, dtype=torch.bool)
    return float((~units).float().mean())
