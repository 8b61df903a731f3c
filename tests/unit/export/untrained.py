"""Generators of random weights whose samples differ from each other, so that mistakes show."""

import torch
from torch import nn

from zerosum import catalog
from zerosum.game.engine import Engine
from zerosum.generator import TrainedGenerator
from zerosum.networks import Networks
from zerosum.networks.batch_norm import calibrate

CLASSES = {"a": 1, "b": 2, "c": 1}


def untrained(networks: Networks, *shape: int) -> TrainedGenerator:
    """Build a generator whose samples have a deviation of about a quarter of their range."""
    classes = CLASSES if networks.conditional else {}
    network = networks.build_to_load(shape, len(classes))
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(1)
        for parameter in network.parameters():
            parameter.mul_(1.5 if parameter.ndim > 1 else 1)
        labels = torch.randint(len(classes), (256,)) if classes else None
        calibrate(network, [networks.sample_latents(256, None, labels, len(classes))])
        samples = network(networks.sample_latents(256, None, labels, len(classes)))
        last = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd)][-1]
        last.weight.mul_(0.5 / samples.std())
    return TrainedGenerator(network.eval(), networks, shape, classes, Engine(torch.device("cpu")), {"step": 7})


def small(name: str, **fields: object) -> Networks:
    width = {"generator_units": 16} if name == "paper-mlp" else {"width": 8}
    return catalog.build(catalog.choices(Networks)[name], {"latent": 8, **width, **fields})
