"""The generator as other programs run it: one function from latents to finished samples, and what it is checked with.

Its inputs are `latents` float32 [N, latent], drawn by the prior; of a conditional generator `classes` int64 [N], the
numbers of the classes in their order; of one with dropout `noise` float32 [N, K], uniform on [0, 1), one number for
each value that may be dropped. Its output `samples` is what `TrainedGenerator.sample` returns: uint8 [N, C, H, W] for
images, float32 [N, d] for points. Everything else is inside, as in evaluation: calibrated batch normalisation, signs of
binary latents, the one-hot class, the conversion to pixels. It computes in float32, whatever the run did.
"""

import copy
import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zerosum import randomness
from zerosum.errors import InputError
from zerosum.generator import CHUNK, TrainedGenerator
from zerosum.networks.dropout import LEVELS, LastingDropout

MOST_DIFFERENCE = 1  # of 255
TRACED = 2  # samples; with one, PyTorch would take the batch for a constant


class Noise:
    """The random numbers of one forward pass, handed out to its layers in their order."""

    def __init__(self) -> None:
        """Begin without any."""
        self.begin(None)

    def begin(self, numbers: Tensor | None) -> None:
        """Hand out `numbers` [N, K] from now on; None only counts what is asked for."""
        self._numbers = numbers
        self.taken = 0

    def end(self) -> None:
        """Forget the numbers, but not how many were taken."""
        self._numbers = None

    def take(self, batch: Tensor) -> Tensor:
        """Return a number for each value of `batch` [N, ...]."""
        count = math.prod(batch.shape[1:])
        first, self.taken = self.taken, self.taken + count
        if self._numbers is None:
            return torch.zeros_like(batch)
        return self._numbers[:, first : first + count].reshape(batch.shape)


class GivenDropout(nn.Module):
    """`LastingDropout` whose random numbers are an input of the network, so that a file of it has none of its own."""

    def __init__(self, share: float, noise: Noise) -> None:
        """Drop the `share` of values in [0, 1), rounded to a multiple of 2^-16, by numbers from `noise`."""
        super().__init__()
        self.dropped = min(round(share * LEVELS), LEVELS - 1) / LEVELS
        self.noise = noise

    def forward(self, batch: Tensor) -> Tensor:
        """Drop values of a tensor [N, ...]."""
        kept = self.noise.take(batch) >= self.dropped
        return batch * kept.to(batch.dtype) / (1 - self.dropped)


class Deployed(nn.Module):
    """Map latents, with the classes and the noise that the generator needs, to samples."""

    def __init__(self, generator: TrainedGenerator) -> None:
        """Copy the generator's network to the CPU."""
        super().__init__()
        network = copy.deepcopy(generator.network).to(device="cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.noise = Noise()
        self.network: nn.Module = _replace_dropout(network, self.noise).eval()
        self.binary = generator.networks.binary
        self.classes = len(generator.classes)
        self.images = len(generator.shape) == 3

    def forward(self, latents: Tensor, classes: Tensor | None = None, noise: Tensor | None = None) -> Tensor:
        """Return uint8 [N, C, H, W] for images, float32 [N, d] for points."""
        others = latents.shape[1] - self.binary
        coins = torch.where(latents[:, others:] < 0, -1.0, 1.0)
        inputs = [latents[:, :others], coins] if self.binary else [latents]
        if classes is not None:
            inputs.append((classes[:, None] == torch.arange(self.classes)).to(latents.dtype))
        self.noise.begin(noise)
        samples: Tensor = self.network(torch.cat(inputs, dim=1))
        self.noise.end()
        return ((samples + 1) * 127.5).round().clamp(0, 255).to(torch.uint8) if self.images else samples


def _replace_dropout(network: nn.Module, noise: Noise) -> nn.Module:
    """Give every `LastingDropout` of `network` its numbers from `noise`; return the network."""
    for name, child in list(network.named_children()):
        replacement = GivenDropout(child.share, noise) if isinstance(child, LastingDropout) else child
        setattr(network, name, _replace_dropout(replacement, noise))
    return network


@dataclass(frozen=True, eq=False)
class Traced:
    """A generator that `torch.export` has written down.

    Attributes:
        program: the graph, for any number of samples.
        inputs: CHUNK + 1 samples' inputs, by name; the first ones are those of `TrainedGenerator.sample` with seed 0.
        expected: what PyTorch makes of them: uint8 [CHUNK + 1, C, H, W], or float32 [CHUNK + 1, d].
    """

    program: torch.export.ExportedProgram
    inputs: dict[str, Tensor]
    expected: Tensor

    def describe(self) -> str:
        """Say what goes in and what comes out."""
        inputs = ", ".join(_describe(name, tensor) for name, tensor in self.inputs.items())
        return f"{inputs} -> {_describe('samples', self.expected)}"

    def compare(self, samples: Tensor, where: str) -> float:
        """Return the largest difference of `samples` from what PyTorch makes of the inputs, in 255ths.

        For images these are steps of a pixel; for points 255ths of the extent of a coordinate.

        Raises:
            InputError: it is more than MOST_DIFFERENCE, or the shapes differ; `where` says whose samples they are.
        """
        if (samples.shape, samples.dtype) != (self.expected.shape, self.expected.dtype):
            raise InputError(f"{where} makes {_describe('samples', samples)} of what should be {self.describe()}")
        difference = (samples.double() - self.expected.double()).abs()
        if self.expected.dtype != torch.uint8:
            extent = self.expected.amax(0) - self.expected.amin(0)
            difference = difference / extent.clamp(min=torch.finfo(extent.dtype).eps) * 255
        largest = float(difference.nan_to_num(math.inf).max())
        if largest > MOST_DIFFERENCE:
            raise InputError(
                f"{where} differs from PyTorch by {largest:.3g} of 255, more than {MOST_DIFFERENCE}: nothing is written"
            )
        return largest


def _describe(name: str, tensor: Tensor) -> str:
    return f"{name} {str(tensor.dtype).removeprefix('torch.')} [{', '.join(map(str, ['N', *tensor.shape[1:]]))}]"


def trace(generator: TrainedGenerator) -> Traced:
    """Write the generator down as a graph by `torch.export`.

    Raises:
        InputError: its networks cannot be written down; the message says why.
    """
    module = Deployed(generator).eval()
    with torch.no_grad():
        inputs = draw_inputs(generator, module, CHUNK + 1)
        expected = module(**inputs)  # also so that what networks compute once is computed, not traced
        batch = torch.export.Dim("batch")
        example = {name: tensor[:TRACED] for name, tensor in inputs.items()}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # PyTorch's, about its own code
                program = torch.export.export(
                    module, (), example, dynamic_shapes={name: {0: batch} for name in example}
                )
        except Exception as error:  # what it raises is not documented
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise InputError(f"torch.export cannot write this generator down: {reason}") from None
    return Traced(program, inputs, expected)


def draw_inputs(generator: TrainedGenerator, module: Deployed, count: int) -> dict[str, Tensor]:
    """Draw the inputs of `count` samples: latents (and classes) as of `TrainedGenerator.sample` with seed 0."""
    drawn = torch.cat(list(generator.sample_latents(count, seed=0)))[:count].cpu()
    latents, one_hot = drawn.tensor_split([generator.networks.latent], dim=1)
    inputs = {"latents": latents}
    if generator.classes:
        inputs["classes"] = one_hot.argmax(1)
    module(**inputs)
    if values := module.noise.taken:
        with randomness.scope(0, 0, "noise of an exported generator"):
            inputs["noise"] = torch.rand(count, values)
    return inputs
