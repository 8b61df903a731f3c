"""A run: consumes `play()`, and measures, records, averages, saves and stops."""

import math
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import pydantic
import torch
from pydantic import Field, TypeAdapter, ValidationError

from zerosum import checkpoint, pictures, recipes
from zerosum.algorithm import Iteration
from zerosum.average import Average
from zerosum.data import Source, absolute, open_source
from zerosum.engine import Engine
from zerosum.errors import InputError, RunFailed
from zerosum.gan import GAN
from zerosum.interval import Interval
from zerosum.metrics.evaluation import Evaluation, sample_count
from zerosum.metrics.frechet import FrechetDistance
from zerosum.players import Players
from zerosum.playing import build, limit_threads, played
from zerosum.recipes import Recipe
from zerosum.record import Line, RunFolder, write_atomically

LINES, PICTURES, INTERIM_SCORES = 250, 10, 4
INTERIM_SAMPLES = 5_000
CHECKPOINT_SECONDS = 60.0
PICTURE_SAMPLES, PICTURE_POINTS, PICTURE_SEED = 64, 2_000, 0
PICTURE_PAIRS, PAIR_COLUMNS = 16, 4


@pydantic.dataclasses.dataclass(frozen=True)
class Noted:
    """What is noted of a run beside a checkpoint's tensors.

    Attributes:
        metrics_bytes: how long `metrics.jsonl` was.
        seconds: of training so far.
        best: the smallest Fréchet distance so far, and the step it was measured at.
    """

    metrics_bytes: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)] = 0.0
    best: tuple[float, int] | None = None


@dataclass(eq=False)
class Run:
    """A training in progress, in its folder."""

    folder: RunFolder
    recipe: Recipe
    source: Source
    engine: Engine
    seed: int
    steps: int
    players: Players
    average: Average
    step: int = 0
    seconds: float = 0.0
    best: tuple[float, int] | None = None
    interval: Interval = field(default_factory=Interval)
    passed_over: tuple[str, ...] = ()
    _latest: GAN | None = None

    @classmethod
    def create(
        cls,
        path: Path,
        recipe: Recipe,
        source: Source,
        data: str,
        engine: Engine,
        seed: int,
        steps: int,
        *,
        numbered: bool = False,
    ) -> "Run":
        """A new run in `path`, or if `numbered` in the first of `path`, `path-2`, `path-3` ... that is free.

        Nothing is written before everything else is known to fit.

        Raises:
            InputError: the recipe cannot serve the data, or the folder cannot be used.
        """
        limit_threads(recipe)
        players = build(recipe, source, engine, seed)
        description = {
            "zerosum": version("zerosum"),
            "data": absolute(data),
            "fingerprint": source.fingerprint,
            "seed": seed,
            "steps": steps,
            "device": str(engine.device),
            "precision": "bfloat16" if engine.bfloat16 else "float32",
            "threads": torch.get_num_threads(),
            "versions": {"python": platform.python_version(), "torch": version("torch")},
            "hardware": f"{platform.platform()}, {os.cpu_count()} cores; {engine.describe()}",
            "recipe": recipe.as_json(),
        }
        folder = RunFolder.create(path, description, numbered=numbered)
        try:
            run = cls(folder, recipe, source, engine, seed, steps, players, _average(players, recipe))
            run._picture()
            run._save()
        except BaseException:
            folder.discard()
            raise
        return run

    @classmethod
    def resume(cls, path: Path, *, allow_changed_data: bool = False, device: str | None = None) -> "Run":
        """The run in `path`, in the state of its latest whole checkpoint.

        It goes on with the same bits on the device that it was on; on another `device` they may differ.

        Raises:
            InputError: it is no run, another process is in it, it has no checkpoint, its data changed, or the device
                is not there.
        """
        folder = RunFolder.open(path)
        folder.lock()
        try:
            run, noted = cls._restored(folder, device, allow_changed_data=allow_changed_data)
            folder.rewind(noted.metrics_bytes)
            if allow_changed_data:
                folder.note_data(run.source.fingerprint, run.step)
            return run
        except BaseException:
            folder.close()
            raise

    @classmethod
    def look(cls, path: Path, *, device: str | None = None) -> "Run":
        """The same state of the run, only to be looked at: nothing in its folder is locked or changed.

        Raises:
            InputError: it is no run, it has no checkpoint, its data changed, or the device is not there.
        """
        return cls._restored(RunFolder.open(path), device, allow_changed_data=False)[0]

    @classmethod
    def _restored(cls, folder: RunFolder, device: str | None, *, allow_changed_data: bool) -> tuple["Run", Noted]:
        about, recipe = folder.describe(), recipes.of_run(folder)
        source = open_source(about["data"], recipe.data, noted=True)
        if source.fingerprint != about["fingerprint"] and not allow_changed_data:
            raise InputError(
                f"the data at {about['data']} have changed since the run began; 'zerosum resume' goes on with "
                "--allow-changed-data"
            )
        torch.set_num_threads(about["threads"])
        engine = Engine.choose(device or about["device"], about["precision"])
        players = build(recipe, source, engine, about["seed"])
        run = cls(folder, recipe, source, engine, about["seed"], about["steps"], players, _average(players, recipe))
        state = checkpoint.latest(folder.checkpoints)
        checkpoint.restore(state, players, run.average)
        try:
            noted = TypeAdapter(Noted).validate_python(state.metadata)
        except ValidationError as error:
            where, problem = folder.checkpoints / f"{state.step:06d}.json", error.errors()[0]
            raise InputError(f"{where} is damaged: {problem['loc'][0]}: {problem['msg'].lower()}") from None
        run.step, run.seconds, run.best, run.passed_over = state.step, noted.seconds, noted.best, state.passed_over
        run.interval = Interval.of(state.pending, engine.device)
        return run, noted

    def train(self, evaluation: Evaluation, observe: Callable[[Line], None], stop: Callable[[], bool]) -> bool:
        """Play to the end, or until `stop()` after an iteration; state and generator are saved in both cases.

        `observe` is called with each line that goes into the metrics. True if the run is finished.

        Raises:
            RunFailed: the losses or the weights are no longer finite.
        """
        self.folder.generator.unlink(missing_ok=True)  # of an earlier stop
        began = saved = time.monotonic()
        before = self.seconds
        every = {
            name: math.ceil(self.steps / parts)
            for name, parts in (("line", LINES), ("picture", PICTURES), ("score", INTERIM_SCORES))
        }
        for iteration in self._play():
            self.step, self.seconds = iteration.step + 1, before + time.monotonic() - began
            last = self.step == self.steps
            self.interval.iterations.append(iteration)
            self.average.update(self.step)
            if self.step % every["line"] == 0 or last or self.step == 1:
                self._log(self.interval.summary(), observe)
            if self.step % every["picture"] == 0 or last:
                self._picture()
            if self.step % every["score"] == 0 and not last:
                self._score(evaluation, INTERIM_SAMPLES, observe, training=True)
                saved = -math.inf
            stopping = stop()
            if stopping or last or time.monotonic() - saved > CHECKPOINT_SECONDS:
                self._save()
                saved = time.monotonic()
            if stopping:
                break
        self.gan().save(self.folder.generator)
        if self.step < self.steps:
            return False
        if not any(line["step"] == self.steps for line in self.folder.lines("score")):
            self._score(evaluation, sample_count(self.source), observe, training=False)
            self._save()  # with the length of the metrics, so that whoever resumes finds the scores
        return True

    def gan(self) -> GAN:
        """The averaged generator as it stands; made once for each step."""
        if self._latest is None or self._latest.about["step"] != self.step:
            self._latest = self._averaged()
        return self._latest

    def _averaged(self) -> GAN:
        about = {
            "recipe": self.recipe.as_json(),
            "data": self.source.name,
            "step": self.step,
            "precision": "bfloat16" if self.engine.bfloat16 else "float32",
        }
        networks, classes = self.players.networks, {}
        if networks.conditional and self.source.train.labels is not None:
            counts = self.source.train.labels.bincount(minlength=self.source.classes).tolist()
            classes = dict(zip(self.source.class_names, counts, strict=True))
        generator = self.average.finished(networks, list(classes.values()), self.engine.device)
        return GAN(generator, networks, self.source.shape, classes, self.engine, about)

    def _play(self) -> Iterator[Iteration]:
        return played(self.players, self.recipe, self.source, self.engine, self.steps, self.seed, self.step)

    def _log(self, summary: dict[str, float], observe: Callable[[Line], None]) -> None:
        if not math.isfinite(summary["discriminator_loss"] + summary["generator_loss"]):
            raise self._diverged("a loss is not finite")
        self._record({"kind": "iteration", "step": self.step, "seconds": round(self.seconds, 3), **summary}, observe)

    def _diverged(self, why: str) -> RunFailed:
        return RunFailed(
            f"the game diverged before step {self.step}: {why}. The last checkpoint in "
            f"{self.folder.checkpoints} is from before; try a smaller learning rate, e.g. --set generator.lr=1e-4"
        )

    def _record(self, line: Line, observe: Callable[[Line], None]) -> None:
        self.folder.append(line)
        observe(line)

    def _score(self, evaluation: Evaluation, count: int, observe: Callable[[Line], None], *, training: bool) -> None:
        """Measure, and keep the generator if it is the best so far; at the end, look for memorisation."""
        gan = self.gan()
        samples = gan.sample(count, PICTURE_SEED)
        try:
            scores = evaluation.scores(samples, PICTURE_SEED, training=training)
        except InputError as error:  # what is to be compared is not finite
            raise self._diverged(str(error)) from None
        if self.source.is_images and not training:
            pairs = evaluation.closest(samples, PICTURE_SEED, PICTURE_PAIRS)
            write_atomically(self.folder.closest, pictures.png(pairs, columns=2 * PAIR_COLUMNS))
        for score in scores:
            self._record({"kind": "score", "step": self.step, **score.line()}, observe)
        if count > INTERIM_SAMPLES:  # the distance falls with the number of samples
            scores = evaluation.scores(samples[:INTERIM_SAMPLES], PICTURE_SEED, [FrechetDistance()], training=True)
        if self.best is None or scores[0].value < self.best[0]:
            self.best = (scores[0].value, self.step)
            gan.save(self.folder.best)

    def _picture(self) -> None:
        count = PICTURE_SAMPLES if self.source.is_images else PICTURE_POINTS
        real = None if self.source.is_images else self.source.test.samples[:count]
        samples = self.gan().sample(count, PICTURE_SEED)
        if not bool(samples.isfinite().all()):
            raise self._diverged("a sample is not finite")
        picture = pictures.png(samples, real)
        write_atomically(self.folder.samples / f"{self.step:06d}.png", picture)

    def _save(self) -> None:
        players = self.players.generator.network, self.players.discriminator.network
        if not all(bool(each.isfinite().all()) for player in players for each in player.parameters()):
            raise self._diverged("a weight is not finite")
        noted = asdict(Noted(self.folder.metrics.stat().st_size, round(self.seconds, 3), self.best))
        pending = self.interval.tensors()
        checkpoint.save(self.folder.checkpoints, self.step, self.players, self.average, noted, pending)


def _average(players: Players, recipe: Recipe) -> Average:
    return Average(players.generator.network, recipe.average)
