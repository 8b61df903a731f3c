"""How fast the loop is beside what tutorials write, with the same networks and batches, interleaved in one process.

Usage: python benchmarks/speed.py

(a) The DCGAN example of PyTorch on 64x64 JPEG files (DataLoader with two workers, PIL transforms, cross-entropy, both
losses read in each iteration) against `zerosum` in float32 and on the engine that the probe chooses. (b) The MLP GAN of
28x28 pixels that tutorials teach. (c) `r3gan` in float32 and on the engine that the probe chooses. (d, e, g) The share
of the measured peak and the time for each image against batch, width and size, and what lies outside the two updates.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from protocol import AS_IT_WAS, write
from textbook import build_mlp_discriminator, build_mlp_generator
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from zerosum import recipes
from zerosum.data import Source, Split
from zerosum.data.preparation import Preparation
from zerosum.data.readers import open_source
from zerosum.game.algorithm import play
from zerosum.game.engine import Engine
from zerosum.game.losses import NonSaturating
from zerosum.game.players import Player, Players
from zerosum.game.recipe import Recipe, change
from zerosum.run.probe import probe
from zerosum.run.speed import measure_speed, play_textbook

ROUNDS, SECONDS = 7, 4.0
FILES, SIDE, STORED = 2_000, 64, 96
Loop = Iterator[Any]


class Photos(Dataset[Tensor]):
    """What the example has: files opened, resized, cropped and normalised one by one."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(folder.rglob("*.jpg"))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> Tensor:
        with Image.open(self.files[number]) as image:
            resized = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.array(resized)).permute(2, 0, 1).float() / 127.5 - 1


def write_photos(folder: Path) -> None:
    """Write JPEG files of smooth noise."""
    rng = np.random.default_rng(0)
    for number in range(FILES):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8))
        coarse.resize((STORED, STORED), Image.Resampling.BICUBIC).save(folder / f"{number:05d}.jpg", quality=90)


def from_files(loader: DataLoader[Tensor]) -> Iterator[Tensor]:
    while True:
        yield from loader


def ours(recipe: Recipe, source: Source, engine: Engine) -> Loop:
    engine.use_threads()
    return play(Players.build(recipe, source, engine, 0), recipe, source.train, steps=10**9, seed=0)


def compare(loops: dict[str, tuple[Callable[[], None], Loop]], batch: int) -> dict[str, Any]:
    """Play the loops in turn, each for some seconds, and compare images a second round by round."""
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for round_number in range(ROUNDS + 1):
        for name, (prepare, loop) in loops.items():
            prepare()
            list(islice(loop, 1))
            began, count = time.perf_counter(), 0
            while time.perf_counter() - began < SECONDS:
                next(loop)
                count += 1
            if round_number:  # the first one warms up
                rates[name].append(batch * count / (time.perf_counter() - began))
    first = next(iter(rates))
    table: dict[str, Any] = {name: {"images/s": summarize(each)} for name, each in rates.items()}
    for name, each in list(rates.items())[1:]:
        table[name][f"times {first}"] = summarize([a / b for a, b in zip(each, rates[first], strict=True)])
    return table


def summarize(values: list[float]) -> str:
    return f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


def threads(count: int) -> Callable[[], None]:
    return lambda: torch.set_num_threads(count)


def time_dcgan(everything: int) -> dict[str, Any]:
    """(a) The example's loop over files against ours over a pack."""
    recipe = replace(recipes.find("dcgan"), batch_size=64)
    with tempfile.TemporaryDirectory() as folder:
        write_photos(Path(folder))
        source = open_source(folder, Preparation(size=(SIDE, SIDE)))
        loader = DataLoader(Photos(Path(folder)), batch_size=64, shuffle=True, num_workers=2, drop_last=True)
        pair = recipe.networks.build_pair(source.shape, 0, 0)
        example = play_textbook(*pair, recipe.networks.latent, from_files(loader))
        found = probe(recipe, source, "cpu")
        usual = Engine.choose("cpu", "float32", everything)
        loops = {
            "example": (threads(everything), example),
            "float32": (usual.use_threads, ours(recipe, source, usual)),
            "auto": (found.engine.use_threads, ours(recipe, source, found.engine)),
        }
        return {**compare(loops, 64), "auto is": found.engine.describe()}


class Given(nn.Module):
    """A tutorial's discriminator with logits [N]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Tensor) -> Tensor:
        """Map [N, 1, 28, 28] to logits [N]."""
        return self.network(batch).flatten()  # type: ignore[no-any-return]


def time_mlp(everything: int) -> dict[str, Any]:
    """(b) The tutorial's MLPs by its loop and by ours."""
    images = torch.randint(0, 256, (10_000, 1, 28, 28), dtype=torch.uint8)
    source = Source("noise", Split(images), Split(images[:100]))
    recipe = replace(recipes.find("dcgan"), batch_size=64, game=NonSaturating())

    def batches() -> Iterator[Tensor]:
        loader = DataLoader(images.float() / 127.5 - 1, batch_size=64, shuffle=True, drop_last=True)
        return from_files(loader)

    def played(engine: Engine) -> Loop:
        engine.use_threads()
        players = Players.build(recipe, source, engine, 0)
        pair = build_mlp_generator(), Given(build_mlp_discriminator())
        configs = recipe.generator_optimizer, recipe.discriminator_optimizer
        g, d = (
            Player(each, config.build(each.parameters()), config) for each, config in zip(pair, configs, strict=True)
        )
        return play(replace(players, generator=g, discriminator=d), recipe, source.train, steps=10**9, seed=0)

    loops = {
        "tutorial": (
            threads(everything),
            play_textbook(build_mlp_generator(), Given(build_mlp_discriminator()), recipe.networks.latent, batches()),
        )
    }
    for bfloat16 in (False, True):
        for count in (1, everything):
            engine = Engine(torch.device("cpu"), bfloat16, count)
            loops[engine.describe()] = (engine.use_threads, played(engine))
    return compare(loops, 64)


def noise(shape: tuple[int, ...], count: int = 2_000) -> Source:
    split = Split(torch.randint(0, 256, (count, *shape), dtype=torch.uint8))
    return Source("noise", split, split)


def time_r3gan(everything: int) -> dict[str, Any]:
    """(c) R3GAN with both penalties at 32x32."""
    recipe, source = change(recipes.find("r3gan"), "batch_size=16"), noise((3, 32, 32))
    found, usual = probe(recipe, source, "cpu"), Engine.choose("cpu", "float32", everything)
    loops = {
        "float32": (usual.use_threads, ours(recipe, source, usual)),
        "auto": (found.engine.use_threads, ours(recipe, source, found.engine)),
    }
    return {**compare(loops, 16), "auto is": found.engine.describe()}


def list_shares() -> dict[str, Any]:
    """(d, e, g) What an iteration reaches, part by part, for recipes, batches, widths and sizes."""
    table = {}
    cases: list[tuple[str, list[str], int]] = [("dcgan", [], 64), ("compact", [], 64)]
    cases += [("photos", [f"networks.width={width}"], 64) for width in (8, 16, 32)]
    cases += [("compact", [f"networks.width={width}"], 64) for width in (4, 8, 16)]
    cases += [("compact", ["networks.width=8", f"batch_size={batch}"], 64) for batch in (8, 64, 128, 512)]
    cases += [("compact", ["networks.width=8"], side) for side in (32, 96, 128)]
    for name, changes, side in cases:
        recipe, source = recipes.find(name), noise((3, side, side))
        for each in (*(AS_IT_WAS if name == "compact" else ()), *changes):
            recipe = change(recipe, each)
        found = probe(recipe, source, "cpu")
        speed = measure_speed(recipe, source, found.engine, SECONDS)
        table[" ".join([name, *changes, f"{side}x{side}"])] = {
            "engine": found.engine.describe(),
            "images/s": round(speed.images_per_second, 1),
            "ms an image": round(1000 / speed.images_per_second, 3),
            "GFLOP an image": round(speed.flops / speed.batch_size / 1e9, 3),
            "share of peak": round(speed.share_of_peak, 3),
            "outside the updates": round(speed.outside, 4),
            "probe, ms": {f"{each.precision}, {each.threads}": each.milliseconds for each in found.timings},
        }
    return table


def main() -> None:
    """Measure, one after the other."""
    everything = torch.get_num_threads()
    figures = {
        "(a) DCGAN 64x64 from JPEG files, batch 64": time_dcgan(everything),
        "(b) MLP GAN 28x28, batch 64": time_mlp(everything),
        "(c) r3gan 32x32, width 64, batch 16": time_r3gan(everything),
        "(d, e, g)": list_shares(),
    }
    write("speed", f"{ROUNDS} interleaved rounds of {SECONDS:g} s, median (smallest to largest)", figures)


if __name__ == "__main__":
    main()
