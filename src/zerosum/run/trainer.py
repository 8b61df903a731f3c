"""The trainer: plays a recipe on data, and measures, records, averages, saves and stops."""

import math
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import pydantic
import torch
from pydantic import Field, TypeAdapter, ValidationError

from zerosum import recipes, records
from zerosum.atomic import write_atomically
from zerosum.data import Source
from zerosum.data.readers import make_absolute, open_source
from zerosum.errors import InputError, RunFailed
from zerosum.export import pictures
from zerosum.game.algorithm import play
from zerosum.game.ema import EMA
from zerosum.game.engine import Engine
from zerosum.game.players import Players
from zerosum.game.recipe import Recipe
from zerosum.generator import TrainedGenerator
from zerosum.metrics import score_named
from zerosum.metrics.evaluation import Evaluation, sample_count
from zerosum.metrics.frechet import FrechetDistance, distance_name
from zerosum.records import Record, ScoreRecord
from zerosum.run import checkpoint
from zerosum.run.probe import limit_threads
from zerosum.run.window import LogWindow
from zerosum.run_folder import FORMAT, RunFolder

LINES, PICTURES, INTERIM_SCORES = 250, 10, 4
CHECKPOINT_SECONDS = 60.0
PICTURE_SAMPLES, PICTURE_POINTS, PICTURE_SEED = 64, 2_000, 0
PICTURE_PAIRS, PAIR_COLUMNS = 16, 4


@pydantic.dataclasses.dataclass(frozen=True)
class Progress:
    """How far a run is, as a checkpoint keeps it beside its tensors.

    Attributes:
        metrics_bytes: the length of `metrics.jsonl`.
        seconds: of training so far.
        best: the smallest Fréchet distance so far, and the step it was measured at.
    """

    metrics_bytes: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)] = 0.0
    best: tuple[float, int] | None = None


@dataclass(eq=False)
class Trainer:
    """A training in progress, in its folder.

    Attributes:
        step: iterations done, of `steps`.
        seconds: of training so far.
        best: the smallest Fréchet distance so far, and the step it was measured at.
        window: the iterations since the last line of the metrics.
        skipped_checkpoints: what is wrong with checkpoints newer than the one that was restored.
    """

    folder: RunFolder
    recipe: Recipe
    source: Source
    engine: Engine
    seed: int
    steps: int
    players: Players
    ema: EMA
    step: int = 0
    seconds: float = 0.0
    best: tuple[float, int] | None = None
    window: LogWindow = field(default_factory=LogWindow)
    skipped_checkpoints: tuple[str, ...] = ()
    _latest: TrainedGenerator | None = None

    @classmethod
    def create(
        cls, path: Path, recipe: Recipe, source: Source, description: dict[str, Any], *, numbered: bool = False
    ) -> "Trainer":
        """Begin a run in `path`, or if `numbered` in the first of `path`, `path-2`, `path-3` ... that is free.

        Nothing is written before everything else is known to fit. `description` comes from `describe`.

        Raises:
            InputError: the recipe cannot serve the data, or the folder cannot be used.
        """
        limit_threads(recipe)
        trainer = cls._build(RunFolder(path), recipe, source, description)
        description = {**description, "threads": torch.get_num_threads(), "hardware": _hardware(trainer.engine)}
        trainer.folder = RunFolder.create(path, description, numbered=numbered)
        try:
            trainer._save_picture()
            trainer._save_checkpoint()
        except BaseException:
            trainer.folder.discard()
            raise
        return trainer

    @classmethod
    def resume(cls, path: Path, *, allow_changed_data: bool = False, device: str | None = None) -> "Trainer":
        """Restore the run in `path` from its newest intact checkpoint, to train on.

        It goes on with the same bits on the device that it was on; on another `device` they may differ.

        Raises:
            InputError: it is no run, another process is in it, it has no checkpoint, its data changed, or the device
                is not there.
        """
        folder = RunFolder.open(path)
        folder.lock()
        try:
            trainer, progress = cls._restore(folder, device, allow_changed_data=allow_changed_data)
            folder.rewind(progress.metrics_bytes)
            if allow_changed_data:
                folder.note_data(trainer.source.fingerprint, trainer.step)
            return trainer
        except BaseException:
            folder.close()
            raise

    @classmethod
    def look(cls, path: Path, *, device: str | None = None) -> "Trainer":
        """Restore the run in the same state only to look at it: lock and change nothing in its folder.

        Raises:
            InputError: it is no run, it has no checkpoint, its data changed, or the device is not there.
        """
        return cls._restore(RunFolder.open(path), device, allow_changed_data=False)[0]

    @classmethod
    def _restore(cls, folder: RunFolder, device: str | None, *, allow_changed_data: bool) -> tuple["Trainer", Progress]:
        about, recipe = folder.describe(), recipes.of_run(folder)
        Engine.choose(
            device or about["device"], about["precision"]
        )  # what is not there is refused before data are read
        state = checkpoint.load_latest(folder.checkpoints)
        source = open_source(about["data"], recipe.data, recorded=True)
        if source.fingerprint != about["fingerprint"] and not allow_changed_data:
            raise InputError(
                f"the data at {about['data']} have changed since the run began; 'zerosum resume' goes on with "
                "--allow-changed-data"
            )
        torch.set_num_threads(about["threads"])
        trainer = cls._build(folder, recipe, source, {**about, "device": device or about["device"]})
        checkpoint.restore(state, trainer.players, trainer.ema)
        try:
            progress = TypeAdapter(Progress).validate_python(state.metadata)
        except ValidationError as error:
            where, problem = folder.checkpoints / f"{state.step:06d}.json", error.errors()[0]
            raise InputError(f"{where} is damaged: {problem['loc'][0]}: {problem['msg'].lower()}") from None
        trainer.step, trainer.seconds, trainer.best = state.step, progress.seconds, progress.best
        trainer.skipped_checkpoints = state.skipped
        trainer.window = LogWindow.from_tensors(state.window, trainer.engine.device)
        return trainer, progress

    @classmethod
    def _build(cls, folder: RunFolder, recipe: Recipe, source: Source, about: dict[str, Any]) -> "Trainer":
        """Make the trainer that `about`, the content of `run.json`, describes, before its first step."""
        engine = Engine.choose(about["device"], about["precision"])
        players = Players.build(recipe, source, engine, about["seed"])
        ema = EMA(players.generator.network, recipe.ema_decay)
        return cls(folder, recipe, source, engine, about["seed"], about["steps"], players, ema)

    def train(self, evaluation: Evaluation, observe: Callable[[Record], None], stop: Callable[[], bool]) -> bool:
        """Play to the end, or until `stop()` after an iteration; save state and generator in both cases.

        `observe` is called with each record that goes into the metrics. True if the run is finished.

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
        iterations = play(
            self.players, self.recipe, self.source.train, steps=self.steps, seed=self.seed, start=self.step
        )
        for iteration in iterations:
            self.step, self.seconds = iteration.step + 1, before + time.monotonic() - began
            last = self.step == self.steps
            self.window.iterations.append(iteration)
            self.ema.update(self.step)
            if self.step % every["line"] == 0 or last or self.step == 1:
                self._log(observe)
            if self.step % every["picture"] == 0 or last:
                self._save_picture()
            if self.step % every["score"] == 0 and not last:
                self._score(evaluation, evaluation.interim, observe, training=True)
                saved = -math.inf
            stopping = stop()
            if stopping or last or time.monotonic() - saved > CHECKPOINT_SECONDS:
                self._save_checkpoint()
                saved = time.monotonic()
            if stopping:
                break
        self.generator().save(self.folder.generator)
        if self.step < self.steps:
            return False
        if not any(record.step == self.steps for record in records.read(self.folder, ScoreRecord)):
            self._score(evaluation, sample_count(self.source), observe, training=False)
            self._save_checkpoint()  # with the length of the metrics, so that whoever resumes finds the scores
        return True

    def generator(self) -> TrainedGenerator:
        """Return the averaged generator as it stands; it is made once for each step."""
        if self._latest is None or self._latest.metadata["step"] != self.step:
            self._latest = self._average()
        return self._latest

    def _average(self) -> TrainedGenerator:
        about = {
            "recipe": self.recipe.as_json(),
            "data": self.source.name,
            "step": self.step,
            "precision": self.engine.precision,
        }
        networks, classes = self.players.networks, {}
        if networks.conditional and self.source.train.labels is not None:
            counts = self.source.train.labels.bincount(minlength=self.source.classes).tolist()
            classes = dict(zip(self.source.class_names, counts, strict=True))
        network = self.ema.calibrated(networks, list(classes.values()), self.engine.device)
        return TrainedGenerator(network, networks, self.source.shape, classes, self.engine, about)

    def _log(self, observe: Callable[[Record], None]) -> None:
        record = self.window.summarize(self.step, self.seconds)
        if not math.isfinite(record.discriminator_loss + record.generator_loss):
            raise self._divergence("a loss is not finite")
        self._record(record, observe)

    def _divergence(self, why: str) -> RunFailed:
        return RunFailed(
            f"the game diverged before step {self.step}: {why}. The last checkpoint in "
            f"{self.folder.checkpoints} is from before; try a smaller learning rate, e.g. "
            "--set generator_optimizer.lr=1e-4"
        )

    def _record(self, record: Record, observe: Callable[[Record], None]) -> None:
        records.append(self.folder, record)
        observe(record)

    def _score(self, evaluation: Evaluation, count: int, observe: Callable[[Record], None], *, training: bool) -> None:
        """Measure, and keep the generator if it is the best so far; at the end, look for memorisation."""
        generator = self.generator()
        samples = generator.sample(count, PICTURE_SEED)
        try:
            scores = evaluation.scores(samples, PICTURE_SEED, training=training)
        except InputError as error:  # what is to be compared is not finite
            raise self._divergence(str(error)) from None
        if self.source.is_images and not training:
            pairs = evaluation.closest(samples, PICTURE_SEED, PICTURE_PAIRS)
            picture = pictures.draw_samples(self._show(pairs), columns=2 * PAIR_COLUMNS)
            about = f"generated images, each beside the training image nearest to it; {self._origin()}"
            write_atomically(self.folder.closest, pictures.encode(picture, about))
        for score in scores:
            self._record(ScoreRecord(self.step, score), observe)
        if count > evaluation.interim:  # the distance falls with the number of samples
            scores = evaluation.scores(
                samples, PICTURE_SEED, [FrechetDistance()], training=True, most=evaluation.interim
            )
        distance = score_named(scores, distance_name(evaluation.features)).value
        if self.best is None or distance < self.best[0]:
            self.best = (distance, self.step)
            generator.save(self.folder.best)

    def _save_picture(self) -> None:
        count = PICTURE_SAMPLES if self.source.is_images else PICTURE_POINTS
        real = None if self.source.is_images else self.source.test.samples[:count]
        samples = self.generator().sample(count, PICTURE_SEED)
        if not bool(samples.isfinite().all()):
            raise self._divergence("a sample is not finite")
        picture = pictures.encode(pictures.draw_samples(self._show(samples), real), self._origin())
        write_atomically(self.folder.samples / f"{self.step:06d}.png", picture)

    def _origin(self) -> str:
        """Return what a picture's metadata say of its samples."""
        return f"run {self.folder.path.resolve().name}; step {self.step}; seed {PICTURE_SEED}"

    def _show(self, samples: torch.Tensor) -> torch.Tensor:
        return pictures.select_shown(samples, self.recipe.data.shown)

    def _save_checkpoint(self) -> None:
        players = self.players.generator.network, self.players.discriminator.network
        if not all(bool(each.isfinite().all()) for player in players for each in player.parameters()):
            raise self._divergence("a weight is not finite")
        progress = Progress(self.folder.metrics.stat().st_size, round(self.seconds, 3), self.best)
        checkpoint.save(
            self.folder.checkpoints, self.step, self.players, self.ema, asdict(progress), self.window.tensors()
        )


def describe(data: str, source: Source, recipe: Recipe, engine: Engine, seed: int, steps: int) -> dict[str, Any]:
    """Return what `run.json` says of a run that is about to begin; `Trainer.create` adds the machine."""
    return {
        "format": FORMAT,
        "zerosum": version("zerosum"),
        "data": make_absolute(data),
        "fingerprint": source.fingerprint,
        "seed": seed,
        "steps": steps,
        "device": str(engine.device),
        "precision": engine.precision,
        "versions": {"python": platform.python_version(), "torch": version("torch")},
        "recipe": recipe.as_json(),
    }


def _hardware(engine: Engine) -> str:
    return f"{platform.platform()}, {os.cpu_count()} cores; {engine.describe()}"
