"""Table 1 of Goodfellow et al. 2014: the Parzen window log-likelihood of MNIST's test images, through the training.

Usage: python benchmarks/table1.py MNIST_FOLDER STATE_FOLDER MINUTES [alternating] [bfloat16] [cooling=N] [SEED]
       python benchmarks/table1.py MNIST_FOLDER

Without a STATE_FOLDER nothing is trained: it scores images that are real, or are made of real ones.

The protocol is that of the released code: the recipe `paper-mnist` on the first 50,000 training images; every 2,000
iterations 10,000 samples, with the width of the windows chosen on the next 1,000 images. The likelihood of all test
images is that of the iteration at which these 1,000 had the highest. Called again with the same STATE_FOLDER it trains
on from where it stopped, bit for bit. With `bfloat16` the players' matrix products are in that precision, which takes
less than two thirds of the time where the processor has it; samples are scored in float32 all the same. With
`cooling=N`, in a copy of such a folder, it goes on for N iterations through which the learning rates fall to 0, which
shows how much of the likelihood their noise costs. Earlier figures of others are kept.
"""

import sys
import time
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from protocol import read_figures, write
from torch import Tensor, nn

from zerosum.data import Source, Split, to_uint8
from zerosum.data.readers import open_source
from zerosum.export import pictures
from zerosum.game.algorithm import play
from zerosum.game.ema import EMA
from zerosum.game.engine import Engine
from zerosum.game.optimizers import SGD
from zerosum.game.players import Player, Players
from zerosum.metrics.parzen import SIGMAS, VALIDATION, best_width, log_likelihoods, unit
from zerosum.recipes import find
from zerosum.run import checkpoint

TRAIN, SAMPLES, EVERY, CHUNK, SHOWN = 50_000, 10_000, 2_000, 500, 64
ITERATIONS = 1_000_000  # the released code names no last one


@torch.no_grad()
def sample(generator: nn.Module) -> Tensor:
    """Draw samples as uint8, like the data, from the same latents at each point of the curve."""
    latents = (2 * torch.rand(SAMPLES, 100, generator=torch.Generator().manual_seed(1)) - 1) * 3**0.5
    return torch.cat([to_uint8(generator(chunk)) for chunk in torch.split(latents, CHUNK)])


def score(test: Tensor, centres: Tensor, sigma: float) -> str:
    """Return the mean over the test images and its standard error."""
    (values,) = log_likelihoods(test, centres, [sigma])
    return f"{float(values.mean()):.1f} +- {float(values.std()) / len(values) ** 0.5:.1f} nats, sigma {sigma:.3f}"


def note(figures: dict[str, object]) -> None:
    """Write `figures` beside the earlier ones."""
    protocol = f"{SAMPLES} samples, all test images, sigma chosen on {VALIDATION} others"
    write("table1", protocol, read_figures("table1") | figures)


def score_real_images(source: Source) -> dict[str, str]:
    """Score 10,000 images that no generator made, by the same protocol."""
    train, test = unit(source.train.samples[:TRAIN]), unit(source.test.samples)
    validation = unit(source.train.samples[TRAIN : TRAIN + VALIDATION])
    first, others = train[:SAMPLES], train[torch.randperm(TRAIN, generator=torch.Generator().manual_seed(0))[:SAMPLES]]
    nearest = torch.cat([torch.cdist(chunk, train).topk(5, largest=False).indices for chunk in first.split(CHUNK)])
    images = {
        "10,000 real training images": first,
        "10,000 averages of two random training images": (first + others) / 2,
        "10,000 averages of a training image and its four nearest": train[nearest].mean(1),
        "the average training image": train.mean(0, keepdim=True),
    }
    return {name: score(test, centres, best_width(validation, centres)) for name, centres in images.items()}


@dataclass(frozen=True)
class Cooling(SGD):
    """The released schedule, but that the learning rate falls linearly to 0 from iteration `begin` to `end`."""

    begin: int = 0
    end: int = 1

    def schedule(self, optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
        """Set what the released schedule says, times the share of the iterations that is left."""
        super().schedule(optimizer, step, steps)
        for group in optimizer.param_groups:
            group["lr"] *= min(1.0, (self.end - step) / (self.end - self.begin))


def cool(player: Player, begin: int, end: int) -> Player:
    """Let the learning rate of `player` fall to 0 from iteration `begin` to `end`."""
    assert isinstance(player.optimizer_config, SGD)
    return replace(player, optimizer_config=Cooling(**vars(player.optimizer_config), begin=begin, end=end))


def train(source: Source, folder: Path, minutes: float, *words: str) -> None:
    """Train, and note the curve as it grows."""
    folder.mkdir(parents=True, exist_ok=True)
    seed = int(next((word for word in words if word.isdigit()), 0))
    validation, test = unit(source.train.samples[TRAIN : TRAIN + VALIDATION]), unit(source.test.samples)
    shown = Source(source.name, Split(source.train.samples[:TRAIN]), source.test)
    recipe = replace(find("paper-mnist"), simultaneous="alternating" not in words)
    if "bfloat16" in words:
        recipe = replace(recipe, precision="bfloat16")
    engine = Engine.choose("cpu", recipe.precision)
    players = Players.build(recipe, shown, engine, seed)
    ema = EMA(players.generator.network, recipe.ema_decay)
    key = f"{'simultaneous' if recipe.simultaneous else 'alternating'} updates, {recipe.precision}, seed {seed}"
    found: dict[str, Any] = {"best": -1e9, "curve": {}}
    made, best = 0, folder / "best.safetensors"
    if checkpoint.steps(folder):
        latest = checkpoint.load_latest(folder)
        checkpoint.restore(latest, players, ema)
        made, found = latest.step, latest.metadata["found"]
    last = ITERATIONS
    if cooling := next((int(word.removeprefix("cooling=")) for word in words if word.startswith("cooling=")), 0):
        begin = found.setdefault("cooling from", made)
        last = begin + cooling
        key += f", rates falling to 0 from {begin:,} on"
        players = replace(
            players,
            generator=cool(players.generator, begin, last),
            discriminator=cool(players.discriminator, begin, last),
        )
    iterations = play(players, recipe, shown.train, steps=last, seed=seed, start=made)
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until and made < last:
        played = list(islice(iterations, EVERY))
        made += len(played)
        images = sample(players.generator.network)
        likelihood = float(log_likelihoods(validation, unit(images), SIGMAS).mean(1).max())
        real = torch.cat([iteration.real_logits for iteration in played]).sigmoid().mean()
        fake = torch.cat([iteration.fake_logits for iteration in played]).sigmoid().mean()
        found["curve"][str(made)] = f"{likelihood:.1f} nats; D(x) {real:.2f}, D(G(z)) {fake:.2f}"
        if likelihood > found["best"]:
            found |= {"best": round(likelihood, 1), "best at": made}
            safetensors.torch.save_file(players.generator.network.state_dict(), best)
            (folder / "best.png").write_bytes(pictures.encode(pictures.draw_samples(images[:SHOWN])))
        (folder / "latest.png").write_bytes(pictures.encode(pictures.draw_samples(images[:SHOWN])))
        checkpoint.save(folder, made, players, ema, {"found": found})
        note({key: found})
    players.generator.network.load_state_dict(safetensors.torch.load_file(best))
    centres = unit(sample(players.generator.network))
    note({key: {"test": score(test, centres, best_width(validation, centres)), **found}})


def main(data: str, state: str = "", minutes: str = "0", *words: str) -> None:
    """Train, or without `state` score real images."""
    source = open_source(data)
    if state:
        train(source, Path(state), float(minutes), *words)
    else:
        note(score_real_images(source))


if __name__ == "__main__":
    main(*sys.argv[1:])
