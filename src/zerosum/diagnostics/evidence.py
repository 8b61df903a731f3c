"""Evidence: what diagnostics look at, as far as it is there."""

import functools
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.data import Source, to_float
from zerosum.diagnostics.comparisons import group
from zerosum.diagnostics.examination import Examination
from zerosum.game.recipe import Recipe
from zerosum.metrics import Score
from zerosum.metrics.evaluation import Evaluation
from zerosum.metrics.frechet import distance_name
from zerosum.records import GapRecord, IterationRecord, ScoreRecord

Column = NDArray[np.float64]
LEAST_LINES = 20


class Unsaid(Exception):
    """The evidence does not suffice; the text says what is missing, or how much would do."""


@dataclass(frozen=True)
class Again:
    """The command that trains once more with something else.

    Attributes:
        data: of the run, as a command takes it.
        run: its folder.
        length: how long it was trained, as options of the command.
    """

    data: str
    run: str
    length: tuple[str, ...] = ()

    def train(self, *changes: str, recipe: str = "", steps: int | None = None) -> str:
        """Return the command that trains by the run's recipe, or another one, with `changes` of its fields."""
        words = ["zerosum", "train", self.data, "--recipe", recipe or self.run]
        words += self.length if steps is None else ("--steps", str(steps))
        return shlex.join([*words, *(word for change in changes for word in ("--set", change))])

    def measure_gap(self) -> str:
        """Return the command that measures the duality gap where the run is now."""
        return shlex.join(["zerosum", "equilibrium", self.run])

    def resume(self, steps: int) -> str:
        """Return the command that trains on, to so many iterations in all."""
        return shlex.join(["zerosum", "resume", self.run, "--steps", str(steps)])


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a training.

    Attributes:
        step: iterations done, of `steps`.
        curves: what was measured through time, a column of float64 [n] for each name; "step" is one.
        scores: of the generator, through time.
        recipe: what was played; None if another program played it.
        source: the data.
        evaluation: what gives the features of samples and of data.
        samples: of the generator that the training made, uint8 [N, C, H, W] or float32 [N, d].
        examination: what was measured on the players.
        again: how the run is repeated with something else; None if it cannot be.
        gaps: the duality gaps that were measured, in the order of their measurement.
    """

    step: int
    steps: int
    curves: Mapping[str, Column] = field(default_factory=dict)
    scores: Sequence[ScoreRecord] = ()
    recipe: Recipe | None = None
    source: Source | None = None
    evaluation: Evaluation | None = None
    samples: Tensor | None = None
    examination: Examination | None = None
    again: Again | None = None
    gaps: Sequence[GapRecord] = ()

    def command(self, *changes: str, recipe: str = "", steps: int | None = None) -> str:
        """Return the command that trains once more with `changes`; empty if the run is not ours."""
        return "" if self.again is None else self.again.train(*changes, recipe=recipe, steps=steps)

    def need_curve(self, name: str, last: float = 1.0) -> Column:
        """Return the finite values of a column in the `last` share of the training.

        Raises:
            Unsaid: there is none, or it has too few lines.
        """
        if name not in self.curves:
            raise Unsaid(f"the log has no column {name}")
        steps, values = self.curves["step"], self.curves[name]
        if not len(steps):
            raise Unsaid("the log has no line of iterations")
        chosen: Column = values[(steps > (1 - last) * steps[-1]) & np.isfinite(values)]
        if len(chosen) < LEAST_LINES * last:
            raise Unsaid(f"the log has {len(chosen)} lines with a number as {name}: {LEAST_LINES} would do")
        return chosen

    def need_examination(self) -> Examination:
        """Return what was measured on the players.

        Raises:
            Unsaid: there are none.
        """
        if self.examination is None:
            raise Unsaid("it needs the players, and a log has none")
        return self.examination

    def need_recipe(self) -> Recipe:
        """Return what was played.

        Raises:
            Unsaid: it is not known.
        """
        if self.recipe is None:
            raise Unsaid("it needs the recipe, and only zerosum's runs have one")
        return self.recipe

    def need_source(self) -> Source:
        """Return the data.

        Raises:
            Unsaid: they are not known.
        """
        if self.source is None:
            raise Unsaid("it needs the real data: --against DATA")
        return self.source

    def need_images(self) -> Source:
        """Return the data, if they are images.

        Raises:
            Unsaid: they are not known, or are points.
        """
        source = self.need_source()
        if not source.is_images:
            raise Unsaid("it is about images, and these are points")
        return source

    def need_evaluation(self) -> Evaluation:
        """Return what gives features.

        Raises:
            Unsaid: there is none.
        """
        if self.evaluation is None:
            raise Unsaid("it needs the features of real data: --against DATA")
        return self.evaluation

    def need_samples(self, least: int) -> Tensor:
        """Return the generator's samples.

        Raises:
            Unsaid: there are fewer than `least`.
        """
        if self.samples is None or len(self.samples) < least:
            raise Unsaid(
                f"{0 if self.samples is None else len(self.samples):,} samples are too few: {least:,} would do"
            )
        return self.samples

    @functools.cached_property
    def fake_features(self) -> NDArray[np.float32]:
        """The features of the samples, [N, D]."""
        evaluation = self.need_evaluation()
        features: NDArray[np.float32] = evaluation.extraction(evaluation.features, self.need_samples(2)).numpy()
        return features

    @functools.cached_property
    def groups(self) -> tuple[int, list[NDArray[np.int32]]]:
        """The number of groups of training data by their features; that of each sample, and of each test sample."""
        evaluation = self.need_evaluation()
        train, test = (each.features.numpy() for each in (evaluation.train, evaluation.test))
        return group(train, self.fake_features, test)

    def need_distances(self) -> list[tuple[int, Score]]:
        """Return the Fréchet distances through time that can be compared with each other, (step, score).

        Raises:
            Unsaid: there are fewer than two.
        """
        name = None if self.evaluation is None else distance_name(self.evaluation.features)
        found = [
            (record.step, record.score)
            for record in self.scores
            if record.score.metric == name or (name is None and record.score.metric in ("frechet-distance", "fid"))
        ]
        counts = [score.samples for _, score in found]
        same = [each for each in found if each[1].samples == max(counts, key=counts.count)]
        if len(same) < 2:
            raise Unsaid(f"{len(same)} scores through time are too few: 2 would do, of as many samples each")
        return same

    def need_gaps(self, last: float) -> list[GapRecord]:
        """Return the duality gaps in the `last` share of the training that were searched for as the newest was.

        Raises:
            Unsaid: there are fewer than two.
        """
        if self.again is None:
            raise Unsaid("it needs the players, and a log has none")
        known = [each for each in self.gaps if (1 - last) * self.step <= each.step <= self.step]
        same = {each.step: each for each in known if each.search == known[-1].search}
        if len(same) < 2:
            raise Unsaid(
                f"{len(same) or 'no'} duality gap was measured in the last {last:.0%} of the training: 2 would do, "
                f"with iterations between them; '{self.again.measure_gap()}' measures one"
            )
        return [same[step] for step in sorted(same)]


def curves_of(records: Sequence[IterationRecord]) -> dict[str, Column]:
    """Turn the lines of the metrics into columns."""
    names = [each.name for each in fields(IterationRecord)]
    return {name: np.array([getattr(record, name) for record in records], np.float64) for name in names}


def flatten(samples: Tensor) -> Tensor:
    """Turn samples into rows of numbers, float32 [N, d], images in [-1, 1]."""
    return (to_float(samples) if samples.dtype == torch.uint8 else samples.float()).flatten(1)
