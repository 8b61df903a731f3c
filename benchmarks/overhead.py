"""Time the loop against the bare tensor operations of the same two updates, interleaved in one process.

The bare loop is written out below with nothing around it: two forward and backward passes, two Adam steps, in the same
precision and memory format on the same networks. The full loop is what a run consumes: minibatches, random scopes,
schedules, the moving average and the statistics of the log window.
"""

import statistics
import time
from collections.abc import Generator
from dataclasses import replace

import torch
import torch.nn.functional as F
from protocol import write

from zerosum import recipes
from zerosum.data import Source, Split
from zerosum.game.algorithm import play
from zerosum.game.ema import EMA
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe
from zerosum.run.window import LogWindow

BATCH, CHUNK, ROUNDS = 64, 20, 15


def play_bare(recipe: Recipe, source: Source, engine: Engine) -> Generator[None, None, None]:
    """Play a non-saturating game whose two updates are written out."""
    generator, discriminator = (engine.place(network) for network in recipe.networks.build_pair(source.shape, 0, 0))
    optimizer_g, optimizer_d = (
        recipe.generator_optimizer.build(network.parameters()) for network in (generator, discriminator)
    )
    real = source.train.batch(torch.arange(BATCH)).samples
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)
    while True:
        with torch.no_grad(), engine.autocast():
            fake = generator(torch.randn(BATCH, recipe.networks.latent))
        with engine.autocast():
            if recipe.networks.separate_batches:
                real_logits, fake_logits = discriminator(real), discriminator(fake.float())
            else:
                real_logits, fake_logits = discriminator(torch.cat([real, fake.float()])).chunk(2)
        loss = F.binary_cross_entropy_with_logits(real_logits.float(), ones)
        loss = loss + F.binary_cross_entropy_with_logits(fake_logits.float(), zeros)
        optimizer_d.zero_grad()
        loss.backward(inputs=list(discriminator.parameters()))
        optimizer_d.step()
        with engine.autocast():
            logits = discriminator(generator(torch.randn(BATCH, recipe.networks.latent)).float())
        optimizer_g.zero_grad()
        F.binary_cross_entropy_with_logits(logits.float(), ones).backward(inputs=list(generator.parameters()))
        optimizer_g.step()
        yield


def play_full(recipe: Recipe, source: Source, engine: Engine) -> Generator[None, None, None]:
    """Play as a run does."""
    players = Players.build(recipe, source, engine, 0)
    ema, window = EMA(players.generator.network, recipe.ema_decay), LogWindow()
    for iteration in play(players, recipe, source.train, steps=10**9, seed=0):
        ema.update(iteration.step + 1)
        window.iterations.append(iteration)
        if iteration.step % CHUNK == CHUNK - 1:
            window.summarize(iteration.step + 1, 0.0)
        yield


def main() -> None:
    """Interleave chunks of both loops and compare the seconds of each chunk."""
    figures = {}
    for name, shape in (
        ("compact", (1, 28, 28)),
        ("dcgan", (1, 28, 28)),
        ("dcgan", (3, 64, 64)),
        ("paper-mnist", (1, 28, 28)),
    ):
        recipe = replace(
            recipes.find(name), batch_size=BATCH, discriminator_steps=1, simultaneous=False, regularizers=()
        )
        split = Split(torch.randint(0, 256, (5_000, *shape), dtype=torch.uint8))
        source, engine = Source("noise", split, split), Engine.choose("cpu", recipe.precision)
        loops = {"full": play_full(recipe, source, engine), "bare": play_bare(recipe, source, engine)}
        seconds: dict[str, list[float]] = {"full": [], "bare": []}
        count = CHUNK if shape[1] < 64 else 2
        for round_number in range(ROUNDS + 1):
            for kind in ("full", "bare") if round_number % 2 else ("bare", "full"):
                began = time.perf_counter()
                for _ in range(count):
                    next(loops[kind])
                seconds[kind] += [time.perf_counter() - began] if round_number else []  # the first one warms up
        ratios = sorted(a / b for a, b in zip(seconds["full"], seconds["bare"], strict=True))
        figures[f"{name} {'x'.join(map(str, shape))}"] = {
            "ratio of the fastest chunks": round(min(seconds["full"]) / min(seconds["bare"]), 4),
            "ratio min, median, max": [round(x, 4) for x in (ratios[0], statistics.median(ratios), ratios[-1])],
            "bare ms per iteration": round(1000 * min(seconds["bare"]) / count, 2),
        }
    write(
        "overhead",
        f"batch {BATCH}, {ROUNDS} interleaved chunks of {CHUNK} iterations (2 at 64x64) of each loop",
        figures,
    )


if __name__ == "__main__":
    main()
