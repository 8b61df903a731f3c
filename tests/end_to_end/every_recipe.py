"""Play every recipe for a few iterations, in as many processes as there are, and print what came out as one line.

`python -m tests.end_to_end.every_recipe`, alone or under torchrun: the fingerprint of each recipe's losses, logits,
weights and optimiser states, its number of collective calls, and whose gradients an update left behind.
"""

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed

from tests.conftest import images, points
from zerosum import recipes
from zerosum.data import Source
from zerosum.game.algorithm import play
from zerosum.game.distributed import join
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe, change

PARTS, STEPS = 4, 3
FOR_POINTS = ("points", "toy", "toy-vanilla")
FURTHER = {  # what no recipe has
    "adaptive augmentation, k = 2": (
        "compact",
        'tricks=[{"name":"adaptive-augment","every":2,"ramp":60},"soft-labels"]',
        "discriminator_steps=2",
    ),
    "relativistic average, dropout, batch statistics": (
        "compact",
        "game=relativistic-average",
        "networks.minibatch=standard-deviation",
    ),
    "gradient penalty, packs": (
        "dcgan",
        'regularizers=[{"name":"gradient-penalty","every":2}]',
        "networks.packing=2",
        "networks.discriminator_norm=false",
    ),
    "DRAGAN, clipped weights, instance noise": (
        "compact",
        'regularizers=["dragan","weight-clipping"]',
        'tricks=["instance-noise"]',
    ),
}


def shrink(recipe: Recipe) -> Recipe:
    """Make the networks and the minibatch small, and cut it."""
    fields = recipe.as_json()["networks"]
    for name in ("width", "generator_units", "discriminator_units"):
        if name in fields:
            recipe = change(recipe, f"networks.{name}={16 if recipe.name == 'r3gan' else 4}")
    if recipe.networks.features != "none":
        recipe = change(recipe, "networks.feature_size=32")
    return replace(recipe, batch_size=8, accumulate=PARTS)


def data_for(recipe: Recipe) -> Source:
    """Return a few images with classes; points for networks that take only those."""
    return points(2, count=30) if recipe.name in FOR_POINTS else images((3, 8, 8), count=30, classes=3)


def digest(tensors: list[Tensor]) -> str:
    """Fingerprint the bits of `tensors`."""
    content = hashlib.sha256()
    for tensor in tensors:
        content.update(tensor.detach().contiguous().numpy().tobytes())
    return content.hexdigest()[:16]


def run(recipe: Recipe, calls: list[str]) -> dict[str, Any]:
    """Play a recipe, and return what came out."""
    source, before = data_for(recipe), len(calls)
    players = Players.build(recipe, source, Engine(torch.device("cpu")), 0, TEAM)
    found = []
    for iteration in play(players, recipe, source.train, steps=STEPS, seed=1):
        found += [iteration.discriminator_loss, iteration.penalty, iteration.generator_loss]
        found += [iteration.real_logits, iteration.fake_logits]
    for player in (players.generator, players.discriminator):
        found += player.network.state_dict().values()
        found += [torch.as_tensor(each) for state in player.optimizer.state.values() for each in state.values()]
    found += players.memory.values()
    left = [name for name, each in players.discriminator.network.named_parameters() if each.grad is not None]
    left += [name for name, each in players.generator.network.named_parameters() if each.grad is not None]
    return {"bits": digest(found), "calls": len(calls) - before, "gradients left": left}


def threads_of_group() -> list[str]:
    """Name the threads of this process that belong to its process group."""
    names = [each.read_text().strip() for each in Path("/proc/self/task").glob("*/comm")]
    return [name for name in names if "gloo" in name]


if __name__ == "__main__":
    torch.set_num_threads(1)
    TEAM = join()
    CALLS: list[str] = []
    if distributed.is_initialized():
        gather = distributed.all_gather

        def counted(*arguments: Any) -> Any:
            CALLS.append("all_gather")
            return gather(*arguments)

        distributed.all_gather = counted
    CHOSEN = dict(recipes.recipes())
    for NAME, (BASE, *CHANGES) in FURTHER.items():
        CHOSEN[NAME] = recipes.find(BASE)
        for EACH in CHANGES:
            CHOSEN[NAME] = change(CHOSEN[NAME], EACH)
    FOUND = {name: run(shrink(recipe), CALLS) for name, recipe in CHOSEN.items()}
    THREADS = threads_of_group()
    TEAM.leave()
    sys.stdout.write(json.dumps({"threads": [len(THREADS), len(threads_of_group())], "recipes": FOUND}) + "\n")
