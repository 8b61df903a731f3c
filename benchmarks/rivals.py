"""What others' methods make of the same photos in as many iterations as fifteen minutes of two idle cores have.

Usage: python benchmarks/rivals.py SETS OUT INCEPTION.npz NAME RIVAL ITERATIONS

SETS holds cats96.zip, dogs64.npz and cifar10.npz, one of which NAME means; INCEPTION.npz is what `evaluate --weights`
takes. RIVAL is `example`, PyTorch's DCGAN example, or `lightweight-gan`, that program's method with its defaults, both
written anew, in float32 on one thread. Their images lie in memory, which favours them. Iterations are given, as what
else the machine does then changes nothing; speed.py says how many of the example's fifteen minutes have. Samples are
judged as in iterations.py, which plays ours. Results are added to results/rivals.json.
"""

import collections
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from iterations import COLUMNS, COUNT, SHOWN, judge
from protocol import read_figures, write
from torch import Tensor, nn

from zerosum import recipes
from zerosum.data import Source
from zerosum.data.readers import open_source
from zerosum.export import pictures
from zerosum.game.augment import cutout, translation
from zerosum.metrics.features import Request
from zerosum.run.speed import play_textbook

SETS = {"cats": "cats96.zip", "dogs": "dogs64.npz", "cifar10": "cifar10.npz"}
CHUNK = 100  # samples that are drawn at a time
Sampler = Callable[[int], Tensor]


def to_bytes(images: Tensor) -> Tensor:
    """Turn images in [-1, 1] into bytes."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def sampler(generator: nn.Module, latent: int, *, by_batches: bool) -> Sampler:
    """Return a function that draws so many samples.

    If `by_batches`, they are normalised by the statistics of their batches, as PyTorch's example draws its pictures:
    the `BatchNorm` of our networks tracks no statistics in the training that could be taken instead.
    """
    generator.train(by_batches)

    @torch.no_grad()
    def draw(count: int) -> Tensor:
        torch.manual_seed(1)
        return torch.cat([to_bytes(generator(torch.randn(CHUNK, latent))) for _ in range(count // CHUNK)])

    return draw


def draw_batches(source: Source, size: int) -> Iterator[Tensor]:
    """Draw batches with replacement from images in memory."""
    images = source.train.samples.float() / 127.5 - 1
    while True:
        yield images[torch.randint(len(images), (size,))]


def train_example(source: Source, iterations: int) -> Sampler:
    """Train PyTorch's DCGAN example: 64 channels at the finest, batch normalisation, batches of 64, cross-entropy."""
    networks = recipes.find("dcgan").networks
    generator, discriminator = networks.build_pair(source.shape, 0, 0)
    loop = play_textbook(generator, discriminator, networks.latent, draw_batches(source, 64))
    collections.deque(islice(loop, iterations), maxlen=0)
    return sampler(generator, networks.latent, by_batches=True)


class Blur(nn.Module):
    """Blur by the kernel 1 2 1, both ways."""

    def forward(self, batch: Tensor) -> Tensor:
        """Map [N, C, H, W] to the same shape."""
        line = torch.tensor([1.0, 2.0, 1.0]) / 4
        kernel = (line[:, None] * line).expand(batch.shape[1], 1, 3, 3)
        return F.conv2d(F.pad(batch, (1, 1, 1, 1), mode="reflect"), kernel, groups=batch.shape[1])


class Noise(nn.Module):
    """Add one map of noise to all channels, scaled by a number that is learned and begins at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(1))

    def forward(self, batch: Tensor) -> Tensor:
        """Map [N, C, H, W] to the same shape."""
        return batch + self.scale * torch.randn_like(batch[:, :1])


def enlarge(width: int) -> list[nn.Module]:
    """Double the sides: four times the channels, then pixels from channels."""
    return [nn.Conv2d(width, 4 * width, 1), nn.SiLU(), nn.PixelShuffle(2)]


class Halving(nn.Module):
    """Halve the sides by folding pixels into channels and convolving, and beside that by a mean."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.folded = nn.Sequential(
            *(Blur(), nn.PixelUnshuffle(2), nn.Conv2d(4 * inputs, outputs, 1), nn.LeakyReLU(0.1)),
            *(nn.Conv2d(outputs, outputs, 3, padding=1), nn.LeakyReLU(0.1)),
        )
        self.averaged = nn.Sequential(Blur(), nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1), nn.LeakyReLU(0.1))

    def forward(self, batch: Tensor) -> Tensor:
        """Map [N, C, H, W] to [N, D, H / 2, W / 2]."""
        out: Tensor = self.folded(batch) + self.averaged(batch)
        return out


LATENT, MOST, EXPONENT, DECODED = 256, 512, 12, 4


def initialize(module: nn.Module) -> None:
    """Draw weights as lightweight-gan does."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=0, mode="fan_in", nonlinearity="leaky_relu")


def build_lightweight_generator(side: int) -> nn.Sequential:
    """Build lightweight-gan's generator (after FastGAN, Liu et al. 2021) for images of at most 64 pixels a side.

    Its skips that scale channels join levels four apart: there is one at 128 pixels, and none here. Left out: attention
    at 32 pixels.
    """
    levels = range(2, side.bit_length() - 1)
    widths = [LATENT, *(min(2 ** (EXPONENT - level), MOST) for level in levels)]
    first = [nn.ConvTranspose2d(LATENT, 2 * LATENT, 4), nn.BatchNorm2d(2 * LATENT), nn.GLU(dim=1)]
    layers: list[nn.Module] = [nn.Unflatten(1, (LATENT, 1, 1)), *first]
    for inputs, outputs in pairwise(widths):
        layers += [*enlarge(inputs), Blur(), nn.Conv2d(inputs, 2 * outputs, 4, padding="same")]
        layers += [Noise(), nn.BatchNorm2d(2 * outputs), nn.GLU(dim=1)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 3, 3, padding=1))


class LightweightDiscriminator(nn.Module):
    """lightweight-gan's discriminator, with a second one at 32 pixels and a decoder; attention is left out."""

    def __init__(self, side: int) -> None:
        """Build it for images of `side` pixels, which it brings to 8."""
        super().__init__()
        widths = [3, *(min(2 ** (EXPONENT - level), MOST) for level in range(side.bit_length() - 2, 2, -1))]
        last = widths[-1]
        self.blocks = nn.Sequential(*(Halving(a, b) for a, b in pairwise(widths)))
        self.logits = nn.Sequential(
            *(Blur(), nn.Conv2d(last, last, 3, stride=2, padding=1), nn.LeakyReLU(0.1), nn.Conv2d(last, 1, 4)),
        )
        self.coarse = nn.Sequential(
            *(nn.Conv2d(3, 64, 3, padding=1), Halving(64, 32), nn.AdaptiveAvgPool2d(4), nn.Conv2d(32, 1, 4)),
        )
        decoder: list[nn.Module] = []
        for number in range(DECODED):
            width = last >> number
            decoder += [*enlarge(width), nn.Conv2d(width, width if number < DECODED - 1 else 6, 3, padding=1)]
            decoder += [nn.GLU(dim=1)]
        self.decoder = nn.Sequential(*decoder)

    def forward(self, images: Tensor, *, decode: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Return both logits of each image, [N] each, and the error of what the decoder makes of the last map."""
        last = self.blocks(images)
        both = self.logits(last).flatten(), self.coarse(F.interpolate(images, (32, 32))).flatten()
        if not decode:
            return *both, torch.zeros(())
        made = self.decoder(last)
        return *both, F.mse_loss(made, F.interpolate(images, made.shape[2:]))


def play_lightweight(
    generator: nn.Module, discriminator: LightweightDiscriminator, real: Iterator[Tensor], augmented: float
) -> Iterator[float]:
    """Play as lightweight-gan does: hinge losses, a gradient penalty of 10 every fourth step, four batches a step.

    `augmented` is the share of batches that are moved and cut. Images lie in [0, 1].
    """
    optimizer_g = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.9))
    optimizer_d = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.9))

    def show(images: Tensor) -> Tensor:
        if random.random() >= augmented:  # noqa: S311
            return images
        images = images.flip(3) if random.random() < 0.5 else images  # noqa: S311
        return cutout(translation(images))

    step = 0
    while True:
        optimizer_d.zero_grad()
        for _ in range(4):
            fake = generator(torch.randn(10, LATENT)).detach()
            images = next(real).requires_grad_()
            of_fake, of_real = discriminator(show(fake), decode=True), discriminator(show(images), decode=True)
            pairs = zip(of_real[:2], of_fake[:2], strict=True)
            loss = sum((F.relu(1 + a) + F.relu(1 - b)).mean() for a, b in pairs) + of_fake[2] + of_real[2]
            if step % 4 == 0:
                (gradient,) = torch.autograd.grad(of_real[0].sum() + of_real[1].sum(), images, create_graph=True)
                loss = loss + 10 * (gradient.flatten(1).norm(dim=1) - 1).square().mean()
            (loss / 4).backward()
        optimizer_d.step()
        optimizer_g.zero_grad()
        for _ in range(4):
            fine, coarse, _ = discriminator(show(generator(torch.randn(10, LATENT))))
            ((fine.mean() + coarse.mean()) / 4).backward()
        optimizer_g.step()
        step += 1
        yield float(loss.detach())


def train_lightweight(source: Source, iterations: int) -> Sampler:
    """Train by lightweight-gan's method, with its defaults; its average would begin after 20,000 steps."""
    side = source.shape[1]
    generator, discriminator = build_lightweight_generator(side), LightweightDiscriminator(side)
    generator.apply(initialize)
    discriminator.apply(initialize)
    real = ((batch + 1) / 2 for batch in draw_batches(source, 10))
    loop = play_lightweight(generator, discriminator, real, min(0.5, (1e5 - len(source.train)) * 3e-6))
    collections.deque(islice(loop, iterations), maxlen=0)
    return sampler(nn.Sequential(generator, Widen()), LATENT, by_batches=False)


class Widen(nn.Module):
    """Bring images from [0, 1] to [-1, 1]."""

    def forward(self, images: Tensor) -> Tensor:
        """Map [N, C, H, W]."""
        return 2 * images - 1


RIVALS = {"example": train_example, "lightweight-gan": train_lightweight}


def main(sets: str, out: str, weights: str, name: str, rival: str, iterations: str) -> None:
    """Train one rival, judge it, and add to the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    random.seed(0)
    size, folder = (64, 64) if name == "cats" else None, Path(out)
    source = open_source(str(Path(sets) / SETS[name]), replace(recipes.find("photos").data, size=size))
    began = time.process_time()
    draw = RIVALS[rival](source, int(iterations))
    answer: dict[str, Any] = {"iterations": int(iterations), "seconds": round(time.process_time() - began)}
    samples = draw(COUNT)
    picture = pictures.encode(pictures.draw_samples(samples[:SHOWN], columns=COLUMNS))
    (folder / f"{name}-{rival}.png").write_bytes(picture)
    for judged, request in {
        "lite0": Request("efficientnet"),
        "inception-768": Request("inception:768", Path(weights)),
    }.items():
        answer[judged] = judge(samples, source, request, folder / f"real-{name}-{judged}.pt")
    figures = read_figures("rivals")
    figures.setdefault(name, {})[rival] = answer
    write(
        "rivals",
        "float32, one thread, seed 0; seconds of process time, beside other work; judged as iterations.json",
        figures,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
