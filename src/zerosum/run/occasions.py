"""What a run does now and then beside its iterations, and what each of these costs on this machine."""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from zerosum.data import Source
from zerosum.game.engine import Engine
from zerosum.game.recipe import Recipe
from zerosum.metrics.evaluation import Evaluation
from zerosum.run.description import describe
from zerosum.run.probe import Probe
from zerosum.run.scoring import INTERIM_SCORES
from zerosum.run.trainer import CHECKPOINT_SECONDS, PICTURES, Trainer

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
    """Do each once more in a run that has done it already, with untrained players, in a folder that is deleted."""
    evaluation = Evaluation.of(source)
    with tempfile.TemporaryDirectory() as folder:
        about = describe(source.name, source, recipe, Probe(engine, 0.0), seed=0, steps=1)
        run = Trainer.create(Path(folder) / "run", recipe, source, about)
        with closing(run.folder):
            generator = run.generator()
            evaluation.features(generator.sample(SCORED, seed=0))
            scored = _time(lambda: evaluation.features(generator.sample(SCORED, seed=1))) / SCORED
            picture, saved = _time(run.save_picture), _time(run.save_checkpoint)
    return Occasions(picture, saved, scored, evaluation.interim, evaluation.last)


def _time(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
