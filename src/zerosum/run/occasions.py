"""What a run does now and then beside its iterations, and what each of these costs on this machine."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from zerosum.data import Source
from zerosum.export import pictures
from zerosum.game.ema import EMA
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe
from zerosum.generator import TrainedGenerator
from zerosum.metrics.evaluation import Evaluation, sample_count
from zerosum.run import checkpoint
from zerosum.run.trainer import CHECKPOINT_SECONDS, INTERIM_SCORES, PICTURE_SAMPLES, PICTURES

SCORED = 64  # samples that the features are timed with


@dataclass(frozen=True)
class Occasions:
    """What a run does beside its iterations, in seconds each.

    Attributes:
        picture: one of the pictures of samples.
        checkpoint: one checkpoint.
        scored: generating a sample and extracting its features; metrics then take their own time.
        interim: samples that are scored at a time during the training.
        last: samples that are scored at its end.
    """

    picture: float
    checkpoint: float
    scored: float
    interim: int
    last: int

    def describe(self) -> str:
        """Return what takes how long, and how often a run does it."""
        return (
            f"besides, in a run: {PICTURES} pictures of {self.picture:.2g} s, a checkpoint of {self.checkpoint:.2g} s "
            f"every {CHECKPOINT_SECONDS:g} s, and scores, of which the features take {1000 * self.scored:.2g} ms an "
            f"image: {INTERIM_SCORES - 1} times {self.interim:,} images during it, {self.last:,} at its end, and the "
            "real ones once"
        )


def measure_occasions(recipe: Recipe, source: Source, engine: Engine) -> Occasions:
    """Do each once, with untrained players; files are written to a folder that is deleted."""
    engine.use_threads()
    players = Players.build(recipe, source, engine, seed=0)
    average = EMA(players.generator.network, recipe.ema_decay)
    classes = [1] * source.classes if recipe.networks.conditional else []
    names = dict(zip(source.class_names, classes, strict=False))
    network = average.calibrated(recipe.networks, classes, engine.device)
    generator = TrainedGenerator(network, recipe.networks, source.shape, names, engine, {})
    evaluation = Evaluation.of(source)
    samples = generator.sample(SCORED, seed=0)
    evaluation.features(samples[:2])  # prepares what is prepared once

    def draw() -> None:
        real = None if source.is_images else source.test.samples[:PICTURE_SAMPLES]
        shown = pictures.select_shown(generator.sample(PICTURE_SAMPLES, seed=0), recipe.data.shown)
        pictures.encode(pictures.draw_samples(shown, real))

    with tempfile.TemporaryDirectory() as folder:
        saved = _time(lambda: checkpoint.save(Path(folder), 0, players, average, {}))
    scored = _time(lambda: evaluation.features(generator.sample(SCORED, seed=1))) / SCORED
    return Occasions(_time(draw), saved, scored, evaluation.interim, sample_count(source, evaluation.features))


def _time(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
