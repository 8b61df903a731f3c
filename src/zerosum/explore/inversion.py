"""Find the latent whose sample is nearest to a picture, and say how near that is.

The latent is optimised by gradient descent on the pixels (Zhu et al. 2016, section 2.1; Lipton & Tripathi 2017), from
the best of many drawn ones, as one start alone often ends far away. Parts that are no numbers stay as they were drawn:
the class, and latents that are -1 or 1.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from zerosum import randomness
from zerosum.data import Progress, to_float
from zerosum.data.packs.decode import decode
from zerosum.data.packs.headers import Unreadable
from zerosum.data.preparation import Preparation
from zerosum.errors import InputError
from zerosum.generator import TrainedGenerator

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


def read_picture(path: Path, shape: tuple[int, ...]) -> Tensor:
    """Read a picture as data are read: upright, cropped at the centre and resized to `shape` (C, H, W), uint8.

    Raises:
        InputError: it is no picture, or samples of that shape are none.
    """
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise InputError(f"{path} cannot be compared with samples of shape {list(shape)}: gray or colour images can")
    try:
        pixels = decode(path.read_bytes(), (shape[1], shape[2]), shape[0], Preparation(), None)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except Unreadable as error:
        raise InputError(f"{path} cannot be used as a picture: {error}") from None
    return torch.tensor(pixels)


def invert(
    generator: TrainedGenerator,
    picture: Tensor,
    seed: int = 0,
    label: str | None = None,
    progress: Progress | None = None,
) -> Inversion:
    """Find a latent whose sample is near to `picture`, uint8 [C, H, W]; the same seed finds the same one.

    Raises:
        InputError: there is no such class.
    """
    target = to_float(picture).to(generator.engine.device)
    drawn = torch.cat(list(generator.sample_latents(DRAWN, seed, label)))[:DRAWN]
    with randomness.scope(seed, 0, "invert", device=generator.engine.device):
        errors = torch.cat([_measure(generator, chunk, target) for chunk in torch.split(drawn, 64)])
        nearest = errors.topk(STARTS, largest=False).indices
        found = _descend(generator, drawn[nearest], target, progress)
        latent = found[_measure(generator, found, target).argmin()]
        sample = generator.generate(latent[None])[0]
        best = generator.generate(drawn[nearest[:1]])[0]
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


def _descend(generator: TrainedGenerator, starts: Tensor, target: Tensor, progress: Progress | None) -> Tensor:
    """Optimise latents [N, inputs], each for itself; return them where each was best."""
    networks = generator.networks
    free = networks.latent - networks.binary
    moving, fixed = starts[:, :free].clone().requires_grad_(), starts[:, free:]
    optimizer = torch.optim.Adam([moving], lr=RATE)
    best, least = starts.clone(), _measure(generator, starts, target)
    for step in range(STEPS if free else 0):
        optimizer.param_groups[0]["lr"] = RATE * (1 + math.cos(math.pi * step / STEPS)) / 2
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
        if progress is not None:
            progress("searching", step + 1, STEPS)
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
