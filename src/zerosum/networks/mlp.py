"""Multilayer perceptrons: the networks of the 2014 paper, and a plain pair for points."""

import math
from collections.abc import Callable
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from zerosum.networks import Count, Networks, Prior, Shape, Size
from zerosum.networks.dropout import Dropout
from zerosum.networks.points import MOST_FREQUENCIES, Units, Waves

CLIP = 1e-7  # how near a mean pixel value may come to 0 and 1
BLOCK = 256  # images summed at a time: PyTorch copies what it sums to 8 bytes per pixel


class Maxout(nn.Module):
    """A dense layer whose units are the maximum of `pieces` linear ones (Goodfellow et al. 2013).

    The input is dropped out per example: each value is kept with probability `keep` and then divided by it.
    """

    def __init__(self, inputs: int, units: int, pieces: int, keep: float) -> None:
        """Weights [inputs, units * pieces]; all arguments are at least 1, `keep` in (0, 1]."""
        super().__init__()
        self.dropout = Dropout(1 - keep)
        self.linear = nn.Linear(inputs, units * pieces)
        self.pieces = pieces

    def forward(self, batch: Tensor) -> Tensor:
        """[N, inputs] to [N, units]."""
        pieces: Tensor = self.linear(self.dropout(batch))
        return pieces.view(len(batch), -1, self.pieces).max(2).values  # its slope costs half of amax's


class UnitInterval(nn.Module):
    """Shift samples from [-1, 1], the range between the players, to [0, 1], the paper's, or back."""

    def __init__(self, *, back: bool = False) -> None:
        """`back`: from [0, 1] to [-1, 1]."""
        super().__init__()
        self.back = back

    def forward(self, batch: Tensor) -> Tensor:
        """Any shape."""
        return batch * 2 - 1 if self.back else (batch + 1) / 2


@dataclass(frozen=True)
class PaperMLP(Networks):
    """The released MNIST networks of Goodfellow et al. 2014: rectifiers and a sigmoid against maxout with dropout.

    Weights start uniform on (-0.05, 0.05) in the generator and (-0.005, 0.005) in the discriminator, biases at 0, but
    for the generator's last, which make the average image; the discriminator's inputs are kept with probability 0.8 in
    the first layer and 0.5 in the others.
    """

    paper: ClassVar[str] = "Goodfellow et al. 2014 (released code, mnist.yaml); Goodfellow et al. 2013 (maxout)"
    latent: Size = 100
    prior: Prior = "uniform"
    generator_units: Size = 1200
    discriminator_units: Size = 240
    pieces: Size = 5

    def generator(self, shape: Shape, inputs: int) -> nn.Module:
        """Two layers of rectifiers, then a sigmoid."""
        units = self.generator_units
        return nn.Sequential(
            nn.Linear(inputs, units),
            nn.ReLU(),
            nn.Linear(units, units),
            nn.ReLU(),
            nn.Linear(units, math.prod(shape)),
            nn.Sigmoid(),
            UnitInterval(back=True),
            nn.Unflatten(1, shape),
        )

    def trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """Two layers of maxout; dropout before each, and before the logit."""
        units = self.discriminator_units
        network = nn.Sequential(
            nn.Flatten(),
            UnitInterval(),
            Maxout(math.prod(shape), units, self.pieces, keep=0.8),
            Maxout(units, units, self.pieces, keep=0.5),
            Dropout(0.5),
        )
        return network, units

    def initialise(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """Uniform, within bounds of each player's own."""
        _uniform(generator, 0.05)
        _uniform(discriminator, 0.005)

    @torch.no_grad()
    def acquaint(self, generator: nn.Module, discriminator: nn.Module, samples: Tensor) -> None:
        """The biases before the sigmoid start where the average image is: logit(mean), as in the released code."""
        last = [layer for layer in generator.modules() if isinstance(layer, nn.Linear)][-1]
        total = torch.zeros(samples.shape[1:], dtype=torch.int64)
        for block in torch.split(samples, BLOCK):
            total += block.sum(0)
        mean = total.flatten().double() / len(samples) / 255
        last.bias.copy_(mean.clamp(CLIP, 1 - CLIP).logit())


@dataclass(frozen=True)
class MLP(Networks):
    """Dense layers of `width` units: rectifiers in the generator, leaky ones in the discriminator. Points or images.

    Points are brought to mean 0 and deviation 1 on the discriminator's way in and back on the generator's way out. With
    `frequencies` the discriminator also sees so many waves of each coordinate, and so finer detail than it would learn.
    """

    paper: ClassVar[str] = "Goodfellow et al. 2014, section 5, without maxout and dropout"
    latent: Size = 64
    width: Size = 256
    depth: Size = 2
    frequencies: Annotated[Count, Field(le=MOST_FREQUENCIES)] = 0

    @property
    def papers(self) -> tuple[str, ...]:
        """The waves have one of their own."""
        return super().papers + (("Tancik et al. 2020, section 3",) if self.frequencies else ())

    def check(self, shape: Shape) -> None:
        """Any shape will do."""

    def generator(self, shape: Shape, inputs: int) -> nn.Module:
        """`depth` hidden layers; images end in tanh, points are unbounded."""
        layers = self._hidden(inputs, nn.ReLU)
        layers += [nn.Linear(self.width, math.prod(shape))]
        layers += [nn.Tanh(), nn.Unflatten(1, shape)] if len(shape) == 3 else [Units(*shape, back=True)]
        return nn.Sequential(*layers)

    def trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """`depth` hidden layers."""
        entry: list[nn.Module] = [nn.Flatten() if len(shape) == 3 else Units(*shape)]
        inputs = math.prod(shape)
        if self.frequencies:
            waves = Waves(self.frequencies)
            entry, inputs = [*entry, waves], inputs * waves.copies
        return nn.Sequential(*entry, *self._hidden(inputs, lambda: nn.LeakyReLU(0.2))), self.width

    def initialise(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """PyTorch's defaults, but for the embedding of classes: as large as the weights of the logit beside it."""
        for module in discriminator.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, 0.0, module.embedding_dim**-0.5)

    def acquaint(self, generator: nn.Module, discriminator: nn.Module, samples: Tensor) -> None:
        """The units of points."""
        for player, copies in ((generator, 1), (discriminator, self.packing)):
            for layer in player.modules():
                if isinstance(layer, Units):
                    layer.learn(samples, copies)

    def _hidden(self, inputs: int, activation: Callable[[], nn.Module]) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for _ in range(self.depth):
            layers += [nn.Linear(inputs, self.width), activation()]
            inputs = self.width
        return layers


def _uniform(network: nn.Module, bound: float) -> None:
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.uniform_(module.weight, -bound, bound)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
