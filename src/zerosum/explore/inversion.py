"""Find the latent whose sample is nearest to a picture, and say how near that is.

The latent is optimised by gradient descent on the pixels (Zhu et al. 2016, section 2.1; Lipton & Tripathi 2017), from
the best of many drawn ones, as one start alone often ends far away. Parts that are no numbers stay as they were drawn:
the class, and latents that are -1 or 1.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from zerosum import randomness
from zerosum.data import Progress, to_float
from zerosum.data.packs.decode import decode, read_values
from zerosum.data.packs.headers import Unreadable, read_header
from zerosum.data.preparation import Preparation
from zerosum.data.values import Range, Undecided, choose_range, measure
from zerosum.errors import InputError
from zerosum.generator import CHUNK, TrainedGenerator

DRAWN, STARTS = 512, 16  # latents that are compared with the picture, and the nearest of them, which are optimised
STEPS, RATE = 400, 0.05  # of Adam, whose rate falls to 0 by half a cosine
USUAL = 0.025, 0.975  # the quantiles between which the lengths of drawn latents are called usual
WIDTH = math.sqrt(3)  # of the uniform prior, to each side


@dataclass(frozen=True, eq=False)
class Inversion:
    """What was found. Errors are the root mean square difference of a pixel's value, of 255.

    Attributes:
        latent: the generator's input, float32 [latent (+ classes)].
        sample: of that latent, uint8 [C, H, W].
        error: of that sample.
        drawn_error: of the best of DRAWN samples at random: what no optimisation at all would have found.
        length: of the latent, in standard deviations of p_z, over the root of its dimension: drawn ones are near 1.
        usual_lengths: between which 19 of 20 of the DRAWN ones are.
    """

    latent: Tensor
    sample: Tensor
    error: float
    drawn_error: float
    length: float
    usual_lengths: tuple[float, float]

    @property
    def error_in_words(self) -> str:
        """The error, beside that of what no optimisation would have found."""
        return (
            f"{self.error:.1f} of 255, the root mean square difference of a pixel; {self.drawn_error:.1f} for the best "
            f"of {DRAWN} samples drawn at random"
        )

    @property
    def length_in_words(self) -> str:
        """The latent's length, beside the usual ones."""
        low, high = self.usual_lengths
        return (
            f"{self.length:.2f} times the length that drawn ones have on average; 19 of 20 drawn ones have "
            f"{low:.2f} to {high:.2f}"
        )


Part = Callable[[str, int, int], AbstractContextManager[None]]  # of the work: what, which, of how many


def is_comparable(shape: tuple[int, ...]) -> bool:
    """Whether pictures can be compared with samples of `shape`: gray or colour images."""
    return len(shape) == 3 and shape[0] in (1, 3)


def read_picture(path: Path, shape: tuple[int, ...]) -> Tensor:
    """Read a picture from a file, as `decode_picture` does.

    Raises:
        InputError: it is no picture, or samples of that shape are none.
    """
    try:
        return decode_picture(path.read_bytes(), shape, str(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


def decode_picture(content: bytes, shape: tuple[int, ...], name: str) -> Tensor:
    """Decode the file called `name` as data are: upright, cropped at the centre, resized to `shape` (C, H, W), uint8.

    Raises:
        InputError: it is no picture, or samples of that shape are none.
    """
    if not is_comparable(shape):
        raise InputError(f"{name} cannot be compared with samples of shape {list(shape)}: gray or colour images can")
    try:
        values = _find_range(content)
        pixels = decode(content, (shape[1], shape[2]), shape[0], Preparation(), None, values)
    except Unreadable as error:
        raise InputError(f"{name} cannot be used as a picture: {error}") from None
    except Undecided:
        raise InputError(f"{name} has values that may be read in two ways: save it with 8 bits to a pixel") from None
    return torch.tensor(pixels)


def _find_range(content: bytes) -> Range | None:
    """Find which values of a gray picture become black and white; None if they are bytes."""
    return choose_range(measure(read_values(content, 0))) if read_header(content).deep else None


def invert(
    generator: TrainedGenerator,
    picture: Tensor,
    seed: int = 0,
    label: str | None = None,
    progress: Progress | None = None,
    turn: AbstractContextManager[object] | None = None,
) -> Inversion:
    """Find a latent whose sample is near to `picture`, uint8 [C, H, W]; the same seed finds the same one.

    The generator is used only inside of `turn`, a lock that is let go after every part of the work, when `progress` is
    told; what that raises ends the search.

    Raises:
        InputError: there is no such class.
    """
    turn = turn or nullcontext()

    @contextmanager
    def part(what: str, number: int, total: int) -> Iterator[None]:
        with turn, randomness.scope(seed, number, f"invert {what}", device=generator.engine.device):
            yield
        if progress is not None:
            progress(what, number, total)

    target = to_float(picture).to(generator.engine.device)
    drawn = torch.cat(list(generator.sample_latents(DRAWN, seed, label)))[:DRAWN]
    least, numbers = _compare(generator, drawn, target, part).topk(STARTS, largest=False)
    nearest = drawn[numbers]
    found = _descend(generator, nearest, least, target, part)
    with part("looking at what was found", 1, 1):
        latent = found[_measure(generator, found, target).argmin()]
        sample, best = (generator.generate(each[None])[0] for each in (latent, nearest[0]))
    lengths = _measure_lengths(generator, torch.cat([latent[None], drawn])).cpu()
    low, high = lengths[1:].quantile(torch.tensor(USUAL)).tolist()
    return Inversion(
        latent.cpu(),
        sample,
        _difference(sample, picture),
        _difference(best, picture),
        float(lengths[0]),
        (low, high),
    )


def _compare(generator: TrainedGenerator, latents: Tensor, target: Tensor, part: Part) -> Tensor:
    """Return the mean square difference of the sample of each of many latents from the target, [N]."""
    errors, chunks = list[Tensor](), torch.split(latents, CHUNK)
    for number, chunk in enumerate(chunks):
        with part("comparing", number + 1, len(chunks)):
            errors.append(_measure(generator, chunk, target))
    return torch.cat(errors)


def _descend(generator: TrainedGenerator, starts: Tensor, least: Tensor, target: Tensor, part: Part) -> Tensor:
    """Optimise latents [N, inputs] of errors `least` [N], each for itself; return them where each was best."""
    networks = generator.networks
    free = networks.latent - networks.binary
    moving, fixed = starts[:, :free].clone().requires_grad_(), starts[:, free:]
    optimizer = torch.optim.Adam([moving], lr=RATE)
    best = starts.clone()
    for step in range(STEPS if free else 0):
        optimizer.param_groups[0]["lr"] = RATE * (1 + math.cos(math.pi * step / STEPS)) / 2
        with part("searching", step + 1, STEPS):
            samples = generator.engine.generate(generator.network, torch.cat([moving, fixed], 1))
            (moving.grad,) = torch.autograd.grad((samples - target).square().flatten(1).mean(1).sum(), moving)
            optimizer.step()
            if networks.prior == "uniform":
                with torch.no_grad():
                    moving.clamp_(-WIDTH, WIDTH)
            now = torch.cat([moving.detach(), fixed], 1)
            errors = _measure(generator, now, target)
        better = errors < least
        best, least = torch.where(better[:, None], now, best), torch.where(better, errors, least)
    return best


@torch.no_grad()
def _measure(generator: TrainedGenerator, latents: Tensor, target: Tensor) -> Tensor:
    """Return the mean square difference of the sample of each latent from the target, [N]."""
    samples = generator.engine.generate(generator.network, latents)
    return (samples - target).square().flatten(1).mean(1)


def _measure_lengths(generator: TrainedGenerator, latents: Tensor) -> Tensor:
    """Return the length of each of `latents`, without its class, over the root of its dimension, [N]."""
    return latents[:, : generator.networks.latent].square().mean(1).sqrt()


def _difference(sample: Tensor, picture: Tensor) -> float:
    return float((sample.float() - picture.float()).square().mean().sqrt())
