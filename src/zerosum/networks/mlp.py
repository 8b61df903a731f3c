"""Multilayer perceptrons: the networks of the 2014 paper, and a plain pair for points."""

import math
from collections.abc import Callable
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from zerosum.networks import Networks, Prior
from zerosum.networks.dropout import Dropout
from zerosum.networks.points import MOST_FREQUENCIES, FourierFeatures, Standardize
from zerosum.types import Shape, Size, Whole

CLIP = 1e-7  # the least distance of a mean pixel value from 0 and 1
BLOCK = 256  # images summed at a time, as PyTorch copies its input to 8 bytes per pixel


class Maxout(nn.Module):
    """A dense layer whose units are the maximum of `pieces` linear ones (Goodfellow et al. 2013).

    Dropout acts on the input: each value is kept with probability `keep` and then divided by it.
    """

    def __init__(self, inputs: int, units: int, pieces: int, keep: float) -> None:
        """Build weights [inputs, units * pieces]; the sizes are at least 1, `keep` is in (0, 1]."""
        super().__init__()
        self.dropout = Dropout(1 - keep)
        self.linear = nn.Linear(inputs, units * pieces)
        self.pieces = pieces

    def forward(self, batch: Tensor) -> Tensor:
        """Map [N, inputs] to [N, units]."""
        pieces: Tensor = self.linear(self.dropout(batch))
        return pieces.view(len(batch), -1, self.pieces).max(2).values  # its gradient costs half of amax's


class UnitInterval(nn.Module):
    """Map samples from [-1, 1], the range between the players, to [0, 1], the paper's, or back."""

    def __init__(self, *, back: bool = False) -> None:
        """Set the direction; `back` is from [0, 1] to [-1, 1]."""
        super().__init__()
        self.back = back

    def forward(self, batch: Tensor) -> Tensor:
        """Map a tensor of any shape."""
        return batch * 2 - 1 if self.back else (batch + 1) / 2


@dataclass(frozen=True)
class PaperMLP(Networks, name="paper-mlp"):
    """The released MNIST networks of Goodfellow et al. 2014: rectifiers and a sigmoid against maxout with dropout.

    Weights start uniform on (-0.05, 0.05) in the generator and (-0.005, 0.005) in the discriminator, biases at 0,
    except the generator's last, which produce the average image. The discriminator's dropout keeps inputs with
    probability 0.8 in the first layer and 0.5 in the others.
    """

    paper: ClassVar[str] = "Goodfellow et al. 2014 (released code, mnist.yaml); Goodfellow et al. 2013 (maxout)"
    latent: Size = 100
    prior: Prior = "uniform"
    generator_units: Size = 1200
    discriminator_units: Size = 240
    pieces: Size = 5

    def build_generator(self, shape: Shape, inputs: int) -> nn.Module:
        """Build two layers of rectifiers, then a sigmoid."""
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

    def build_trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """Build two layers of maxout, with dropout before each and before the logit."""
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
        """Draw uniform weights, with another bound for each network."""
        _draw_uniform(generator, 0.05)
        _draw_uniform(discriminator, 0.005)

    @torch.no_grad()
    def fit_to_data(self, generator: nn.Module, discriminator: nn.Module, samples: Tensor) -> None:
        """Set the biases before the sigmoid to the average image, logit(mean), as in the released code."""
        last = [layer for layer in generator.modules() if isinstance(layer, nn.Linear)][-1]
        total = torch.zeros(samples.shape[1:], dtype=torch.int64)
        for block in torch.split(samples, BLOCK):
            total += block.sum(0)
        mean = total.flatten().double() / len(samples) / 255
        last.bias.copy_(mean.clamp(CLIP, 1 - CLIP).logit())


@dataclass(frozen=True)
class MLP(Networks, name="mlp"):
    """Dense layers of `width` units for points or images: rectifiers in the generator, leaky ones in the discriminator.

    Points are standardised to mean 0 and deviation 1 at the discriminator's input and back at the generator's output.
    With `frequencies` the discriminator also gets that many Fourier features of each coordinate, and so resolves finer
    detail than it would learn to.
    """

    paper: ClassVar[str] = "Goodfellow et al. 2014, section 5, without maxout and dropout"
    latent: Size = 64
    width: Size = 256
    depth: Size = 2
    frequencies: Annotated[Whole, Field(le=MOST_FREQUENCIES)] = 0

    @property
    def papers(self) -> tuple[str, ...]:
        """The publications of the family and of the options in use, with that of the Fourier features."""
        return super().papers + (("Tancik et al. 2020, section 3",) if self.frequencies else ())

    def check(self, shape: Shape) -> None:
        """Accept any shape."""

    def build_generator(self, shape: Shape, inputs: int) -> nn.Module:
        """Build `depth` hidden layers; images end in tanh, points are unbounded."""
        layers = self._build_hidden(inputs, nn.ReLU)
        layers += [nn.Linear(self.width, math.prod(shape))]
        layers += [nn.Tanh(), nn.Unflatten(1, shape)] if len(shape) == 3 else [Standardize(*shape, back=True)]
        return nn.Sequential(*layers)

    def build_trunk(self, shape: Shape) -> tuple[nn.Sequential, int]:
        """Build `depth` hidden layers."""
        entry: list[nn.Module] = [nn.Flatten() if len(shape) == 3 else Standardize(*shape)]
        inputs = math.prod(shape)
        if self.frequencies:
            features = FourierFeatures(self.frequencies)
            entry, inputs = [*entry, features], inputs * features.copies
        return nn.Sequential(*entry, *self._build_hidden(inputs, lambda: nn.LeakyReLU(0.2))), self.width

    def initialise(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """Draw the embedding of classes at the scale of the logit's weights; keep PyTorch's defaults for the rest."""
        for module in discriminator.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, 0.0, module.embedding_dim**-0.5)

    def fit_to_data(self, generator: nn.Module, discriminator: nn.Module, samples: Tensor) -> None:
        """Set the mean and deviation of points."""
        for player, copies in ((generator, 1), (discriminator, self.packing)):
            for layer in player.modules():
                if isinstance(layer, Standardize):
                    layer.fit(samples, copies)

    def _build_hidden(self, inputs: int, activation: Callable[[], nn.Module]) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for _ in range(self.depth):
            layers += [nn.Linear(inputs, self.width), activation()]
            inputs = self.width
        return layers


def _draw_uniform(network: nn.Module, bound: float) -> None:
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.uniform_(module.weight, -bound, bound)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
