"""A discriminator's layers, counted from the samples, and what freezing the first of them means."""

from dataclasses import replace

import pytest
import torch

from tests.conftest import images
from tests.unit.networks.families import every_family
from zerosum import catalog
from zerosum.errors import InputError
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe
from zerosum.game.regularizers import SpectralNorm
from zerosum.networks import Networks
from zerosum.networks.layers import freeze, list_layers
from zerosum.networks.resnet import ResNet

SHAPE = (3, 32, 32)
LAYERS = {"dcgan": 3, "compact": 4, "resnet": 4, "r3gan": 10, "mlp": 2, "paper-mlp": 2}  # of 32x32 images


@every_family
@pytest.mark.parametrize("condition", ["none", "projection", "concatenation", "auxiliary"])
def test_layers_are_counted_from_the_samples(networks: Networks, condition: str) -> None:
    _, discriminator = replace(networks, condition=condition).build_pair(SHAPE, 3, seed=0)  # type: ignore[arg-type]
    layers = list_layers(discriminator)
    assert len(layers) == LAYERS[catalog.name_of(networks)]
    first, last = (next(each[0].parameters()) for each in (layers[0], layers[-1]))
    assert first is next(discriminator.parameters())
    own = {id(parameter) for layer in layers for module in layer for parameter in module.parameters()}
    heads = [name for name, parameter in discriminator.named_parameters() if id(parameter) not in own]
    assert len(heads) == {"none": 2, "projection": 3, "concatenation": 2, "auxiliary": 4}[condition], heads
    assert last is not first


@pytest.mark.parametrize("packing", [1, 2])
def test_frozen_layers_do_not_move_and_all_others_do(packing: int) -> None:
    networks = ResNet(width=4, packing=packing)
    recipe = Recipe("r", networks=networks, regularizers=(SpectralNorm(),), batch_size=4, frozen_layers=2)
    source = images(SHAPE, count=16)
    players = Players.build(recipe, source, Engine(torch.device("cpu")), 0)
    network = players.discriminator.network
    before = {name: parameter.clone() for name, parameter in network.named_parameters()}
    for _ in play(players, recipe, source.train, steps=1, seed=0):
        pass
    moved = {name for name, parameter in network.named_parameters() if not torch.equal(parameter, before[name])}
    frozen = {id(parameter) for layer in list_layers(network)[:2] for each in layer for parameter in each.parameters()}
    assert {name for name, parameter in network.named_parameters() if id(parameter) in frozen} == before.keys() - moved
    assert len(players.discriminator.parameters) == len(moved) > 0


def test_the_last_layer_has_to_learn() -> None:
    _, discriminator = ResNet(width=4).build_pair(SHAPE, 0, seed=0)
    freeze(discriminator, 4)
    assert sum(parameter.requires_grad for parameter in discriminator.parameters()) == 2
    with pytest.raises(InputError, match="frozen_layers=5: the discriminator has 4 layers before its last one"):
        freeze(discriminator, 5)
