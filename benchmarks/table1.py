"""Table 1 of Goodfellow et al. 2014: the Parzen window log-likelihood of MNIST's test images, with its curve.

Usage: python benchmarks/table1.py MNIST_FOLDER SECONDS [simultaneous] [SEED]

The protocol is that of the released code: the recipe `paper-mnist` on the first 50,000 training images; every 1,000
iterations 10,000 samples, with the width of the windows chosen on the next 1,000 images. The likelihood of all test
images is that of the iteration which these 1,000 liked best. What was measured earlier for others is kept.
"""

import json
import sys
import time
from dataclasses import replace
from itertools import islice

import torch
from protocol import RESULTS, write
from torch import Tensor

from zerosum.data import Source, Split, open_source
from zerosum.data.pixels import to_uint8
from zerosum.engine import Engine
from zerosum.metrics.parzen import SIGMAS, VALIDATION, best_width, log_likelihoods, unit
from zerosum.players import Players
from zerosum.recipes import find
from zerosum.run import build, played

TRAIN, SAMPLES, EVERY, CHUNK = 50_000, 10_000, 1_000, 500


@torch.no_grad()
def samples(players: Players) -> Tensor:
    """As uint8, like the data, from the same latents at each point of the curve; rows in [0, 1]."""
    codes = torch.rand(SAMPLES, players.networks.latent, generator=torch.Generator().manual_seed(1))
    codes = (2 * codes - 1) * 3**0.5
    made = [to_uint8(players.generator.network(chunk)) for chunk in torch.split(codes, CHUNK)]
    return unit(torch.cat(made))


def standing(test: Tensor, centres: Tensor, sigma: float) -> str:
    """The mean over the test images and its standard error."""
    (values,) = log_likelihoods(test, centres, [sigma])
    return f"{float(values.mean()):.1f} +- {float(values.std()) / len(values) ** 0.5:.1f} nats, sigma {sigma:.3f}"


def main(data: str, seconds: str, *words: str) -> None:
    """Train, and note the curve as it grows."""
    source, simultaneous = open_source(data), "simultaneous" in words
    seed = int(next((word for word in words if word.isdigit()), 0))
    validation, test = unit(source.train.samples[TRAIN : TRAIN + VALIDATION]), unit(source.test.samples)
    real = unit(source.train.samples[:SAMPLES])
    shown = Source(source.name, Split(source.train.samples[:TRAIN]), source.test)
    recipe = replace(find("paper-mnist"), simultaneous=simultaneous)
    engine = Engine.choose("cpu", recipe.precision)
    players = build(recipe, shown, engine, seed)
    key = f"{'simultaneous' if simultaneous else 'alternating'} updates, seed {seed}"
    path = RESULTS / "table1.json"

    def note(figures: dict[str, object]) -> None:
        known = json.loads(path.read_text())["figures"] if path.exists() else {}
        protocol = f"{SAMPLES} samples, all {len(test)} test images, sigma chosen on {VALIDATION} others"
        write("table1", protocol, {**known, **figures})

    note({f"{SAMPLES} real training images": standing(test, real, best_width(validation, real))})
    iterations = played(players, recipe, shown, engine, recipe.steps, seed)
    curve: dict[str, str] = {}
    best, trained, made = -float("inf"), 0.0, 0
    while trained < float(seconds) and made < recipe.steps:
        began = time.monotonic()
        made += sum(1 for _ in islice(iterations, EVERY))
        trained += time.monotonic() - began
        centres = samples(players)
        likelihoods = log_likelihoods(validation, centres, SIGMAS).mean(1)
        now = float(likelihoods.max())
        curve[str(made)] = f"{now:.1f}"
        if now > best:
            best, kept, sigma = now, centres, SIGMAS[int(likelihoods.argmax())]
            chosen = {"iteration": made, "training seconds": round(trained), "threads": torch.get_num_threads()}
        note({key: {**chosen, "all seconds": round(trained), "nats of the 1,000 validation images": curve}})
    note({key: {"test": standing(test, kept, sigma), **chosen, "nats of the 1,000 validation images": curve}})


if __name__ == "__main__":
    main(*sys.argv[1:])
