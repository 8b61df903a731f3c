"""What is done to layers of either player: which of them learn, and which have constraints of their own."""

from abc import ABC, abstractmethod

from torch import nn

from zerosum.errors import InputError
from zerosum.networks.batch_norm import BatchNorm
from zerosum.networks.precision import Logit


class Constrained(ABC):
    """A layer that has to be brought back within its own constraint after each update of its player."""

    @abstractmethod
    def project(self) -> None:
        """Bring it back."""


def list_layers(discriminator: nn.Module) -> list[list[nn.Module]]:
    """List the layers of the trunk of any family's `discriminator`, the one nearest the samples first.

    A layer is what lies side by side in the trunk and has weights: a convolution, a dense layer, a residual block; a
    normalisation belongs to what it follows. The last layer, which makes the logit, is none of them.
    """
    trunk = next(module for module in discriminator.modules() if isinstance(module, nn.Sequential))
    layers: list[list[nn.Module]] = []
    for child in trunk:
        if isinstance(child, Logit) or not any(True for _ in child.parameters()):
            continue
        if isinstance(child, BatchNorm) and layers:
            layers[-1].append(child)
        else:
            layers.append([child])
    return layers


def list_learning(network: nn.Module) -> list[nn.Parameter]:
    """List the parameters that learn: all but those of frozen layers."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def freeze(discriminator: nn.Module, count: int) -> None:
    """Let the first `count` layers learn nothing (FreezeD, Mo et al. 2020).

    Raises:
        InputError: there are fewer.
    """
    layers = list_layers(discriminator) if count else []
    if count > len(layers):
        raise InputError(
            f"frozen_layers={count}: the discriminator has {len(layers)} layers before its last one, which has to learn"
        )
    for layer in layers[:count]:
        for module in layer:
            module.requires_grad_(requires_grad=False)
